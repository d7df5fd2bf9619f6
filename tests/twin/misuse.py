"""The table of misuse: nine kinds of it on each family, and what the manual says comes of it.

A row is a kind, a column a family.  A field is one Case or more, or the reason why there is none.  In its code AT is
an erased place, MIDDLE the first address of bank 2, END the first one behind flash; `unlock();` comes first in all rows
but the first.  STM32L4 and its relatives have one controller, so that their fields are alike: `ecc()`.

*of* says where the manual has it: a section, or a register's description by the register's name where sections
differ by revision.  Where a manual is silent the twin stops and says so: it invents no flag."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin

from .conftest import finish, out, twin_of


@dataclass(frozen=True, kw_only=True)
class Family:
    """A column: the part that stands for it, its manual, where AT is, and how the flags are read."""

    part: str
    manual: str
    at: int
    status: str
    erased: int = 0xFF


FAMILIES = {
    "L0": Family(part="STM32L073RZ", manual="RM0367", at=0x08020000, status="FLASH_SR & 0x3ff02", erased=0),
    "L4": Family(part="STM32L476RG", manual="RM0351", at=0x08010000, status="FLASH_SR & 0xffff"),
    "L4+": Family(part="STM32L4R9AI", manual="RM0432", at=0x08010000, status="FLASH_SR & 0xffff"),
    "L5": Family(part="STM32L562QE", manual="RM0438", at=0x08010000, status="FLASH_SR & 0xffff"),
    "G0": Family(part="STM32G0B1RE", manual="RM0444", at=0x08010000, status="FLASH_SR & 0xffff"),
    "G4": Family(part="STM32G474RE", manual="RM0440", at=0x08010000, status="FLASH_SR & 0xffff"),
    "WL": Family(part="STM32WL55JC", manual="RM0453", at=0x08010000, status="FLASH_SR & 0xffff"),
    "F4": Family(part="STM32F429ZI", manual="RM0090", at=0x08180000, status="FLASH_SR & 0xffff"),
    "F7": Family(part="STM32F769NI", manual="RM0410", at=0x08180000, status="FLASH_SR & 0xffff"),
    "H7": Family(
        part="STM32H745XI",
        manual="RM0399",
        at=0x08180000,
        status="({ while ((FLASH_SR1 | FLASH_SR2) & 5) {} FLASH_SR1 | FLASH_SR2; })",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """*code* is run; then the flags are *flags*, or the twin stopped with *refused*, or the access to *fault* faulted.
    *before* is put at AT first, *after* stands there at the end (all in hex; without it, what stood there before)."""

    code: str
    of: str
    flags: int = 0
    refused: str = ""
    fault: str = ""
    before: str = ""
    after: str = ""
    part: str = ""
    """Another part than the family's."""


Field = tuple[Case, ...] | str
EXCEPTION = "hard"
"""A *fault* that has no address: the core raises it itself."""
ECC = {"L4": ("3.3.5", "3.3.6", "3.3.7"), "L4+": ("3.3.5", "3.3.6", "3.3.7"), "L5": ("6.3.5", "6.3.6", "6.3.7"),
       "G0": ("3.3.6", "3.3.7", "3.3.8"), "G4": ("3.3.5", "3.3.6", "3.3.7"),
       "WL": ("4.3.7", "4.3.8", "4.3.9")}  # fmt: skip
"""Sections of the families with double words: unlocking, erase, programming."""
PROGERR, PGAERR, SIZERR, PGSERR = 8, 32, 64, 128
L0_WRPERR, L0_PGAERR, L0_SIZERR, L0_NOTZEROERR = 1 << 8, 1 << 9, 1 << 10, 1 << 16
F_PGPERR, F_PGSERR = 0x40, 0x80
H7_WBNE, H7_PGSERR, H7_STRBERR, H7_INCERR, H7_DBECCERR = 2, 1 << 18, 1 << 19, 1 << 21, 1 << 26


def case(code: str, of: str, flags: int = 0, after: str = "", *, before: str = "", part: str = "") -> Case:
    """One that ends with flags."""
    return Case(code=code, of=of, flags=flags, after=after, before=before, part=part)


