"""Every number of a register that a model has itself,
    against the vendor's descriptions; drivers: test_driver_numbers.py.

All models are read, and no driver or model is forgotten: a number that is not declared here fails, as does one that is
declared and differs.  Names that drivers take from the generated header are the matter of test_registers.py."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from spboot import chips
from spboot.builder.drivers import drivers
from spboot.formats.spec import data_path
from spboot.twin import models
from tests.families import ALL

DRIVER = data_path("firmware") / "driver"
DRIVERS = drivers().ip
TWIN = Path(models.__file__).parent
FOLDERS = ("blocks", "clock", "flash", "power")
"""Of the twin, with the models of blocks of the facts; NVIC, exceptions and caches are of the core (DDI0403)."""


def models_of(name: str) -> list[str]:
    """IP versions whose model's class, or a base of it, is in module *name*."""
    module = importlib.import_module(f"spboot.twin.{name}")
    classes = [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__]
    return [ip for ip, model in models.MODELS.items() if any(issubclass(model, c) for c in classes)]


MODEL_FILES = sorted(f"{folder}.{path.stem}" for folder in FOLDERS for path in (TWIN / folder).glob("[a-z]*.py"))


def path_of(name: str) -> Path:
    return TWIN / f"{name.replace('.', '/')}.py"


def test_every_model_and_every_driver_is_reached() -> None:
    """A file that neither has a register nor is declared free of them is one that nobody compared."""
    named = {base.__module__.removeprefix("spboot.twin.") for model in models.NAMED.values() for base in model.__mro__}
    for name in set(MODEL_FILES) - named:
        assert models_of(name), f"{path_of(name)}: no IP version of MODELS has a class of it"
    assert {model.__module__.removeprefix("spboot.twin.") for model in models.MODELS.values()} <= set(MODEL_FILES)
    served = {file for files in DRIVERS.values() for file in files} | set(drivers().production.values())
    table = drivers()
    of_the_core = {file for by in (table.core, table.external, table.usb) for files in by.values() for file in files}
    always = set(drivers().always)
    assert {path.name for path in DRIVER.glob("*.c")} == served | of_the_core | always


def field(place: str, ip: str) -> tuple[int, int] | None:
    """(lowest bit, mask) of "REG.FIELD", or of the first of "REG.FIELD|OTHER", that *ip* has."""
    register, _, names = place.partition(".")
    fields = chips.registers(ip)[register].fields if register in chips.registers(ip) else {}
    for name in names.split("|"):
        if name in fields:
            low, width = fields[name]
            return low, ((1 << width) - 1) << low
    return None


# The models.  Constants of a module are masks; in functions and class bodies `<< n` and `>> n` are lowest bits, and
# what is masked is fields.  "width": the mask of a field that was shifted down.  A text in brackets says what else a
# number is.

