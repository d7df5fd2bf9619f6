"""G0, L4+, L4 with one bank, L5 and WL on the twin: each misuse of flash and clocks, and what the manual says about it.

These families share a flash controller in the manuals' words too; the sections of each are in MANUALS, in the order of
RM0351: 3.3.5 unlocking, 3.3.6 erase, 3.3.7 programming, 3.3.9 ECC, 3.7.4 status register, 3.7.5 control register."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut, Twin

from .conftest import finish, out, twin_of


@dataclass(frozen=True, kw_only=True)
class Family:
    """A part and what of it differs.  *clock* runs the core faster than the flash allows without wait states."""

    part: str
    manual: str
    banks: int
    page: int
    pages: int
    clock: str
    message: str

    @property
    def end(self) -> int:
        return 0x08000000 + self.banks * self.page * self.pages


_MSI_48 = "RCC_CR = RCC_CR & ~0xf0u | 0xb8;"
FAMILIES = (
    Family(
        part="STM32G0B1RE",
        manual="RM0444 3.3.6, 3.3.7, 3.3.8, 3.3.4, 3.7.4, 3.7.5",
        banks=2,
        page=2048,
        pages=128,
        clock="RCC_PLLCFGR = 2 | 3 << 4 | 32 << 8 | 1u << 28 | 1u << 29; RCC_CR |= 1u << 24;"
        " while (!(RCC_CR & 1u << 25)) {} RCC_CFGR = 2;",
        message="64 MHz with 0 wait states in voltage range 1.*LATENCY to 2",
    ),
    Family(
        part="STM32L4R9AI",
        manual="RM0432 3.3.5, 3.3.6, 3.3.7, 3.3.8, 3.7.5, 3.7.6",
        banks=2,
        page=4096,
        pages=256,
        clock=_MSI_48,
        message="48 MHz with 0 wait states in voltage range 1.*LATENCY to 2",
    ),
    Family(
        part="STM32L452RE",
        manual="RM0394 3.3.5, 3.3.6, 3.3.7, 3.3.8, 3.7.5, 3.7.6",
        banks=1,
        page=2048,
        pages=256,
        clock=_MSI_48,
        message="48 MHz with 0 wait states in voltage range 1.*LATENCY to 2",
    ),
    Family(
        part="STM32L562QE",
        manual="RM0438 6.3.5, 6.3.6, 6.3.7, 6.3.4, 6.9.6, 6.9.8",
        banks=2,
        page=2048,
        pages=128,
        clock=_MSI_48,
        message="48 MHz with 0 wait states in voltage range 2.*[Ss]tay below 26 MHz",
    ),
    Family(
        part="STM32WL55JC",
        manual="RM0453 4.3.7, 4.3.8, 4.3.9, 4.3.5, 4.10.4, 4.10.5",
        banks=1,
        page=2048,
        pages=128,
        clock=_MSI_48,
        message="48 MHz with 0 wait states in voltage range 1.*LATENCY to 2",
    ),
)
BY_PART = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f"{f.part}-{f.manual.split(' ')[0]}")


def run(family: Family, code: str) -> Twin:
    return twin_of(f"void main_(void) {{ {code} }}", family.part)


REFUSED = {
    "program-without-unlock": ("FLASH_CR = 1;", "written .* while locked.*FLASH_KEYR"),
    "erase-without-unlock": ("FLASH_CR = 2; FLASH_CR = 0x10002;", "written .* while locked"),
    "half-a-register": ("unlock(); *(volatile unsigned short *)&FLASH_CR = 1;", "2-byte write to a FLASH register"),
    "uart-clock-off": ("UART_CR1 = 1;", "clock of USART2 is off"),
    "port-clock-off": ("REG(PORTA) = 0;", "GPIOA_MODER accessed while the clock"),
    "fifo": ("console(139); UART_CR1 = 0; UART_CR1 = 1u << 29;", "FIFOEN"),
    "no-baud-rate": ("console(0);", "BRR 0x0"),
}


@BY_PART
@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(family: Family, code: str, message: str) -> None:
    if "FIFO" in message and family.part == "STM32L452RE":
        pytest.skip("its USART has no FIFO")
    with pytest.raises(TwinError, match=message):
        run(family, code).run(seconds=0.1)


@BY_PART
def test_clock_before_wait_states(family: Family) -> None:
    """3.3.3: the flash is told first."""
    with pytest.raises(TwinError, match=family.message):
        run(family, f"{family.clock} for (volatile int i = 0; i < 99; i++) {{}}").run(seconds=0.1)


AT = 0x08004000
FLAGS = {
    "PROGERR-second-program": (f"program({AT:#x}, 1, 2); program({AT:#x}, 1, 0);", 8),
    "zero-over-data-is-fine": (f"program({AT:#x}, 1, 2); program({AT:#x}, 0, 0);", 0),
    "SIZERR-byte": (f"FLASH_CR = 1; *(volatile uint8_t *){AT:#x} = 1;", 64),
    "SIZERR-halfword": (f"FLASH_CR = 1; *(volatile unsigned short *){AT:#x} = 1;", 64),
    "PGAERR-second-word-first": (f"FLASH_CR = 1; REG({AT + 4:#x}) = 1;", 32),
    "PGAERR-another-double-word": (f"FLASH_CR = 1; REG({AT:#x}) = 1; REG({AT + 12:#x}) = 1;", 32),
    "PGSERR-without-PG": (f"REG({AT:#x}) = 1;", 128),
    "PGSERR-PG-with-PER": (f"FLASH_CR = 3; REG({AT:#x}) = 1;", 128),
    "PGSERR-STRT-with-PG-and-PER": ("FLASH_CR = 0x10003;", 128),
    "no-EOP-without-EOPIE": (f"program({AT:#x}, 1, 2);", 0),
    "EOP-with-EOPIE": (
        f"FLASH_CR = 1u << 24 | 1; REG({AT:#x}) = 1; REG({AT + 4:#x}) = 1; while (!(FLASH_SR & 1)) {{}}", 1,
    ),
}  # fmt: skip


@BY_PART
@pytest.mark.parametrize(("code", "flags"), FLAGS.values(), ids=FLAGS.keys())
def test_flash_errors_show_in_sr(family: Family, code: str, flags: int) -> None:
    """3.7.4; a refused operation changes nothing and is in words in `refusals`."""
    twin = run(family, f"unlock(); {code} OUT[0] = FLASH_SR & 0xffff;")
    finish(twin)
    assert out(twin) == flags
    assert len(twin.flash_controller.refusals) >= flags.bit_count() - (flags & 1)


@BY_PART
def test_what_is_not_erased_is_not_programmed(family: Family) -> None:
    twin = run(family, f"unlock(); program({AT:#x}, 3, 4); OUT[0] = FLASH_SR & 8;")
    twin.flash_load(AT, b"\xfe" + b"\xff" * 7)
    finish(twin)
    assert out(twin) == 8
    assert not list(twin.log)


@BY_PART
def test_pages_and_their_numbers(family: Family) -> None:
    """3.3.6: PNB counts in a bank, BKER selects it; the first and the last page of each, and none of another size."""
    chosen = [(bank, page) for bank in range(family.banks) for page in (0, 9, family.pages - 1)][1:]
    twin = run(family, "unlock(); " + " ".join(f"erase({bank}, {page});" for bank, page in chosen))
    finish(twin, seconds=2)
    base = [0x08000000 + (bank * family.pages + page) * family.page for bank, page in chosen]
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", at, family.page) for at in base]


@pytest.mark.parametrize(
    "family", [f for f in FAMILIES if f.part in ("STM32L452RE", "STM32WL55JC")], ids=lambda f: f.part
)
def test_a_page_that_does_not_exist(family: Family) -> None:
    """RM0394 3.7.6: with one bank there is no BKER; RM0453 4.10.5: PNB is 0 to 127."""
    code = "erase(1, 0);" if family.part == "STM32L452RE" else "erase(0, 128);"
    twin = run(family, f"unlock(); {code} OUT[0] = FLASH_SR & 0xffff;")
    finish(twin)
    assert out(twin) == 128
    assert "does not exist" in twin.flash_controller.refusals[0]
    assert not list(twin.log)


@BY_PART
def test_above_the_memory_is_nothing(family: Family) -> None:
    """A store and a load behind the last byte end in a fault (memory map)."""
    for access in (f"REG({family.end:#x}) = 1;", f"OUT[1] = REG({family.end:#x});"):
        twin = twin_of(
            f"void hard(void) {{ OUT[0] = 7; for (;;) {{}} }} void main_(void) {{ unlock(); FLASH_CR = 1; {access} }}",
            family.part,
        )
        twin.run(seconds=0.01)
        assert out(twin) == 7
        assert twin.faults[0].address == family.end


@BY_PART
def test_a_wrong_key_locks_until_reset(family: Family) -> None:
    """3.3.5: a bus fault, and no unlocking before the next reset."""
    source = """void hard(void) { OUT[1]++; }
    void main_(void) { OUT[1] = 0; FLASH_KEYR = 1; unlock(); OUT[0] = FLASH_CR >> 31; }"""
    twin = twin_of(source, family.part)
    finish(twin)
    assert out(twin, 0) == 1
    assert out(twin, 1) >= 1


@BY_PART
def test_a_torn_unit_fails_its_ecc(family: Family) -> None:
    """3.3.9: an NMI, ECCD in the register of its bank, address of the double word."""
    at = family.end - family.page
    low = 0x08000000 if family.banks == 1 else family.end - family.page * family.pages
    register = "FLASH_ECCR2" if family.part == "STM32G0B1RE" else "FLASH_ECCR"
    source = f"""void nmi(void) {{ OUT[0] = {register}; {register} = 1u << 31; OUT[2]++; }}
    void main_(void) {{ OUT[0] = OUT[2] = 0;
        if (REG({at:#x}) != 0x11111111) OUT[3] = 5;
        if (OUT[0]) return;
        unlock(); program({at:#x}, 0x11111111, 0x22222222); }}"""
    twin = twin_of(source, family.part)
    twin.arm(Cut(at=0, when="torn", pattern=("prefix", 9)))
    with pytest.raises(PowerCut):
        twin.run(seconds=1)
    twin.power_on()
    finish(twin)
    assert out(twin) >> 31
    assert out(twin) & 0x3FFF == (at - low) >> 3 & 0x3FFF
    assert out(twin, 2) == 1


def test_g0_cfgbsy_stands_between_the_words_of_a_double_word() -> None:
    """RM0444 3.7.4: CFGBSY rises with the first word."""
    twin = twin_of(
        f"void main_(void) {{ unlock(); FLASH_CR = 1; REG({AT:#x}) = 1; OUT[0] = FLASH_SR >> 16; }}", "STM32G0B1RE"
    )
    finish(twin)
    assert out(twin) == 4


def test_l5_secure_registers_are_out_of_reach() -> None:
    """RM0438 6.9.3: with TZEN = 0."""
    with pytest.raises(TwinError, match="SECKEYR written with TZEN = 0"):
        twin_of("void main_(void) { REG(0x4002200c) = 0x45670123; }", "STM32L562QE").run(seconds=0.01)


def test_l5_voltage_ranges() -> None:
    """RM0438 8.2.3: range 2 after a reset; VOSF while the regulator goes up, and until then the old limit."""
    twin = twin_of(
        "void main_(void) { RCC_UARTENR |= 1u << 28; (void)RCC_UARTENR; OUT[0] = PWR_CR1; PWR_CR1 = 0;"
        " OUT[1] = PWR_SR2 >> 10 & 1; while (PWR_SR2 & 1u << 10) {} OUT[2] = PWR_SR1; FLASH_ACR = 2;"
        f" {_MSI_48} OUT[3] = 1; }}",
        "STM32L562QE",
    )
    finish(twin)
    assert [out(twin, i) for i in range(4)] == [0x400, 1, 0x8000, 1]


def test_l5_pg12_needs_vddio2() -> None:
    """RM0438 8.1.4: PG2 to PG15 are dead until IOSV says that VDDIO2 is there."""
    twin = twin_of("void main_(void) { RCC_UARTENR |= 1u << 28; (void)RCC_UARTENR; OUT[0] = 1; }", "STM32L562QE")
    finish(twin)
    assert not twin.pins.supplied("PG12")
    assert twin.pins.supplied("PG1")
    twin = twin_of("void main_(void) { RCC_UARTENR |= 1u << 28; (void)RCC_UARTENR; PWR_CR2 = 1u << 9; }", "STM32L562QE")
    finish(twin)
    assert twin.pins.supplied("PG12")


@pytest.mark.parametrize("change", ["RCC_CR = 0x63 | 0xb8; RCC_CR = 0x63 | 0x98;", "RCC_CR = 0x63 | 0xc8;"])
def test_wl_msi_range(change: str) -> None:
    """RM0453 7.4.1: the range changes only while MSIRDY is 1 (or MSION 0), and ends at 11."""
    with pytest.raises(TwinError, match="MSIRANGE"):
        twin_of(f"void main_(void) {{ FLASH_ACR = 2; {change} }}", "STM32WL55JC").run(seconds=0.01)