def stops(code: str, of: str, refused: str, part: str = "") -> Case:
    """One that the twin refuses to go on with."""
    return Case(code=code, of=of, refused=refused, part=part)


def ecc(topic: int, *cases: tuple[str, int, str], before: str = "") -> dict[str, Field]:
    """The same fields for all families with double words: code, flags, cells; *topic* is a place in ECC."""
    return {
        name: tuple(case(code, of[topic], flags, after, before=before) for code, flags, after in cases)
        for name, of in ECC.items()
    }


def sector_based(*cases: tuple[str, str, str, int, str], before: str = "") -> dict[str, Field]:
    """The same fields for F4 and F7: code, section of RM0090, of RM0410, flags, cells."""
    return {
        "F4": tuple(case(code, f4, flags, after, before=before) for code, f4, _, flags, after in cases),
        "F7": tuple(case(code, f7, flags, after, before=before) for code, _, f7, flags, after in cases),
    }


def with_more(row: dict[str, Field], more: dict[str, Case]) -> dict[str, Field]:
    """*row* with a further case in some columns."""
    return row | {name: (*row[name], extra) for name, extra in more.items()}


TABLE: dict[str, dict[str, Field]] = {
    "program without unlock": {
        **with_more(
            ecc(2, ("REG(AT) = 1;", PGSERR, "")),
            {name: stops("FLASH_CR = 1;", of[0], "written .* while locked.*FLASH_KEYR") for name, of in ECC.items()},
        ),
        "L0": (
            case("REG(AT) = 1;", "3.3.4", L0_WRPERR),
            case("FLASH_PEKEYR = 0x89abcdef; FLASH_PEKEYR = 0x02030405; REG(AT) = 1;", "3.3.4", L0_WRPERR),
            stops("FLASH_PECR = PROG;", "3.3.4", "FLASH_PECR written .* while PELOCK.*FLASH_PEKEYR"),
        ),
        **with_more(
            sector_based(("REG(AT) = 0;", "FLASH_SR", "FLASH_SR", F_PGSERR, "")),
            {"F4": stops("FLASH_CR = 1;", "3.6.1", "FLASH_CR written .* while locked.*FLASH_KEYR"),
             "F7": stops("FLASH_CR = 1;", "3.3.4", "FLASH_CR written .* while locked.*FLASH_KEYR")},
        ),
        "H7": (
            case("REG(AT) = 0;", "4.7.3", H7_PGSERR),
            stops("FLASH_CR2 = 2 | X64;", "4.5.1", "FLASH_CR2 written .* while locked.*FLASH_KEYR2"),
            stops("FLASH_KEYR1 = 0x45670123; FLASH_KEYR1 = 0xcdef89ab; FLASH_CR2 = 2 | X64;", "4.5.1", "FLASH_KEYR2"),
        ),
    },
    "wrong width": {
        **ecc(2, ("FLASH_CR = 1; BYTE(AT) = 1;", SIZERR, ""), ("FLASH_CR = 1; HALF(AT) = 1;", SIZERR, "")),
        "L0": (
            case("BYTE(AT) = 1;", "FLASH_SR", L0_SIZERR),
            case("HALF(AT) = 1;", "FLASH_SR", L0_SIZERR),
        ),
        **sector_based(
            ("FLASH_CR = 1 | X32; BYTE(AT) = 0;", "3.6.4", "3.3.7", F_PGPERR, ""),
            ("FLASH_CR = 1 | X32; HALF(AT) = 0;", "3.6.4", "3.3.7", F_PGPERR, ""),
            ("FLASH_CR = 1 | X8; HALF(AT) = 0;", "3.6.4", "3.3.7", F_PGPERR, ""),
            ("FLASH_CR = 1 | X8; REG(AT) = 0;", "3.6.4", "3.3.7", F_PGPERR, ""),
        ),
        "H7": (  # no width is wrong; bytes gather until the word of 32 is whole
            case("FLASH_CR2 = 2 | X64; BYTE(AT) = 0;", "4.3.9", H7_WBNE),
            case("FLASH_CR2 = 2 | X64; for (int i = 0; i < 32; i++) BYTE(AT + i) = i;", "4.3.9", 0, "0001020304050607"),
        ),
    },
    "non-erased unit": {
        **ecc(2, ("program(AT, 3, 4);", PROGERR, ""), before="feffffffffffffff"),
        "L0": (
            case("program(AT, 3);", "3.3.4", L0_NOTZEROERR, before="0100000000000000"),
            case("program(AT, 2);", "3.3.4", L0_NOTZEROERR, "03000000", before="01000000", part="STM32L051C8"),
        ),
        **sector_based(("program(AT, 0xff00ff00);", "3.6.4", "3.3.7", 0, "00f0000f"), before="0ff0ff0f"),
        "H7": (case("program(AT, 0x0f);", "4.3.9", 0, "0e0000000f000000", before="feffffffffffffff"),),
    },
    "misaligned": {
        **with_more(
            ecc(
                2,
                ("FLASH_CR = 1; REG(AT + 4) = 1;", PGAERR, ""),
                ("FLASH_CR = 1; REG(AT) = 1; REG(AT + 12) = 1;", PGAERR, ""),
            ),
            {
                **{name: case("FLASH_CR = 1; REG(AT + 2) = 1;", of[2], SIZERR | PGSERR) for name, of in ECC.items()},
                "G0": Case(code="FLASH_CR = 1; REG(AT + 2) = 1;", of="PM0223 2.3.4", fault=EXCEPTION),
            },
        ),
        "L0": (
            Case(code="REG(AT + 2) = 1;", of="PM0223 2.3.4", fault=EXCEPTION),
            case("half_page(AT + 4, 1, 4);", "FLASH_SR", L0_PGAERR),
            case("half_page(AT, 9, 8);", "FLASH_SR", L0_PGAERR),
        ),
        **sector_based(("FLASH_CR = 1 | X32; REG(AT + 2) = 0;", "3.6.4", "3.3.7", F_PGPERR, "")),
        "H7": (
            case("FLASH_CR2 = 2 | X64; for (int i = 0; i < 32; i += 4) REG(AT + 16 + i) = 0;", "4.7.5",
                 H7_INCERR | H7_PGSERR),
        ),
    },
    "second program of an ECC unit": {
        **ecc(
            2,
            ("program(AT, 1, 2); program(AT, 1, 0);", PROGERR, "0100000002000000"),
            ("program(AT, 1, 2); program(AT, ~0u, ~0u);", PROGERR, "0100000002000000"),
            ("program(AT, 1, 2); program(AT, 0, 0);", 0, "0000000000000000"),
        ),
        "L0": (
            case("program(AT, 1); program(AT, 3);", "3.3.4", L0_NOTZEROERR, "01000000"),
            case("program(AT, 1); program(AT, 0);", "3.3.4", L0_NOTZEROERR, "01000000"),
        ),
        "F4": "no ECC (RM0090 3.2); bits go from 1 to 0 by any number of programs (3.6.4): see non-erased unit",
        "F7": "no ECC (RM0410 3.2); bits go from 1 to 0 by any number of programs (3.3.7): see non-erased unit",
        "H7": (
            case("program(AT, 0xff); program(AT, 0x0f);", "4.3.9", 0, "0f0000000f000000"),
            case("program(AT, 0xff); program(AT, 0x0f); probe(AT);", "4.7.7", H7_DBECCERR, "0f0000000f000000"),
            case("FLASH_CR2 = 2 | X64; REG(AT) = 0; REG(AT) = 0;", "4.7.4", H7_WBNE | H7_STRBERR),
        ),
    },
    "clock off": {
        **{name: (stops("UART_CR1 = 1;", f"RCC_{enable}", "clock of USART2 is off"),
                  stops("REG(PORTA) = 0;", f"RCC_{port}", "GPIOA_MODER accessed while the clock"))
           for name, enable, port in (("L4", "APB1ENR1", "AHB2ENR"), ("L4+", "APB1ENR1", "AHB2ENR"),
                                      ("L5", "APB1ENR1", "AHB2ENR"), ("G0", "APBENR1", "IOPENR"),
                                      ("G4", "APB1ENR1", "AHB2ENR"), ("WL", "APB1ENR1", "AHB2ENR"))},
        "L0": (stops("USART2_CR1 = 1;", "RCC_APB1ENR", "clock of USART2 is off.*bit 17 of RCC_APB1ENR"),
               stops("GPIOA_MODER = 0;", "RCC_IOPENR", "GPIOA_MODER accessed while the clock")),
        "F4": (stops("USART3_CR1 = 1;", "RCC_APB1ENR", "clock of USART3 is off.*bit 18 of RCC_APB1ENR"),
               stops("GPIOA_MODER = 0;", "RCC_AHB1ENR", "GPIOA_MODER accessed while the clock")),
        "F7": (stops("USART1_CR1 = 1;", "RCC_APB2ENR", "clock of USART1 is off.*bit 4 of RCC_APB2ENR"),
               stops("GPIOA_MODER = 0;", "RCC_AHB1ENR", "GPIOA_MODER accessed while the clock")),
        "H7": (stops("USART3_CR1 = 1;", "RCC_APB1LENR", "clock of USART3 is off.*bit 18 of RCC_APB1LENR"),
               stops("GPIOA_MODER = 0;", "RCC_AHB4ENR", "GPIOA_MODER accessed while the clock")),
    },
    "access above memory": {
        name: tuple(Case(code=code, of=of, fault="END") for code in ("REG(END) = 0;", "OUT[1] = REG(END);"))
        for name, of in (("L0", "2.2.2"), ("L4", "2.2.2"), ("L4+", "2.2.2"), ("L5", "2.3.2"), ("G0", "2.2.2"),
                         ("G4", "2.2.2"), ("WL", "2.6.2"), ("F4", "2.3"), ("F7", "2.2.2"), ("H7", "2.3.2"))
    },
    "bank crossing": {
        **ecc(2, ("FLASH_CR = 1; REG(MIDDLE - 8) = 1; REG(MIDDLE) = 1;", PGAERR, "")),
        "WL": "one bank (RM0453 4.3.1)",
        "L0": (case("half_page(MIDDLE - 64, 9, 8);", "FLASH_SR", L0_PGAERR),),
        "F4": (case("FLASH_CR = 1 | X32; REG(MIDDLE - 2) = 0;", "3.6.4", F_PGPERR),),
        "F7": "shipped as one bank, nDBANK = 1 (RM0410 3.3.1)",
        "H7": (  # each bank has a buffer of its own: what waits in one is not touched by a word of the other
            case("FLASH_CR1 = FLASH_CR2 = 2 | X64; for (int i = 0; i < 16; i += 4) REG(MIDDLE - 32 + i) = 0;"
                 " for (int i = 0; i < 16; i += 4) REG(MIDDLE + i) = 0; FLASH_CR2 = X64;", "4.3.9", H7_WBNE),
            case("FLASH_CR1 = 2 | X64; for (int i = 0; i < 32; i += 4) REG(MIDDLE - 16 + i) = 0;", "4.7.3",
                 H7_WBNE | H7_PGSERR),
        ),
    },
    "wrong sector number": {
        "L4": (stops("erase(0, 64);", "FLASH_CR", "page 64 of bank 1, which does not exist", "STM32L476RC"),
               stops("erase(1, 0);", "FLASH_CR", "page 0 of bank 2, which does not exist", "STM32L452RE")),
        "L4+": (stops("erase(0, 64);", "FLASH_CR", "page 64 of bank 1, which does not exist", "STM32L4P5RE"),),
        "L5": (stops("erase(1, 64);", "FLASH_NSCR", "page 64 of bank 2, which does not exist", "STM32L552CC"),),
        "G0": (stops("erase(0, 128);", "FLASH_CR", "page 128 of bank 1, which does not exist"),),
        "G4": (stops("erase(0, 64);", "FLASH_CR", "page 64 of bank 1, which does not exist", "STM32G474RC"),
               stops("erase(1, 32);", "FLASH_CR", "page 32 of bank 2, which does not exist", "STM32G474CB"),
               stops("erase(0, 64);", "FLASH_CR", "page 64 of bank 1, which does not exist", "STM32G431RB"),
               stops("erase(0, 128);", "FLASH_CR", "page 128 of bank 1, which does not exist", "STM32G491RC")),
        "WL": (stops("erase(0, 128);", "FLASH_CR", "page 128 of bank 1, which does not exist"),),
        "L0": "a page is chosen by an address in it (RM0367 3.3.4): see access above memory",
        "F4": (stops("erase(12);", "FLASH_CR", "SNB = 12, which does not exist"),
               stops("erase(28);", "FLASH_CR", "SNB = 28, which does not exist")),
        "F7": (stops("erase(12);", "FLASH_CR", "SNB = 12, which does not exist"),),
        "H7": (stops("erase(4);", "FLASH_CR1", "erase of sector 4, a bank has 4", "STM32H743VG"),),
    },
}  # fmt: skip