CONSTANTS: dict[str, dict[str, str]] = {
    "blocks.ltdc": {"_LINE": "[LIF]", "_RELOADED": "[RRIF]", "_VECTOR": "[88, of the vector table]"},
    "flash.f4": {
        "_LOCK": "CR.LOCK", "_STRT": "CR.STRT", "_EOPIE": "CR.EOPIE", "_ERRIE": "CR.ERRIE", "_PG": "CR.PG",
            "_SER": "CR.SER",
        "_MER": "CR.MER|MER0", "_MER1": "CR.MER1", "_EOP": "SR.EOP", "_OPERR": "SR.OPERR", "_WRPERR": "SR.WRPERR",
        "_PGPERR": "SR.PGPERR", "_PGSERR": "SR.PGSERR|ERSERR", "_BSY": "SR.BSY",
        "_OPTLOCK": "OPTCR.OPTLOCK", "_OPTSTRT": "OPTCR.OPTSTRT",
    },
    "flash.f7": {"_TWO_BANKS": "[device id]", "_READ_PROTECTED": "[device id]"},
    "flash.h7": {
        "_LOCK": "BANK0_CR.LOCK", "_PG": "BANK0_CR.PG", "_SER": "BANK0_CR.SER", "_BER": "BANK0_CR.BER",
        "_FW": "BANK0_CR.FW", "_START": "BANK0_CR.START", "_BSY": "BANK0_SR.BSY", "_WBNE": "BANK0_SR.WBNE",
        "_QW": "BANK0_SR.QW", "_WRPERR": "BANK1_SR.WRPERR", "_PGSERR": "BANK1_SR.PGSERR",
        "_STRBERR": "BANK1_SR.STRBERR", "_INCERR": "BANK1_SR.INCERR", "_DBECCERR": "BANK1_SR.DBECCERR",
        "_OPERR": "BANK1_SR.OPERR", "_SNECCERR": "BANK0_SR.SNECCERR1", "_WORD": "[bytes]", "_BLOCK": "[bytes]",
    },
    "flash.h7_options": {
        "_OPTLOCK": "OPTCR.OPTLOCK", "_OPTSTART": "OPTCR.OPTSTART", "_MER": "OPTCR.MER",
        "_OPTCHANGEERRIE": "OPTCR.OPTCHANGEERRIE", "_SWAP_BANK": "OPTCR.SWAP_BANK", "_OPT_BUSY": "OPTSR_CUR.OPT_BUSY",
        "_OPTCHANGEERR": "OPTSR_CUR.OPTCHANGEERR", "_ERASE_AREA": "BANK1_PRAR_PRG.DMEP",
    },
    "flash.ecc": {"_WORD": "[bytes]"},
    "flash.icache": {"_EN": "CR.EN", "_CACHEINV": "CR.CACHEINV", "_WAYSEL": "CR.WAYSEL", "_BUSYF": "SR.BUSYF",
        "_BSYENDF": "SR.BSYENDF|FCR.CBSYENDF", "_ERRF": "SR.ERRF"},
    "flash.l0": {"_WORD": "[bytes]", "_HALF_PAGE": "[bytes]", "_CATEGORY_3": "[device id]",
        "_OPTION_BYTES": "[RM0367 3.8]"},
    "flash.l4": {"_DBANK": "[test_registers.py]"},
    "blocks.gpio": {"_INPUT": "[mode]", "_OUTPUT": "[mode]", "_ALTERNATE": "[mode]", "_ANALOG": "[mode]",
        "_PULL_UP": "[mode]",
        "_LOCK_KEY": "LCKR.LCKK"},
    "blocks.iwdg": {"_START": "[key]", "_OPEN": "[key]", "_RELOAD": "[key]", "_UPDATE_TICKS": "[ticks]"},
    "power.f4": {
        "_VOS": "CR1.VOS", "_ODEN": "CR1.ODEN", "_ODSWEN": "CR1.ODSWEN", "_DBP": "CR1.DBP", "_OD_PS": "[time]",
    },
    "power.h7": {"_VOSRDY": "D3CR.VOSRDY", "_SETTLE_PS": "[time]", "_DETECT_PS": "[time]"},
    "power.low": {"_VOS_PS": "[time]"},
    "power.l4": {"_LOW_POWER_RUN": "CR1.LPR", "_VOSF": "SR2.VOSF"},
    "clock.backup": {"_LSE_US": "[time]"},
    "clock.f4": {"_F469": "[device id]"},
    "clock.boost": {"_STEP_HZ": "[Hz]"},
    "blocks.debug": {"_DWT": "[DDI0403]", "_RESERVED": "[between IDCODE.DEV_ID and REV_ID]"},
    "blocks.exti": {"_PIN_LINES": "[lines]", "_WORD": "[bits]"},
    "blocks.rtc": {"_CENTURY": "[year]", "_SYNC": "[cycles]"},
    "blocks.tamp": {"_FIRST": "[offset of BKP0R, TAMP_BKPxR in RM0438]"},
    "blocks.selection": {"_LINES": "[in a register]"},
    "blocks.usart_v2": {name: f"SR.{name[1:]}|{name[1:]}F" for name in
                 ("_PE", "_FE", "_NE", "_ORE", "_IDLE", "_RXNE", "_TC", "_TXE", "_LBD", "_CTS")},
    "blocks.usart_v3": {name: f"CR1.{name[1:]}" for name in
                 ("_RE", "_TE", "_IDLEIE", "_RXNEIE", "_TCIE", "_TXEIE", "_PS", "_PCE", "_M0", "_OVER8", "_M1")}
    | {name: f"ISR.{name[1:]}" for name in ("_ORE", "_IDLE", "_RXNE", "_TC", "_TXE", "_TEACK", "_REACK", "_BUSY")}
    | {"_EIE": "CR3.EIE", "_DMAR": "CR3.DMAR", "_DMAT": "CR3.DMAT", "_WUFIE": "CR3.WUFIE"},
    "blocks.usart_stop": {"_BY_ADDRESS": "[WUS]", "_STOP_2": "[LPMS]"},
    "blocks.usart_v4": {"_DEPTH": "[bytes]", "_DEEP_DEPTH": "[bytes]"},
    "blocks.dma": {"_COPY_CYCLES": "[cycles]"},
    "blocks.octospi": {"_MACRONIX": "[MTYP]"},
    "blocks.otg": {
        "_LEAST_WORDS": "[words]", "_CONTROL": "[EPTYP]", "_BULK": "[EPTYP]",
        "_SETUP": "[DPID]", "_DATA1": "[DPID]", "_BYTE_PS": "[time]", "_AROUND": "[bytes]",
        "_FIFO": "[offset of FIFO0, and what is between two]", "_PACKET": "[bytes]",
    },
    "blocks.otg_port": {
        "_NEVER": "[time]", "_IDLE_PS": "[time]", "_CORE_RESET_PS": "[time]", "_FLUSH_PS": "[time]",
        "_LEAST_RESET_PS": "[time]", "_DEBOUNCE_PS": "[time]", "_ENABLE_PS": "[time]",
    },
    "blocks.otg_phy": {
        "_MODE_PS": "[time]", "_ULPI_PS": "[time]", "_FAST": "[OSPEEDR]", "_SENSING": "GCCFG_V1.NOVBUSSENS",
    },
    "blocks.quadspi": {"_FREE_RUNNING": "CCR.FRCM", "_SEQUENCE_CLOCKS": "[clocks]"},
    "blocks.serial_commands": {"_ENDLESS": "[of DLR]", "_MOST_POLLED": "[bytes]"},
    "blocks.serial_memory": {"_LAST_BYTES": "[bytes]", "_KB": "[bytes]"},
    "blocks.gpdma": {
        "_SIGNED": "[PAM]", "_TC_OF_CHANNEL": "[TCEM]", "_WORD": "[bytes]",
    },
    "blocks.lptim": {
        "_ENABLE": "CR.ENABLE", "_SNGSTRT": "CR.SNGSTRT", "_CNTSTRT": "CR.CNTSTRT", "_COUNTRST": "CR.COUNTRST",
        "_RSTARE": "CR.RSTARE", "_ARRM": "ISR.ARRM", "_ARROK": "ISR.ARROK", "_UE": "ISR.UE", "_REPOK": "ISR.REPOK",
        "_DIEROK": "ISR.DIEROK", "_SYNC_TICKS": "[ticks]",
    },
    "blocks.rng": {
        "_RNGEN": "CR.RNGEN", "_IE": "CR.IE", "_CED": "CR.CED", "_DRDY": "SR.DRDY", "_CECS": "SR.CECS",
        "_SECS": "SR.SECS", "_CEIS": "SR.CEIS", "_SEIS": "SR.SEIS", "_CONDRST": "CR.CONDRST",
        "_CONFIGLOCK": "CR.CONFIGLOCK", "_CONFIG": "[RM0456, bits 4 to 29 of RNG_CR]",
    },
    "blocks.timer_basic": {
        "_CEN": "CR1.CEN", "_UDIS": "CR1.UDIS", "_URS": "CR1.URS", "_OPM": "CR1.OPM", "_ARPE": "CR1.ARPE",
        "_UIFREMAP": "CR1.UIFREMAP", "_UIF": "SR.UIF", "_UG": "EGR.UG", "_UIFCPY": "CNT.UIFCPY",
        "_HALF": "[bits of PSC]",
    },
    "blocks.timer_general": {
        "_MOST": "[channels]", "_CKD": "CR1.CKD", "_OCPE": "CCMR_Output0.OCPE0",
        "_CCG": "EGR.CCG0+EGR.CCG1+EGR.CCG2+EGR.CCG3", "_TG": "EGR.TG",
        "_NOT_OF_OUTPUTS": "CCER.CCNP0+CCER.CCNP1+CCER.CCNP2+CCER.CCNP3",
    },
    "blocks.timer_advanced": {
        "_UDIS": "CR1.UDIS", "_OPM": "CR1.OPM", "_UIF": "SR.UIF", "_CCIF": "SR.CCIF0+SR.CCIF1+SR.CCIF2+SR.CCIF3",
        "_COMIF": "SR.COMIF", "_TIF": "SR.TIF", "_BIF": "SR.BIF0", "_BIF2": "SR.BIF1", "_COMG": "EGR.COMG",
        "_BG": "EGR.BG0+EGR.BG1", "_BIE": "DIER.BIE", "_AOE": "BDTR.AOE", "_MOE": "BDTR.MOE",
    },
    "blocks.eth": {
        "_MDC_HZ": "[2.5 MHz]", "_SMI_BITS": "[a transfer]", "_LEAST_HCLK": "[25 MHz]", "_NOBODY": "[MD]",
    },
    "blocks.eth_dma": {
        "_STOPPED": "[TPS, RPS]", "_WAITING": "[TPS, RPS]", "_SUSPENDED": "[TPS]", "_RX_SUSPENDED": "[RPS]",
        "_RESET_PS": "[a time]", "_AROUND": "[bytes]", "_BPS": "[100 Mbit/s]", "_FCS": "[bytes]", "_COUNTED": "[MFC]",
        "_VECTOR": "[61, of the vector table]",
    },
    "blocks.wwdg": {"_WDGA": "CR.WDGA", "_EARLY": "[T, where EWIF is set]", "_DIVIDED": "[of the bus clock]"},
}  # fmt: skip
NUMBERS: dict[str, dict[str, str]] = {
    "blocks.ltdc": {
        "~0x3": "[bytes]", ">>24": "[CLUTADD]", "&0xffffff": "[RED to BLUE of CLUTWR]", "&0x2": "[VBR]",
        "~0x2": "[VBR]", "<<16": "[CXPOS]", "<<3": "[HSYNCS]", "<<2": "[VSYNCS]", "<<1": "[HDES]",
    },
    "blocks.backed_up": {"~0x3": "[bytes]"},
    "blocks.eth": {
        "~0x3": "[bytes]", "~0x1": "[MB]", "&0x2": "[MW]", "&0xffff": "[MACAH, MD]", "<<31": "[MO]",
        "&0xffffffff": "[a counter of MMC]",
    },
    "blocks.eth_dma": {"<<16": "[FL of RDES0]", "&0x3": "[bytes]"},
    "blocks.octospim": {">>1": "[of IOLSRC and IOHSRC: the controller]"},
    "blocks.quadspi": {"<<12": "[bit 4 of FTHRES, RM0399]", ">>8": "CR.FTHRES", ">>24": "CR.PRESCALER",
                       "&0x1f": "[FTHRES, RM0399]", "&0xff": "CCR.INSTRUCTION"},
    "blocks.otg": {
        ">>12": "[of a FIFO's offset]", "~0xfff": "[of a FIFO's offset]", "<<16": "HNPTXSTS.NPTQXSAV",
        ">>16": "HNPTXFSIZ.FD|NPTXFD", "&0xffff": "HNPTXFSIZ.SA|NPTXFSA", ">>18": "HCCHAR0.EPTYP",
        ">>20": "HCCHAR0.MCNT|MC", "&0x3": "width HCCHAR0.EPTYP", "&0x7ff": "HCCHAR0.MPSIZ", "<<19": "HCTSIZ0.PKTCNT",
        "<<29": "HCTSIZ0.DPID",
    },
    "blocks.otg_port": {
        "<<16": "HFNUM.FTREM", "<<17": "HPRT.PSPD", ">>10": "[pages of a KB]", "&0x3": "width HPRT.PLSTS",
        "&0x3fff": "[HFNUM counts to it, RM0090 34.16.3]",
    },
    "blocks.otg_phy": {"&0x3": "[OSPEEDR of a pin]"},
    "blocks.serial_commands": {"&0xffff": "PIR.INTERVAL", "~0x3": "[bytes]"},
    "blocks.serial_memory": {"&0xffff": "LPTR.TIMEOUT"},
    "blocks.tamp": {"~0x3": "[bytes]"},
    "blocks.crc_v3": {"<<1": "[polynomial]", "~0x1": "CR.RESET"},
    "blocks.debug": {"<<16": "IDCODE.REV_ID", "&0x40000000": "[DDI0403]", "&0xffffffff": "[word]"},
    "blocks.rng": {"&0x3ffff": "[RM0456 48.7.4]"},
    "blocks.rtc": {"<<4": "[BCD]", "<<16": "[above WUT]", "&0x4": "[of WUCKSEL]", "&0x2": "[of WUCKSEL]",
                   "~0x3": "[bytes]"},
    "flash.caches": {"<<9": "ACR.ICEN|ARTEN", "<<10": "ACR.DCEN", "<<11": "ACR.ICRST|ARTRST", "<<12": "ACR.DCRST"},
    "flash.ecc": {"<<10": "ACR.DCEN", "<<24": "ECCR.ECCIE|ECCCIE"},
    "flash.f4": {"~0x3": "[bytes]"},
    "flash.f7": {"<<9": "ACR.ARTEN", "<<11": "ACR.ARTRST", "<<31": "CR.LOCK"},
    "flash.h7": {"&0x7": "width BANK0_CR.SNB", ">>8": "BANK0_CR.SNB"},
    "flash.h7_options": {"&0xfff": "BANK0_PRAR_CUR.PROT_AREA_START", ">>16": "BANK0_PRAR_CUR.PROT_AREA_END"},
    "flash.l0": {"&0xffff": "[half of an option word]", "<<16": "[the other half]", ">>16": "[the other half]"},
    "flash.l5": {"<<31": "SECCR.SECLOCK"},
    "blocks.gpio": {"&0x3": "width MODER.MODER0", "&0x7": "[pins of an AFR]", "&0xf": "width AFR0.AFR0",
                    "&0xffff": "[pins]", ">>16": "BSRR.BR0", "~0x3": "[bytes]"},
    "power.f4": {"&0x3": "width CR1.VOS", "<<14": "CR1.VOS, CSR1.VOSRDY", "<<16": "CSR1.ODRDY", "<<17": "CSR1.ODSWRDY",
               ">>14": "CR1.VOS", ">>2": "[RCC_CFGR.SWS]"},
    "power.h7": {"&0x3": "width D3CR.VOS", "&0x3f": "[RM0399 7.8.4]", "<<14": "D3CR.VOS", ">>14": "D3CR.VOS",
               "~0x3f": "[RM0399 7.8.4]"},
    "power.l0": {"&0x3": "width CR.VOS", "&0x700": "CSR.EWUP1+CSR.EWUP2+CSR.EWUP3", ">>11": "CR.VOS"},
    "power.l4": {"&0x3": "width CR1.VOS", ">>9": "CR1.VOS"},
    "power.g0": {"<<7": "SR2.FLASH_RDY"},
    "power.l5": {"<<15": "[RM0438 8.6.5, reads 1]"},
    "power.wl": {"<<7": "SR2.FLASHRDY", "<<8": "SR2.REGLPS"},
    "clock.rcc": {"~0x1": "[]"},
    "clock.f4": {"&0x3": "width CFGR.SWS", "&0xc": "CFGR.SWS", "<<2": "CFGR.SWS", ">>2": "CFGR.SWS",
               "~0xc": "CFGR.SWS"},
    "clock.h7": {"&0x7": "width CFGR.SW"},
    "clock.l0": {"<<5": "[65 kHz times 2 to the range]"},
    "clock.msi": {"&0x8": "CR.MSIRGSEL", "&0xf": "width CR.MSIRANGE", "&0xf0": "CR.MSIRANGE",
               "&0xf8": "CR.MSIRGSEL+CR.MSIRANGE", ">>4": "CR.MSIRANGE", ">>8": "CSR.MSISRANGE",
                   "~0xf0": "CR.MSIRANGE"},
    "clock.low": {"&0x3": "CSR.LSION+CSR.LSIRDY"},
    "blocks.usart_v2": {
        "&0xffff": "[BRR]", "<<6": "CR3.DMAR", "<<9": "CR1.PS", "<<10": "CR1.PCE", "<<12": "CR1.M|M0", "<<13": "CR1.UE",
    },
    "blocks.usart_v3": {
        "<<1": "[16 times: BRR]", "&0x7": "[BRR]", "&0xfff0": "[BRR]", "&0xff": "[byte]", "<<18": "[TE to TEACK]",
        "<<20": "[RE to REACK]", "<<12": "CR3.OVRDIS", ">>12": "CR2.STOP", "&0x3": "width CR2.STOP",
            "&0x8": "RQR.RXFRQ",
        "&0x10": "RQR.TXFRQ",
    },
    "blocks.dma_streams": {">>2": "[streams in a register of flags]", "&0x3": "[streams in a register of flags]"},
    "blocks.lptim": {"<<3": "ISR.CMPOK0", "<<9": "ISR.CCIF1", "<<19": "ISR.CMPOK1"},
    "blocks.timer_basic": {"<<31": "CNT.UIFCPY"},
    "blocks.wwdg": {"&0x7f": "CR.T"},
}  # fmt: skip


