"""Flash of pages with ECC on the twin: pages, ECC, clocks and voltages, and what the manual says of them.

The parts are those of table `pages` in tests/families.  They share a flash controller in the manuals' words too; the
sections of each stand beside its part, in the order of RM0351: 3.3.5 unlocking, 3.3.6 erase, 3.3.7 programming, 3.3.9
ECC, 3.7.4 status register, 3.7.5 control register."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from spboot.errors import TwinError
from spboot.twin import Cut, PowerCut, Twin
from tests.families import rows

from .conftest import finish, firmware, out, refuses, twin_of


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
    ecc_unit: int
    blocking: bool = True
    """Error flags keep the next operation from starting."""
    """Bytes that one step of the ECC address is worth."""

    @property
    def end(self) -> int:
        return 0x08000000 + self.banks * self.page * self.pages


_MSI_48 = "RCC_CR = RCC_CR & ~0xf0u | 0xb8;"
FAMILIES = tuple(Family(**row) for row in rows("pages"))
BY_PART = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f"{f.part}-{f.manual.split(' ')[0]}")


def run(family: Family, code: str) -> Twin:
    return twin_of(f"void main_(void) {{ {code} }}", family.part)


REFUSED = {
    "half-a-register": ("unlock(); *(volatile unsigned short *)&FLASH_CR = 1;", "2-byte write to a FLASH register"),
    "no-baud-rate": ("console(0);", "BRR 0x0"),
}


@BY_PART
@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(family: Family, code: str, message: str) -> None:
    refuses(family.part, code, message)


@BY_PART
def test_clock_before_wait_states(family: Family) -> None:
    """3.3.3: the flash is told first."""
    refuses(family.part, family.clock, family.message)


AT = 0x08004000


@BY_PART
def test_pages_and_their_numbers(family: Family) -> None:
    """3.3.6: PNB counts in a bank, BKER selects it; the first and the last page of each, and none of another size."""
    chosen = [(bank, page) for bank in range(family.banks) for page in (0, 9, family.pages - 1)][1:]
    twin = run(family, "unlock(); " + " ".join(f"erase({bank}, {page});" for bank, page in chosen))
    finish(twin, seconds=2)
    base = [0x08000000 + (bank * family.pages + page) * family.page for bank, page in chosen]
    assert [(op.kind, op.address, op.size) for op in twin.log] == [("erase", at, family.page) for at in base]


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
    where = (at - low) // family.ecc_unit
    assert out(twin) & 0x3FFF == where & 0x3FFF
    assert out(twin, 2) == 1


HARMLESS = ("OPERR", "RDERR", "OPTVERR", "OPTWERR")
BLOCKING = ("PROGERR", "WRPERR", "PGAERR", "SIZERR", "PGSERR", "MISERR", "FASTERR")


@BY_PART
def test_which_flags_keep_an_operation_from_starting(family: Family) -> None:
    """3.7.4, PGSERR: those of a programming error; those of option bytes, reads and requests do not."""
    source = firmware(f"void main_(void) {{ unlock(); erase(0, 9); program({AT:#x}, 1, 2); }}", family.part)
    if not family.blocking:
        pytest.skip("no manual says so")
    for names, operations in ((HARMLESS, 2), *(((name,), 0) for name in BLOCKING)):
        twin = Twin(family.part)
        twin.flash_load(0x08000000, source)
        twin.power_on()
        block = twin.blocks["FLASH"]
        register = "NSSR" if "NSSR" in block.registers else "SR"
        prefix = "NS" if "NSPGSERR" in block.fields[register] else ""
        found = [n for name in names for n in (prefix + name, name) if n in block.fields[register]]
        for name in found:
            block.registers[register] |= block.mask(register, name)
        finish(twin, seconds=2)
        assert len(list(twin.log)) == operations or not found, names
        pgserr = block.mask(register, prefix + "PGSERR")
        assert bool(block.registers[register] & pgserr) == (operations == 0 and bool(found)), names


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
