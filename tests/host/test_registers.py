"""Every register offset and bit that drivers and models use, against the vendor's descriptions in chips/ip.

Drivers: a name FLASH_CR_PG in a C file is a macro generated from the facts, so it only has to exist for each IP
version that the file serves; a number of its own is listed in OWN and compared.  Models: the offsets come from the
facts, names of registers and fields have to be known to them, and numbers of their own are compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spboot import boards, chips
from spboot.boards import Board
from spboot.builder import headers
from spboot.builder.drivers import drivers
from spboot.formats.spec import data_path
from spboot.twin import models
from spboot.twin.flash import l4
from spboot.twin.flash.f4 import FlashF4

DRIVER = data_path("firmware") / "driver"
DRIVERS = drivers().ip
IPS = Path(chips.__file__).parent / "ip"
OWN_REGISTERS = {
    "write_BRR",
    "write_KEYR",
    "read_KEYR",
    "write_OPTKEYR",
    "read_SR",
    "write_SR",
    "write_CR",
    "write_NSCR",
}
"""Handlers of registers that the facts lack (GPIO BRR, RM0351 8.4.11; RNG NSCR, RM0456 48.7.4), or that L5 has under
another name."""
PREFIX = {
    "flash": "FLASH",
    "rcc": "RCC",
    "pwr": "PWR",
    "iwdg": "IWDG",
    "wwdg": "WWDG",
    "usart": "USART",
    "lpuart": "USART",
    "gpio": "GPIO",
    "quadspi": "QUADSPI",
    "octospi": "OCTOSPI",
    "octospim": "OCTOSPIM",
}
USED = re.compile(r"(?<![A-Za-z0-9_])((?:FLASH|RCC|PWR|IWDG|USART|GPIO|QUADSPI|OCTOSPI)_[A-Za-z0-9_]+)")
BITS = {
    ("flash_l4", "CR"): {"PG": 0, "PER": 1, "MER0": 2, "BKER": 11, "MER1": 15, "START": 16, "EOPIE": 24, "LOCK": 31},
    ("flash_l4", "SR"): {"EOP": 0, "PROGERR": 3, "WRPERR": 4, "PGAERR": 5, "SIZERR": 6, "PGSERR": 7, "BSY": 16},
    ("flash_l4", "ECCR"): {"BK_ECC": 19, "ECCC": 30, "ECCD": 31},
    ("flash_g0x1", "CR"): {"PG": 0, "PER": 1, "BKER": 13, "STRT": 16, "LOCK": 31},
    ("flash_g0x1", "SR"): {"BSY": 16, "BSY2": 17, "CFGBSY": 18},
    **{
        (ip, "CR"): {"PG": 0, "PER": 1, "MER1": 2, "PNB": 3, "STRT": 16, "FSTPG": 18, "EOPIE": 24, "LOCK": 31}
        for ip in ("flash_g4c2", "flash_g4c3", "flash_g4c4")
    },
    ("flash_g4c3", "OPTR"): {"BFB2": 20, "DBANK": 22},
    ("flash_g4c3", "ECCR"): {"ADDR_ECC": 0, "BK_ECC": 21, "ECCIE": 24, "ECCC": 30, "ECCD": 31},
    ("flash_wl", "SR"): {"BSY": 16, "CFGBSY": 18, "PESD": 19},
    ("flash_l5", "NSCR"): {"NSPG": 0, "NSPER": 1, "NSBKER": 11, "NSSTRT": 16, "NSLOCK": 31},
    ("flash_l5", "OPTR"): {"DB256K": 21, "DBANK": 22, "TZEN": 31},
    ("flash_l0", "PECR"): {"PELOCK": 0, "PRGLOCK": 1, "PROG": 3, "ERASE": 9, "FPRG": 10},
    ("flash_l0", "SR"): {"BSY": 0, "EOP": 1, "WRPERR": 8, "PGAERR": 9, "SIZERR": 10, "NOTZEROERR": 16, "FWWERR": 17},
    ("pwr_l4", "CR1"): {"DBP": 8, "VOS": 9, "LPR": 14},
    ("pwr_l4", "SR2"): {"VOSF": 10},
    ("pwr_l4", "CR2"): {"IOSV": 9},
    ("pwr_l5", "CR1"): {"DBP": 8, "VOS": 9, "LPR": 14},
    ("pwr_l5", "SR2"): {"VOSF": 10},
    ("pwr_g0", "CR1"): {"DBP": 8, "VOS": 9, "LPR": 14},
    ("pwr_g4", "CR1"): {"DBP": 8, "VOS": 9, "LPR": 14},
    ("pwr_g4", "SR2"): {"VOSF": 10},
    ("pwr_g4", "CR5"): {"R1MODE": 8},
    ("pwr_wl5", "CR1"): {"DBP": 8, "VOS": 9, "LPR": 14},
    ("pwr_l0", "CR"): {"DBP": 8, "VOS": 11},
    ("pwr_l0", "CSR"): {"VOSF": 4, "EWUP1": 8},
    ("rcc_l4", "CR"): {"MSION": 0, "MSIRGSEL": 3, "MSIRANGE": 4},
    ("rcc_g4", "CR"): {"HSION": 8, "HSIRDY": 10, "HSEON": 16, "PLLON": 24, "PLLRDY": 25},
    ("rcc_g4", "CSR"): {"LSION": 0, "LSIRDY": 1, "RMVF": 23},
    ("rcc_g4", "BDCR"): {"LSEON": 0, "LSERDY": 1, "BDRST": 16},
    ("rcc_wl5", "CR"): {"MSION": 0, "MSIRGSEL": 3, "MSIRANGE": 4},
    ("rcc_l4", "CSR"): {"LSION": 0, "LSIRDY": 1, "MSISRANGE": 8, "RMVF": 23},
    ("rcc_l4", "BDCR"): {"LSEON": 0, "LSERDY": 1, "BDRST": 16},
    **{
        (ip, "CR1"): {
            "UE": 0, "RE": 2, "TE": 3, "IDLEIE": 4, "RXNEIE": 5, "TCIE": 6, "TXEIE": 7, "PCE": 10, "M0": 12, "M1": 28,
        }
        for ip in ("usart_v3", "usart_v4", "lpuart_v3", "lpuart_v4")
    },
    **{
        (ip, "ISR"): {"ORE": 3, "IDLE": 4, "RXNE": 5, "TC": 6, "TXE": 7, "BUSY": 16, "TEACK": 21, "REACK": 22}
        for ip in ("usart_v3", "usart_v4", "lpuart_v3", "lpuart_v4")
    },
}  # fmt: skip
"""(IP version, register) -> lowest bits that models have as numbers of their own."""
OWN = {"flash_l4.c": {"DBANK"}}
OF_THE_CORE = {"cache_m7.c": {"DC", "IC"}, "flash_h7.c": {"BFHFNMIGN"}}
OF_THE_CORE["window_m7.c"] = {"NEVER_RUN", "WRITE_THROUGH"}
"""Bits of the Cortex-M's own registers, which are in no part's facts (DDI0403 B3.2, B3.5)."""
OWN_OFFSETS = {"flash_g0.c": {"ECC2R_OFF"}}
"""Numbers of register bits that a driver has of its own, because the facts lack them: RM0432 3.7.8, OPTR bit 22; RM0454
3.7.7, ECC2R."""


def known(ip: str) -> set[str]:
    """All names that the build generates for *ip*."""
    lines = headers._register_lines(PREFIX[ip.split("_")[0]], ip)
    return {line.split()[1] for line in lines}


@pytest.mark.parametrize("ip", sorted(DRIVERS))
def test_drivers_use_only_names_of_the_facts(ip: str) -> None:
    """Names of its own block; those of other blocks are of the same part and checked by the compiler for each board."""
    block = PREFIX[ip.split("_")[0]]
    names = known(ip) | {f"{block}_BASE"}
    for file in DRIVERS[ip] or (f"{block.lower()}.h",):
        text = re.sub(r"/\*.*?\*/", "", (DRIVER / file).read_text(), flags=re.S)
        for name in USED.findall(text):
            if name.startswith(f"{block}_"):
                assert name in names, f"{file}: {ip} has no {name}"


@pytest.mark.parametrize("file", sorted(path.name for path in DRIVER.glob("*.c")))
def test_drivers_have_no_offsets_or_bits_of_their_own(file: str) -> None:
    """`1u << n` with a number, and offsets added to a base as numbers, would be such."""
    text = re.sub(r"/\*.*?\*/", "", (DRIVER / file).read_text(), flags=re.S)
    found = set(re.findall(r"#define (\w+) \(1u << \d+\)", text))
    assert found == OWN.get(file, set()) | OF_THE_CORE.get(file, set())
    assert not re.search(r"_BASE \+ (0x)?\d", text)
    assert set(re.findall(r"#define (\w+_OFF) ", text)) == OWN_OFFSETS.get(file, set())


def test_g0x0_has_the_second_ecc_register_where_the_g0x1_has_it() -> None:
    assert chips.registers("flash_g0x1")["ECCR2"].offset == 0x1C
    assert "ECC2R_OFF 0x1Cu" in (DRIVER / "flash_g0.c").read_text()


def test_l4plus_dbank_is_where_the_l5_has_it() -> None:
    """The one bit the facts lack: the model has it at the same place as the driver, and as the relative."""
    assert "DBANK (1u << 22)" in (DRIVER / "flash_l4.c").read_text()
    assert l4._DBANK == 1 << chips.registers("flash_l5")["OPTR"].fields["DBANK"][0] == 1 << 22


@pytest.mark.parametrize(("place", "bits"), BITS.items(), ids=lambda v: "-".join(v) if isinstance(v, tuple) else "")
def test_numbers_in_models(place: tuple[str, str], bits: dict[str, int]) -> None:
    fields = chips.registers(place[0])[place[1]].fields
    assert {name: fields[name][0] for name in bits} == bits


def test_usart_cr3_of_the_models() -> None:
    """EIE, DMAR and DMAT, OVRDIS as usart_v3.py has them."""
    for ip in ("usart_v3", "usart_v4"):
        fields = chips.registers(ip)["CR3"].fields
        assert [fields[name][0] for name in ("EIE", "DMAR", "DMAT", "OVRDIS")] == [0, 6, 7, 12]
        assert (chips.registers(ip)["RDR"].offset, chips.registers(ip)["BRR"].offset) == (0x24, 0xC)


@pytest.mark.parametrize("ip", sorted(set(models.MODELS) & {path.stem for path in IPS.glob("*.json")}))
def test_models_name_only_registers_of_the_facts(ip: str) -> None:
    """Reset values, read-only registers and handlers read_REG, write_REG are of registers that the facts have."""
    model, registers = models.MODELS[ip], chips.registers(ip)
    mine = set(model.RESET) | set(model.READ_ONLY)
    block = ip.split("_")[0]
    names = set().union(*(chips.registers(path.stem) for path in IPS.glob(f"{block}_*.json")))
    for name in mine:
        assert name in names, f"{model.__name__} of {ip}: no register {name}"
    for attribute in vars(model):
        verb, _, register = attribute.partition("_")
        if verb in ("read", "write") and register.isupper():
            assert register in names or attribute in OWN_REGISTERS, f"{model.__name__}.{attribute}"
    assert registers


@pytest.mark.parametrize("name", boards.names())
def test_reset_values_have_no_bits_that_no_field_has(name: str) -> None:
    """Enable registers of the clock tree: a bit that is set after a reset is a field's."""
    chip = Board.load(name).chip
    rcc = chip.block("RCC").ip
    if rcc not in models.MODELS:
        pytest.skip(f"no model of {rcc}")
    registers = chips.registers(rcc)
    for register, value in models.MODELS[rcc].RESET.items():
        if not register.endswith(("ENR", "ENR1", "ENR2")) or "SM" in register:
            continue
        mask = 0
        for low, width in registers[register].fields.values():
            mask |= ((1 << width) - 1) << low
        assert value & ~mask == 0, register


def test_latency_fields_hold_the_wait_states() -> None:
    """As many bits in ACR.LATENCY as the tables of the models have columns."""
    for ip in ("flash_l4", "flash_g0x1", "flash_g4c3", "flash_wl", "flash_l5", "flash_l0"):
        _, width = chips.registers(ip)["ACR"].fields["LATENCY"]
        assert max(len(row) for row in models.MODELS[ip].LATENCY_MHZ.values()) <= 1 << width  # type: ignore[attr-defined]
    assert FlashF4 is models.MODELS["flash_f4"]