for _facts in ALL.values():
    for _model, _kinds in _facts.models.items():
        CONSTANTS |= {_model: _kinds.get("constants", {})}
        NUMBERS |= {_model: _kinds.get("numbers", {})}


def numbers_of(name: str) -> tuple[set[str], set[str]]:
    """The constants and the bit numbers of a model's file."""
    tree = ast.parse(path_of(name).read_text())
    module = vars(importlib.import_module(f"spboot.twin.{name}"))
    constants, numbers = set(), set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
            constants |= {n for n in names if n.startswith("_") and isinstance(module.get(n), int)}
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
                numbers |= {f"~{c.value:#x}" for c in [node.operand] if isinstance(c, ast.Constant)}
            if not isinstance(node, ast.BinOp):
                continue
            sides = [s.value for s in (node.left, node.right) if isinstance(s, ast.Constant) and type(s.value) is int]
            if isinstance(node.op, ast.LShift | ast.RShift) and isinstance(node.right, ast.Constant):
                numbers.add(f"{'<<' if isinstance(node.op, ast.LShift) else '>>'}{node.right.value}")
            elif isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor):
                numbers |= {f"&{value:#x}" for value in sides if value > 1}
    return constants, numbers


def fields(place: str, name: str) -> list[tuple[str, int, int]]:
    """(ip, lowest bit, mask) of a place, in all descriptions that have it; one at least must."""
    found = []
    for ip in models_of(name):
        parts = [field(part, ip) for part in place.split("+")]
        if all(parts):
            found.append((ip, min(p[0] for p in parts if p), sum(p[1] for p in parts if p)))
    assert found, f"{path_of(name)}: no description has {place}"
    return found


