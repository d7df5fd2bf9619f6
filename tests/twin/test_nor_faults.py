"""External flash and the power: one log with internal flash, cuts, tears, wear, and the file of a twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot.device import lasting
from spboot.errors import TwinError
from spboot.twin import PowerCut, Twin
from spboot.twin.host import state
from spboot.twin.memory import ageing
from spboot.twin.memory.oplog import Cut

from .conftest import finish, firmware, out
from .external import BOARDS, package, quadspi, twin_of

WINDOW = 0x90000000
BOTH = quadspi(
    "L476",
    """for (int i = 0; i < 256; i++) B[i] = i; wipe(0); page(0, 256); FLASH_KEYR = 0x45670123; FLASH_KEYR = 0xcdef89ab;
    FLASH_CR = 1; REG(0x0800f000) = 0x11223344; REG(0x0800f004) = 0x55667788; while (FLASH_SR & 0x10000) {}
    wipe(0x1000);""",
)


def _before(twin: Twin) -> None:
    package(twin).cells.put(WINDOW, bytes([0xA0]) * 0x2000)


def test_one_log_of_both_kinds_of_flash() -> None:
    """In the order in which they happened, by the address that the core sees."""
    twin = twin_of("L476", BOTH)
    finish(twin)
    assert [(op.kind, op.address, op.size) for op in twin.log] == [
        ("erase", WINDOW, 0x1000),
        ("program", WINDOW, 256),
        ("program", 0x0800F000, 8),
        ("erase", WINDOW + 0x1000, 0x1000),
    ]
    assert twin.log.erases(WINDOW) == 2
    assert package(twin).cells.wear == {WINDOW: 1, WINDOW + 0x1000: 1}


CUTS = {  # cut: whether the page before the operation is as it was, whole as it was to be, or a mixture
    "0": "old", "0:after": "new", "0:torn:prefix=64": "mixed", "0:torn:random=3": "mixed", "0:marginal=5": "mixed",
    "1": "erased", "1:after": "programmed", "3": "programmed",
    "1:torn:suffix=900": "mixed", "1:torn:miss=16": "mixed", "1:marginal=2": "mixed",
}  # fmt: skip


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_at_each_operation(cut: str) -> None:
    """Before it, after it, or within: what is there then, and that the chip starts anew with the power."""
    twin = twin_of("L476", BOTH)
    _before(twin)
    twin.arm(Cut.parse(cut))
    with pytest.raises(PowerCut, match=rf"cut {cut}"):
        twin.run(seconds=2)
    found = package(twin).cells.get(WINDOW, 256)
    programmed = bytes(range(256))
    whole = {"old": b"\xa0" * 256, "new": b"\xff" * 256, "erased": b"\xff" * 256, "programmed": programmed}
    assert found == whole[CUTS[cut]] if CUTS[cut] != "mixed" else found not in whole.values()
    assert not package(twin).cells.poisoned
    twin.power_on()
    assert not package(twin).busy
    finish(twin)
    assert package(twin).cells.get(WINDOW, 256) == programmed


def test_a_cut_of_internal_flash_tears_the_erase_beside_it() -> None:
    """The chip was still at work when the power went."""
    twin = twin_of("L476", BOTH.replace("wipe(0); page(0, 256);", "enable(); q_command(ERASE, 0);"))
    _before(twin)
    twin.arm(Cut.parse("1"))
    with pytest.raises(PowerCut):
        twin.run(seconds=2)
    twin.power_on()
    found = package(twin).cells.get(WINDOW, 0x1000)
    assert found not in (b"\xa0" * 0x1000, b"\xff" * 0x1000)
    assert all(byte & 0xA0 == 0xA0 for byte in found)
    assert package(twin).cells.get(WINDOW + 0x1000, 0x1000) == b"\xa0" * 0x1000


def test_a_reset_command_tears_an_erase() -> None:
    """66 and 99 while it is busy: a mixture, and it takes as long as the data sheet says until it answers."""
    source = quadspi(
        "F769",
        """enable(); q_command(ERASE, 0); q_command(0x66 | I1, 0); q_command(0x99 | I1, 0);
        for (volatile int i = 0; i < 200; i++) {} OUT[0] = 1; ready(); q_read(STATUS, 0, B, 1); OUT[1] = B[0];""",
    )
    twin = twin_of("F769", source)
    _before(twin)
    finish(twin)
    assert out(twin, 1) == 0
    assert twin.time > 0.012
    assert package(twin).cells.get(WINDOW, 0x1000) not in (b"\xa0" * 0x1000, b"\xff" * 0x1000)
    twin = twin_of("F769", source.replace("ready();", "q_read(READ, 0, B, 1);"))
    with pytest.raises(TwinError, match="before it recovered"):
        finish(twin)


def test_marginal_bits_read_one_way_now_and_another_later() -> None:
    """By commands and by the window, until they are erased again."""
    twin = twin_of(
        "L476",
        quadspi(
            "L476",
            """if (OUT[0] != 7) { OUT[0] = 7; wipe(0); } uint32_t seen = 0, seen2 = 0; map();
            for (int n = 0; n < 32; n++) { uint32_t sum = 0;
                for (int i = 0; i < 0x1000; i += 4) sum = sum * 31 + REG(0x90000000 + i);
                seen |= sum != seen2; seen2 = sum; OUT[1] += n && seen; seen = 0; }
            unmap(); wipe(0); map(); OUT[2] = 0;
            for (int i = 0; i < 0x1000; i += 4) OUT[2] += REG(0x90000000 + i) != ~0u;""",
        ),
    )
    package(twin).cells.put(WINDOW, bytes(0x1000))
    twin.arm(Cut.parse("0:marginal=4"))
    with pytest.raises(PowerCut):
        twin.run(seconds=2)
    twin.power_on(ram_fill=0)
    twin.rams.put(0x20000100, (7).to_bytes(4, "little"))
    finish(twin, 5)
    assert out(twin, 1) > 16
    assert out(twin, 2) == 0
    assert not package(twin).cells.frail.marginal


def test_faults_that_need_an_ecc_or_an_erase() -> None:
    """Words, not silence."""
    for cut, message in (("0:single=1", "without an ECC"), ("1:weak=1", "weak is of an erase")):
        twin = twin_of("L476", BOTH)
        twin.arm(Cut.parse(cut))
        with pytest.raises(TwinError, match=message):
            twin.run(seconds=2)


def test_a_worn_sector() -> None:
    """With `fails` nothing changes, and the chip says so by its flags."""
    twin = twin_of("L476", quadspi("L476", "wipe(0x1000); q_read(0x70 | I1 | D1, 0, B, 1); OUT[1] = B[0];"))
    _before(twin)
    worn = ageing.parse("worn:0x90001000=0:fails")
    assert worn is not None
    package(twin).cells.ask(worn)
    finish(twin)
    assert out(twin, 1) == 0xA0
    assert package(twin).cells.get(WINDOW + 0x1000, 4) == b"\xa0" * 4
    with pytest.raises(TwinError, match=r"outside of external flash, 0x90000000\.\.0x91000000"):
        package(twin).cells.ask(ageing.Worn(page=0x91000000, after=1))


def test_a_block_is_torn_as_a_whole() -> None:
    """One operation of 64 KB, in its own time, wherever in it the address is; a tear reaches from end to end."""
    block = "enable(); q_command(0xd8 | I1 | A1, 0x2345); ready();"
    twin = twin_of("L476", quadspi("L476", block))
    package(twin).cells.put(WINDOW, b"\xa0" * 0x20000)
    finish(twin, 3)
    assert [(each.kind, each.address, each.size) for each in twin.log] == [("erase", WINDOW, 0x10000)]
    assert 0.7 < twin.time < 0.72
    assert package(twin).cells.get(WINDOW, 0x20000) == b"\xff" * 0x10000 + b"\xa0" * 0x10000
    assert len(package(twin).cells.wear) == 16
    twin = twin_of("L476", quadspi("L476", block))
    package(twin).cells.put(WINDOW, b"\xa0" * 0x20000)
    twin.arm(Cut.parse("0:torn:random=3"))
    with pytest.raises(PowerCut):
        twin.run(seconds=2)
    for sector in (0, 7 * 0x1000, 15 * 0x1000):
        assert package(twin).cells.get(WINDOW + sector, 0x1000) not in (b"\xa0" * 0x1000, b"\xff" * 0x1000)
    assert package(twin).cells.get(WINDOW + 0x10000, 0x10000) == b"\xa0" * 0x10000


def test_two_chips_are_torn_together() -> None:
    """A power cut meets both dies; what one of them has to do alone leaves the other."""
    twin = twin_of("H745", quadspi("H745", "wipe(0);"))
    _before(twin)
    twin.arm(Cut.parse("0:torn:random=1"))
    with pytest.raises(PowerCut):
        twin.run(seconds=2)
    found = package(twin).cells.get(WINDOW, 0x2000)
    assert all(found[die::2] not in (b"\xa0" * 0x1000, b"\xff" * 0x1000) for die in (0, 1))


def test_a_chip_of_64_mb_costs_what_is_in_it(tmp_path: Path) -> None:
    """Erased blocks take no memory and no file; what is kept without power comes back with them."""
    twin = twin_of(
        "F769", quadspi("F769", "enable(); B[0] = 0x40; q_write(0x01 | I1 | D1, 0, B, 1); ready(); page(0, 1);")
    )
    package(twin).cells.put(WINDOW + 0x3FFFFF0, bytes(range(16)))
    finish(twin)
    assert sorted(package(twin).cells.blocks) == [0, 0x3FF0000]
    state.save(twin, tmp_path / "f.state")
    assert (tmp_path / "f.state").stat().st_size < 50_000
    other = twin_of("F769", quadspi("F769", ""))
    package(other).cells.put(WINDOW + 0x10000, bytes(16))
    state.load(other, tmp_path / "f.state")
    assert package(other).cells.contents() == package(twin).cells.contents()
    assert package(other).chips[0].registers["SR"] == 0x40
    bare = Twin(BOARDS["F769"].part)
    bare.flash_load(0x08000000, firmware(quadspi("F769", ""), BOARDS["F769"].part))
    with pytest.raises(TwinError, match="holds flash at QUADSPI, which this board lacks"):
        state.load(bare, tmp_path / "f.state")
    third = twin_of("F769", quadspi("F769", ""), chip="MT25QL512")
    with pytest.raises(TwinError, match="external flash MX25L51245G, expected MT25QL512"):
        state.load(third, tmp_path / "f.state")


def test_factory_programming_reaches_it() -> None:
    """By the addresses of the window, and of internal flash as ever; a file for both would do the same."""
    twin = twin_of("F769", quadspi("F769", "map(); OUT[0] = REG(0x90010000);"))
    twin.flash_load(WINDOW + 0x10000, b"asset")
    finish(twin)
    assert out(twin) == int.from_bytes(b"asse", "little")
    assert twin.flash_read(WINDOW + 0x10000, 6) == b"asset\xff"
    assert not len(twin.log)
    with pytest.raises(TwinError, match="outside of external flash"):
        twin.flash_load(WINDOW + (1 << 26) - 1, b"12")


def test_an_old_file_has_no_external_flash(tmp_path: Path) -> None:
    """A twin without it writes what it always wrote, and such a file fits a board that has some."""
    bare = Twin(BOARDS["F769"].part)
    state.save(bare, tmp_path / "f.state")
    assert b"external" not in (tmp_path / "f.state").read_bytes()
    state.load(twin_of("F769", quadspi("F769", "")), tmp_path / "f.state")


SWAPPED = "map(); for (int i = 0; i < 6; i++) OUT[i] = REG(0x90001000 + 4 * (i % 2));"


def test_something_else_is_shown_to_who_reads_again() -> None:
    """The sector reads right as often as was asked for; an erase ends that, and the next sector never does it."""
    twin = twin_of("F469", quadspi("F469", f"{SWAPPED} OUT[6] = REG(0x90002000); OUT[7] = REG(0x90002000);"))
    twin.flash_load(WINDOW + 0x1000, bytes(range(8)))
    lasting.ask(twin, "swapped:0x90001ffc=2")
    finish(twin)
    right = [int.from_bytes(bytes(range(8))[at : at + 4], "little") for at in (0, 4)]
    found = [out(twin, i) for i in range(8)]
    assert found[:4] == right * 2
    assert found[4] != right[0] and found[5] != right[1]
    assert found[6:] == [0xFFFFFFFF] * 2
    assert package(twin).cells.get(WINDOW + 0x1000, 8) == bytes(range(8))


def test_a_snapshot_has_what_was_read() -> None:
    twin = twin_of("F469", quadspi("F469", f"{SWAPPED}"))
    twin.flash_load(WINDOW + 0x1000, bytes(8))
    lasting.ask(twin, "swapped:0x90001000=1")
    assert twin.run(until=lambda: out(twin, 1) == 0 and package(twin).cells.swaps.save()[1] != {}, seconds=1)
    before = twin.snapshot()
    finish(twin)
    seen = [out(twin, i) for i in range(6)]
    twin.restore(before)
    finish(twin)
    assert [out(twin, i) for i in range(6)] == seen


def test_written_anew_it_is_shown_as_written() -> None:
    look = "map(); OUT[{0}] = REG(0x90001000); OUT[{0} + 1] = REG(0x90001000);"
    twin = twin_of("F469", quadspi("F469", f"{look.format(0)} unmap(); wipe(0x1000); {look.format(2)}"))
    twin.flash_load(WINDOW + 0x1000, bytes(8))
    lasting.ask(twin, "swapped:0x90001000=1")
    finish(twin, 2)
    assert (out(twin, 0), out(twin, 2)) == (0, 0xFFFFFFFF)
    assert out(twin, 1) != 0


def test_who_cannot_show_something_else() -> None:
    twin = twin_of("F469", quadspi("F469", ""))
    with pytest.raises(TwinError, match="no external flash at 0x08004000; other flash shows what it holds"):
        lasting.ask(twin, "swapped:0x08004000=1")
    with pytest.raises(TwinError, match="expected one reading or more"):
        lasting.ask(twin, "swapped:0x90000000=0")