OTHER: dict[str, dict[str, Field]] = {
    "sequence": {
        **ecc(
            2,
            ("FLASH_CR = 3; REG(AT) = 1;", PGSERR, ""),
            ("FLASH_CR = 0x10003;", PGSERR, ""),
            ("program(AT, 1, 2); program(AT, 1, 0); program(AT + 8, 1, 0);", PROGERR | PGSERR, "0100000002000000"),
            ("program(AT, 1, 2); program(AT, 1, 0); FLASH_SR = 8; program(AT + 8, 1, 0);", 0, "0100000002000000"),
            ("FLASH_CR = 1u << 24 | 1; REG(AT) = 1; REG(AT + 4) = 1; while (!(FLASH_SR & 1)) {}", 1, "01000000"),
        ),
        "L0": (
            case("program(AT, 1);", "3.3.4", 0, "01000000"),
            case("REG(AT) = 1; erase(AT + 0x40);", "3.3.4", 0, "00000000"),
            case("half_page(AT + 0x40, 16, 4);", "3.3.4"),
            case("half_page(AT + 0x40, 16, 0);", "3.3.4"),
            case("FLASH_PECR = PROG | FPRG; REG(AT) = 1;", "3.3.4", 1 << 17),
            case("program(AT + 0x7c, 1); half_page(AT + 0x40, 16, 4);", "3.3.4", L0_NOTZEROERR),
            case("BYTE(AT) = 1; FLASH_SR = 1u << 10;", "FLASH_SR"),
        ),
        **with_more(
            sector_based(
                ("FLASH_CR = 3 | X32; REG(AT) = 0;", "FLASH_SR", "FLASH_SR", F_PGSERR, ""),
                ("FLASH_CR = 0x10006 | X32;", "3.6.3", "3.3.6", F_PGSERR, ""),
                ("REG(AT) = 0; FLASH_SR = 0x80;", "FLASH_SR", "FLASH_SR", 0, ""),
                ("REG(AT) = 0; program(AT, 7);", "FLASH_SR", "FLASH_SR", F_PGSERR, "07000000"),
                ("FLASH_CR = 1u << 25; REG(AT) = 0;", "FLASH_SR", "FLASH_SR", F_PGSERR | 2, ""),
                ("program(AT, 1);", "FLASH_SR", "FLASH_SR", 0, "01000000"),
                ("FLASH_CR = 1u << 24 | 1 | X32; REG(AT) = 1; while (!(FLASH_SR & 1)) {}", "FLASH_SR", "FLASH_SR", 1,
                 "01000000"),
                ("FLASH_CR = 1 | X16; HALF(AT) = 7;", "3.6.2", "3.3.5", 0, "0700ffff"),
            ),
            {"F4": case("FLASH_CR = 1 | X8; BYTE(AT + 3) = 7;", "3.6.2", 0, "ffffff07")},
        ),
        "H7": (
            case("FLASH_CR2 = 2 | X64; REG(AT) = 0; REG(AT + 32) = 0;", "4.7.5", H7_INCERR),
            case("FLASH_CR2 = 2 | X64; REG(AT) = 0; REG(AT + 32) = 0; FLASH_CCR2 = 1u << 21; program(AT, 7);",
                 "4.7.5", 0, "07"),
            case("FLASH_CR2 = X64; REG(AT) = 0; program(AT, 7);", "4.7.3", H7_PGSERR),
            case("FLASH_CR2 = X64; REG(AT) = 0; FLASH_CCR2 = 1u << 18; program(AT, 7);", "4.7.3", 0, "07"),
            case("FLASH_CR2 = 2 | X64; REG(AT) = 5; REG(AT) = 7; for (int i = 4; i < 32; i += 4) REG(AT + i) = 0;",
                 "4.7.4", H7_STRBERR, "07"),
            case("FLASH_CR2 = 2 | X64; for (int i = 0; i < 28; i += 4) REG(AT + i) = 0;", "4.3.9", H7_WBNE),
            case("FLASH_CR2 = 2 | X64; REG(AT) = 5; FLASH_CR2 = 0x42 | X64;", "4.3.9", 0, "05000000ffffffff"),
            case("FLASH_CR2 = 2 | X64; REG(AT) = ~0u; FLASH_CR2 = 0x42 | X64;", "4.3.9", H7_WBNE),
            case("FLASH_CR2 = 2 | X64; REG(AT) = 5; FLASH_CR2 = X64;", "FLASH_CR1"),
            case("FLASH_CR2 = 2 | X64; FLASH_CR2 = 0x86 | 5 << 8 | X64;", "FLASH_CR1"),
            stops("FLASH_CR2 = 0x80 | X64;", "4.3.10", "[Ss]et SER or BER"),
        ),
    },
    "control register while CFGBSY": {
        "G0": (Case(code="FLASH_CR = 1; REG(AT) = 1; FLASH_CR = 0;", of="3.7.5", fault=EXCEPTION),),
        "WL": (stops("FLASH_CR = 1; REG(AT) = 1; FLASH_CR = 0;", "FLASH_CR", "written while CFGBSY"),),
    },
}  # fmt: skip
"""What the flags do beside the nine kinds; here a field may be missing."""