@pytest.mark.parametrize("name", MODEL_FILES)
def test_constants_of_a_model_are_fields(name: str) -> None:
    module, declared = importlib.import_module(f"spboot.twin.{name}"), CONSTANTS.get(name, {})
    assert numbers_of(name)[0] == set(declared)
    for constant, place in declared.items():
        for ip, _, mask in () if place.startswith("[") else fields(place, name):
            assert getattr(module, constant) == mask, f"{name}.{constant} is not {place} of {ip}"


@pytest.mark.parametrize("name", MODEL_FILES)
def test_numbers_in_a_model_are_places_of_fields(name: str) -> None:
    declared = NUMBERS.get(name, {})
    assert numbers_of(name)[1] == set(declared)
    for number, places in declared.items():
        sign, value = re.fullmatch(r"(<<|>>|&|~)(\w+)", number).groups()  # type: ignore[union-attr]
        for place in () if places.startswith("[") else places.split(", "):
            for ip, low, mask in fields(place.removeprefix("width "), name):
                expected = mask >> low if place.startswith("width ") else low if sign in ("<<", ">>") else mask
                assert int(value, 0) == expected, f"{path_of(name)}: {number} is not {place} of {ip}"


OFFSETS = {
    "CONSUMING": {"RDR", "DR", "GRXSTSP", *(f"FIFO{number}" for number in range(16))},
    "QUIET": {"KR", "CNT", "TR", "SSR", "HFNUM"},
}
DECLARED: dict[tuple[str, str], tuple[str, str] | int] = {
    ("flash.g0", "ECCR2"): ("flash_g0x1", "ECCR2"),
    ("power.l4", "CR5"): ("pwr_g4", "CR5"),
    ("blocks.gpio", "BRR"): 0x28,
    ("blocks.lptim", "CFGR2"): ("lptim_v1b_h7", "CFGR2"),
    ("power.h7", "CPU2CR"): 0x14,
}
"""Registers that the descriptions lack and a model declares,
    and where a relative has them, or their offset (GPIO BRR: RM0351 8.4.11; PWR_CPU2CR: RM0399 7.8.6)."""


def test_offsets_that_models_have_themselves() -> None:
    for ip, model in models.MODELS.items():
        known = chips.registers(ip).items()
        names = {register.offset: name for name, register in known if name not in model.OTHER_LAYOUTS}
        for attribute, allowed in OFFSETS.items():
            assert {names[offset] for offset in getattr(model, attribute)} <= allowed, (ip, attribute)
    found = {}
    for name in MODEL_FILES:
        text = path_of(name).read_text()
        assert not re.search(r"self\.address \+ (0x)?\d", text), f"{name}: an offset that nothing compares"
        for register, offset in re.findall(r'_declare\("(\w+)", (0x\w+)', text):
            found[name, register] = int(offset, 0)
    assert set(found) == set(DECLARED)
    for place, relative in DECLARED.items():
        if not isinstance(relative, int):
            relative = chips.registers(relative[0])[relative[1]].offset
        assert found[place] == relative
