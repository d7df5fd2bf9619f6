"""Bugs put into the drivers of external flash, each of which a test of theirs, or the twin, has to notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from spboot.errors import TwinError
from tests.system import test_external_application as application
from tests.system import test_external_driver as driver
from tests.system.external_rig import Bench

Scene = Callable[[], None]
NOR, QUADSPI, OCTOSPI, WINDOW, PATIENCE = "nor.c", "quadspi.c", "octospi.c", "window_m7.c", "patience.c"


def _cells(name: str) -> Scene:
    return lambda: driver.test_erase_program_read(name, "clang")


def _block(name: str) -> Scene:
    return lambda: driver.test_a_block_is_erased_at_once(name, "clang")


def _state(name: str, state: str) -> Scene:
    return lambda: driver.test_start_from_a_state(name, state)


def _reader(reader: str, name: str) -> Scene:
    return lambda: application.test_application(reader, name, "clang")


BUGS: Final[dict[str, tuple[str, str, str, Scene]]] = {  # file, words of it, others in their place, who notices
    "AR is not 0 when mapped": (QUADSPI, "    reg_write(AR, 0);\n", "", _cells("L476")),
    "no write enable": (
        NOR,
        "return spb_serial_command(SPB_EXTERNAL_WRITE_ENABLE) &&\n",
        "return",
        _cells("L476"),
    ),
    "no wait for the end": (
        NOR,
        "!alone ? sliced() : idle()) return good();\n",
        "!alone ? sliced() : SPB_EXTERNAL_CHIPS > 0) return good();\n",
        _cells("L496"),
    ),
    "no MPU": (WINDOW, "    reg_write(CTRL, ON);\n", "", _cells("F769")),
    "no guard while the window is away": (
        WINDOW,
        "    region(SPB_EXTERNAL_MPU_LAST, SPB_EXTERNAL_ADDRESS, FORBIDDEN(WINDOW_POWER));\n",
        "",
        _cells("F769"),
    ),
    "a region beyond the chip": (
        WINDOW,
        "SPB_EXTERNAL_SIZE_POWER <<",
        "(SPB_EXTERNAL_SIZE_POWER + 1u) <<",
        _cells("F769"),
    ),
    "the last bytes of STM32H7": (
        WINDOW,
        "if (SPB_EXTERNAL_TIMING) region",
        "if (!SPB_EXTERNAL_TIMING) region",
        lambda: driver.test_what_the_core_may_read("H745"),
    ),
    "FSIZE too small": (QUADSPI, "SPB_EXTERNAL_SIZE_POWER <<", "(SPB_EXTERNAL_SIZE_POWER - 1u) <<", _cells("F469")),
    "no timing sequence": (
        QUADSPI,
        "if (!SPB_EXTERNAL_TIMING) return;",
        "if (SPB_EXTERNAL_TIMING) return;",
        _cells("H745"),
    ),
    "a slow timing sequence": (
        QUADSPI,
        '"str %[off], [%[block]]\\n"',
        '"movs r3, #255\\n2: subs r3, #1\\nbne 2b\\nstr %[off], [%[block]]\\n"',
        _cells("H745"),
    ),
    "one chip of two": (QUADSPI, "(SPB_EXTERNAL_CHIPS > 1 ? QUADSPI_CR_DFM : 0u)", "0u", _cells("H745")),
    "an idle block is aborted": (QUADSPI, "if ((reg_read(SR) & QUADSPI_SR_BUSY) == 0) return;", "", _cells("L476")),
    "nothing is aborted": (QUADSPI, "    reg_set(CR, QUADSPI_CR_ABORT);\n", "", _cells("L476")),
    "pages do not end": (NOR, "SPB_EXTERNAL_PAGE - off %", "0x10000u - 0 *", _cells("F469")),
    "the id is not compared": (
        NOR,
        "if (spb_external_id() == SPB_EXTERNAL_ID) return true;",
        "if (spb_external_id() != 0) return true;",
        driver.test_the_second_of_two_chips_alone_is_another,
    ),
    "one id of two": (
        NOR,
        "? id.of[SPB_EXTERNAL_CHIPS - 1]",
        "? id.of[0]",
        driver.test_the_second_of_two_chips_alone_is_another,
    ),
    "one status of two": (
        QUADSPI,
        "reg_write(PSMKR, SPB_EXTERNAL_STATUS_BUSY);",
        "reg_write(PSMKR, SPB_EXTERNAL_STATUS_BUSY & 0xFFu);",
        driver.test_the_second_chip_is_slower,
    ),
    "no flag is read": (
        NOR,
        "(reg_of(SPB_EXTERNAL_FLAGS) & SPB_EXTERNAL_FLAGS_BAD) == 0",
        "reg_of(SPB_EXTERNAL_FLAGS) != 0xFFFFFFFFu",
        lambda: driver.test_protected("F469"),
    ),
    "flags are not cleared": (
        NOR,
        "if (SPB_EXTERNAL_CLEAR_FLAGS)",
        "if (!SPB_EXTERNAL_CLEAR_FLAGS)",
        lambda: driver.test_protected("F469"),
    ),
    "no reset on four lines": (
        NOR,
        "if (SPB_EXTERNAL_QUAD_RESET)",
        "if (!SPB_EXTERNAL_QUAD_RESET)",
        _state("H745", "quad"),
    ),
    "no reset on eight lines": (
        NOR,
        "if (SPB_EXTERNAL_OCTAL_RESET)",
        "if (!SPB_EXTERNAL_OCTAL_RESET)",
        _state("L562", "octal"),
    ),
    "no reset by two bits a clock": (
        NOR,
        "if (SPB_EXTERNAL_DOUBLE_RESET)",
        "if (!SPB_EXTERNAL_DOUBLE_RESET)",
        _state("L4R9", "double"),
    ),
    "nobody is woken": (NOR, "if (SPB_EXTERNAL_WAKE) {", "if (!SPB_EXTERNAL_WAKE) {", _state("L496", "asleep")),
    "a read goes on": (
        NOR,
        "if (SPB_EXTERNAL_END_CONTINUOUS)",
        "if (!SPB_EXTERNAL_END_CONTINUOUS)",
        _state("L496", "continuous"),
    ),
    "no time to wake up": (NOR, "        pause(SPB_EXTERNAL_WAKE_US);\n", "", _state("F769", "quad asleep")),
    "a recovery is not waited for": (
        NOR,
        "    return idle();\n}\n\n/* X6",
        "    return true;\n}\n\n/* X6",
        _state("L496", "erasing"),
    ),
    "the watchdog is not fed": (PATIENCE, "        spb_port.alive();\n", "", lambda: driver.test_watchdog("F469")),
    "no end of a wait": (
        PATIENCE,
        "if (cycles < went) return false;",
        "if (cycles < went) cycles = ~0u;",
        lambda: driver.test_an_erase_that_never_ends("F469"),
    ),
    "a chip is left busy": (
        NOR,
        "    reset();\n    (void)recovered();\n    return false;",
        "    return false;",
        lambda: driver.test_an_erase_that_never_ends("F469"),
    ),
    "CR is not restored": (QUADSPI, "    reg_write(CR, was.cr);\n", "", _reader("1-4-4", "F469")),
    "one line for all": (
        QUADSPI,
        "uint32_t lines = was.ccr / COMMAND % 4u;",
        "uint32_t lines = 1;",
        _reader("QPI", "F769"),
    ),
    "one line for all, on eight": (OCTOSPI, "phases * lines()", "phases", _reader("eight lines", "L4R9")),
    "no strobe": (
        OCTOSPI,
        "was.ccr & (TWO_BYTES | DOUBLE)",
        "was.ccr & TWO_BYTES",
        _reader("two bits a clock", "L562"),
    ),
    "no port": (
        OCTOSPI,
        "if (!SPB_EXTERNAL_ROUTED) return;\n    reg_set",
        "if (SPB_EXTERNAL_ROUTED) return;\n    reg_set",
        _cells("L4R9"),
    ),
    "two ports": (OCTOSPI, "reg_write(other, 0);", "(void)other;", _cells("L4R9")),
    "the MPU is not restored": (WINDOW, "    reg_write(CTRL, was.control);\n", "", _reader("1-4-4", "F769")),
    "caches keep what was there": (
        NOR,
        "    forget(off, len);\n    return status;\n}\n\nstatic enum spb_status erase(",
        "    forget(off, len / len);\n    return status;\n}\n\nstatic enum spb_status erase(",
        _cells("F769"),
    ),
    "a sector in place of a block": (NOR, "SPB_EXTERNAL_ERASE_BLOCK, off", "SPB_EXTERNAL_ERASE, off", _block("F469")),
    "caches keep the end of a block": (NOR, "off, SPB_BLOCK); }", "off, SPB_EXTERNAL_UNIT); }", _block("F769")),
    "caches keep what was programmed over": (
        NOR,
        "    forget(off, len);\n    return status;\n}\n\nstatic const uint8_t *map",
        "    return status;\n}\n\nstatic const uint8_t *map",
        _cells("H745"),
    ),
    "interrupts in a slice": (
        NOR,
        '    if (SPB_EXTERNAL_SLICES) __asm volatile("mrs %0, primask\\n cpsid i"',
        '    if (SPB_EXTERNAL_SLICES) __asm volatile("mrs %0, primask"',
        lambda: application.test_slices("1-4-4", "F469"),
    ),
    "no resume": (
        NOR,
        "        (void)spb_serial_command(SPB_EXTERNAL_RESUME);\n",
        "",
        lambda: application.test_slices("1-4-4", "F469"),
    ),
    "no suspend": (
        NOR,
        "!spb_serial_command(SPB_EXTERNAL_SUSPEND) || !idle()",
        "SPB_EXTERNAL_SUSPEND == 0",
        lambda: application.test_slices("1-4-4", "F469"),
    ),
    "slices too short": (
        NOR,
        "SPB_PATIENCE_US(SLICE_US / 2))) return true;",
        "SPB_PATIENCE_US(150))) return true;",
        lambda: application.test_slices("1-1-1", "L496"),
    ),
    "a clock is left on": (
        QUADSPI,
        "    reg_clear(RCC_BASE + SPB_EXTERNAL_ENABLE_OFF, SPB_EXTERNAL_ENABLE);\n",
        "",
        lambda: driver.test_stop("F469"),
    ),
}
_SOON: Final = ("AR is not 0 when mapped", "no timing sequence", "no wait for the end")


_CASES: Final = [pytest.param(bug, marks=[] if bug in _SOON else [pytest.mark.soak]) for bug in BUGS]


@pytest.mark.parametrize("bug", _CASES)
def test_noticed(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin stops at registers written while BUSY is 1 (Q1, O1) and at an abort of what is idle (Q2, O2)."""
    name, old, new, scene = BUGS[bug]
    build = Bench.__init__

    def changed(self: Bench, board: str, compiler: str = "clang", **more: Any) -> None:
        build(self, board, compiler, (name, old, new), **more)

    monkeypatch.setattr(Bench, "__init__", changed)
    with pytest.raises((TwinError, AssertionError)) as caught:
        scene()
    assert old not in str(caught.value), "the words are not there"