PROBE = """static void probe(uint32_t address)
{ REG(0xe000ed14) |= 0x100; __asm volatile("cpsid f");
    (void)REG(address); __asm volatile("dsb"); SCB_CFSR = ~0u;
    REG(0xe000ed14) &= ~0x100u; __asm volatile("cpsie f"); }"""


def check(name: str, case: Case, *, locked: bool = False) -> None:
    """Run *case* on family *name* and compare what comes of it; *locked*: without unlocking first."""
    family = FAMILIES[name]
    part = case.part or family.part
    bare = Twin(part).flash
    middle = bare.address + bare.bank_size
    places = {
        "AT": family.at if not case.part else bare.address + 0x8000,
        "MIDDLE": middle,
        "END": bare.address + bare.size,
    }
    defines = "".join(f"#define {word} {value:#x}u\n" for word, value in places.items())
    unlock = "" if locked else "unlock();"
    twin = twin_of(
        f"{defines}{PROBE if name == 'H7' else ''}\nvoid hard(void) {{ OUT[2] = 7; for (;;) {{}} }}\n"
        f'void main_(void) {{ {unlock} {case.code} __asm volatile("dsb"); OUT[0] = {family.status};'
        " for (volatile int i = 0; i < 99; i++) {} }",
        part,
    )
    before = bytes.fromhex(case.before) or bytes([family.erased]) * 8
    twin.flash_load(places["AT"], before)
    if case.refused:
        with pytest.raises(TwinError, match=case.refused) as caught:
            twin.run(seconds=3)
        assert "PC 0x0800" in str(caught.value)
    elif case.fault:
        twin.run(seconds=0.01)
        assert out(twin, 2) == 7
        assert case.fault == EXCEPTION or [fault.address for fault in twin.faults] == [places[case.fault]]
    else:
        finish(twin, 3)
        assert out(twin) == case.flags
        if case.flags & ~3:  # not EOP, WBNE
            assert twin.flash_controller.refusals, "a flag, and no word about it"
    after = bytes.fromhex(case.after) or before
    assert twin.flash_read(places["AT"], len(after)) == after
