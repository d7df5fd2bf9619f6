"""Every number that a driver has itself, against the vendor's descriptions: what it means in its field, or where it is.

A new number in firmware/driver fails until it is declared here."""

from __future__ import annotations

import re

import pytest

from spboot import chips
from spboot.builder.drivers import drivers
from spboot.formats.spec import data_path
from spboot.twin import models
from tests.families import ALL

DRIVER = data_path("firmware") / "driver"
DRIVERS = drivers().ip
NUMBER = re.compile(r"#define (\w+) \(?(1u << \d+|0x[0-9A-Fa-f]+u|\d+u)\)?\s*$", re.M)
MEANINGS = {
    ("clock_f4f7.c", "SYSCLK_PLL"): ("CFGR", "SW", "PLL1_P"),
    ("rcc_g0.c", "SOURCE_HSI"): ("PLLCFGR", "PLLSRC", "HSI"),
    ("rcc_g0.c", "SYSCLK_PLL"): ("CFGR", "SW", "PLL1_R"),
    ("rcc_g4.c", "AHB_HALF"): ("CFGR", "HPRE", "Div2"),
    ("rcc_g4.c", "SOURCE_HSI"): ("PLLCFGR", "PLLSRC", "HSI"),
    ("rcc_g4.c", "SYSCLK_HSI"): ("CFGR", "SW", "HSI"),
    ("rcc_g4.c", "SYSCLK_PLL"): ("CFGR", "SW", "PLL1_R"),
    ("rcc_h7.c", "HALF_AHB"): ("D1CFGR", "HPRE", "Div2"),
    ("rcc_h7.c", "HALF_APB"): ("D1CFGR", "D1PPRE", "Div2"),
    ("rcc_h7.c", "INPUT_RANGE"): ("PLLCFGR", "PLLRGE0", "Range4"),
    ("rcc_h7.c", "SYSCLK_PLL"): ("CFGR", "SW", "PLL1_P"),
    ("rcc_l0.c", "PLL_DIV"): ("CFGR", "PLLDIV", "Div2"),
    ("rcc_l0.c", "SYSCLK_MSI"): ("CFGR", "SW", "MSI"),
    ("rcc_l0.c", "SYSCLK_PLL"): ("CFGR", "SW", "PLL1_R"),
    ("rcc_l4.c", "SOURCE_MSI"): ("PLLCFGR", "PLLSRC", "MSI"),
    ("rcc_l4.c", "SYSCLK_PLL"): ("CFGR", "SW", "PLL1_R"),
    ("rcc_wl.c", "MSI_RANGE_RESET"): ("CR", "MSIRANGE", "Range4M"),
    ("usb_clock_f4.c", "SYSCLK_HSI"): ("CFGR", "SW", "HSI"),
    ("usb_clock_f4.c", "SYSCLK_PLL"): ("CFGR", "SW", "PLL1_P"),
    ("usb_clock_h7.c", "INPUT_RANGE"): ("PLLCFGR", "PLLRGE0", "Range4"),
    ("usb_clock_h7.c", "SOURCE_HSE"): ("PLLCKSELR", "PLLSRC", "HSE"),
    ("usb_clock_h7.c", "SYSCLK_HSI"): ("CFGR", "SW", "HSI"),
    ("usb_clock_h7.c", "SYSCLK_PLL"): ("CFGR", "SW", "PLL1_P"),
    ("pwr_l0.c", "RANGE_1"): ("CR", "VOS", "Range1"),
    ("pwr_l0.c", "RANGE_2"): ("CR", "VOS", "Range2"),
    ("pwr_l5.c", "RANGE_2"): ("CR1", "VOS", "Range2"),
}
"""File and name -> register, field and what the description calls that value."""
RESETS = {
    ("clock_f4f7.c", "PLLCFGR_RESET"): "PLLCFGR",
    ("rcc_g0.c", "PLLCFGR_RESET"): "PLLCFGR",
    ("rcc_g4.c", "PLLCFGR_RESET"): "PLLCFGR",
    ("rcc_h7.c", "PLLCFGR_RESET"): "PLLCFGR",
    ("rcc_h7.c", "PLLCKSELR_RESET"): "PLLCKSELR",
    ("rcc_h7.c", "PLLDIVR_RESET"): "PLLDIVR0",
    ("rcc_l4.c", "PLLCFGR_RESET"): "PLLCFGR",
    ("usb_clock_h7.c", "PLL3DIVR_RESET"): "PLLDIVR2",
}
"""What a register holds after a reset: the descriptions do not say, the models do, and their tests name the section."""
DEVICES = {
    ("flash_f4.c", "DEVICE_F42X"): ("STM32F427VG", "STM32F429ZI", "STM32F439ZI"),
    ("flash_f4.c", "DEVICE_F46X"): ("STM32F469NI", "STM32F479NI"),
    ("flash_f7.c", "DEVICE_F72X"): ("STM32F722RE", "STM32F723ZE", "STM32F733ZE"),
    ("flash_f7.c", "DEVICE_F76X"): ("STM32F767ZI", "STM32F769NI", "STM32F777ZI"),
    ("rcc_f4.c", "DEVICE_F405"): ("STM32F405RG", "STM32F407VG", "STM32F417VG"),
}
OTHER = {
    # DDI0403 B3.2, B4
    "cache_m7.c": "CCR CCSIDR CSSELR ICIALLU DCCMVAU DCCMVAC DCIMVAC DCCIMVAC DCISW DCCISW DC IC LINE WAY_POS SET_POS",
    "clock_f4f7.c": "HSI_HZ INPUT_HZ VCO_LEAST_HZ PLL_Q PLL_R",  # Hz and factors
    "cortex.c": "SYST_CSR SYST_RVR SYST_CVR AIRCR SYST_ON AIRCR_SYSRESETREQ",  # DDI0403 B3.2
    "cortex.h": "SPB_CORTEX_COUNTS",  # 24 bits: DDI0403 B3.3.3
    "flash_areas.c": "WRP_AREAS",
    "flash_ecc.c": "KEY1 KEY2 ROUNDS",
    "flash_f4.c": "RDERR",  # as flash_f7 has it: below
    "flash_g0.c": "ECC2R_OFF",  # test_registers.py
    # DDI0403 B3.2.8, B3.2.15
    "flash_h7.c": "KEY1 KEY2 UNIT AREA_UNIT ROUNDS SCB_CCR SCB_CFSR BFHFNMIGN BUS_FAULTS",
    "flash_l0.c": "PEKEY1 PEKEY2 PRGKEY1 PRGKEY2 HALF_PAGE ROUNDS UNIT SECTOR BURST_WORDS",
    "flash_l4.c": "DBANK",  # test_registers.py
    "flash_sector.c": "KEY1 KEY2 ROUNDS BANK_2_FIRST",
    "iwdg.c": "KEY_ACCESS KEY_RELOAD",  # RM0351 37.4.1
    "ram_wait.c": "SYST_CSR KEY_RELOAD LOOP_WORDS",  # DDI0403 B3.3.2
    "rcc_g0.c": "PLL_IN_HZ PLL_M PLL_R WAIT_STATES",
    "options_ecc.c": "KEY1 KEY2 OPTION_KEY1 OPTION_KEY2 LAST_PAGE AREAS ROUNDS",
    "options_h5.c": "OPTION_KEY1 OPTION_KEY2 ROUNDS",
    "options_h7.c": "OPTION_KEY1 OPTION_KEY2 ROUNDS",
    "options_l0.c": "PEKEY1 PEKEY2 OPTION_KEY1 OPTION_KEY2 WORDS WRITE_WORDS SECTOR IN_WORD ROUNDS",
    "options_sector.c": "OPTION_KEY1 OPTION_KEY2 ROUNDS",
    "nor.c": "ID_SIZE SLICE_US",
    "octospi.c": "FOUR EIGHT WRITING SELECT_HIGH POLL_EVERY REGISTER_DUMMY",  # lines and modes: RM0432 19.7.17, 19.7.1
    # RM0090 34.16 and 34.7.1, USB 2.0 7.1.7
    "otg.c": "RX_WORDS TX_WORDS PERIODIC_WORDS ALL_FIFOS HCLK_FAST CLOCK_48 CLOCK_60 FRAME_48 FRAME_60 FULL_SPEED BULK "
    "IN_DATA STEP_MS MODE_MS OFF_MS RESET_MS RECOVERY_MS PACKET_MS ERRORS BUSY",
    "patience.c": "SYST_RVR SYST_CVR FEWEST_CYCLES",  # DDI0403 B3.3.2
    "pwr_g4.c": "NORMAL_HZ",
    "quadspi.c": "QUAD_LINES SELECT_HIGH POLL_EVERY",  # RM0351 17.5.6
    "rcc_g4.c": "PLL_IN_HZ PLL_M WAIT_STATES WAIT_STATES_RESET",  # the last one: below
    "rcc_h7.c": "HSI_HZ INPUT_HZ SCALE_RESET LATENCY_RESET",  # below
    "rcc_l4.c": "MSI_HZ",
    "rcc_wl.c": "WAIT_STATES",
    "pins.c": "PORT_STEP",
    # DDI0403 B3.5
    "usb_clock_f4.c": "INPUT_HZ USB_HZ START_MS",
    "usb_clock_h7.c": "HSI_HZ HSI_INPUT_HZ VCO_3_HZ USB_HZ FROM_PLL3 START_MS SUPPLY_MS",  # RM0399, RCC_D2CCIP2R
    "usb_clock_l4.c": "SAI1_N SAI1_RESET FROM_SAI1 START_MS",  # RM0351 6.4.5, 6.4.28
    "window_m7.c": "CTRL RNR RBAR RASR ON CTRL_ENABLE RASR_ENABLE RASR_SIZE_POS NEVER_RUN WRITE_THROUGH "
    "LAST_KB_POWER WINDOW_POWER",
}
"""Keys, units, frequencies, factors, and registers of the core: nothing that the descriptions of a block have."""
BODIES = {
    "cache_m7.c": {">> 13", "0x7FFF"},  # CCSIDR.NumSets, DDI0403 B4.8.2
    "flash_areas.c": {">> 16"},  # END of WRP1AR: tests/twin/test_write_protection.py
    "flash_f4.c": {"0x100000"},
    "flash_sector.c": {"<< 8"},
    "internal_flash.h": {"0xAA", "0xCC"},  # RDP of levels 0 and 2
    "options.h": {"0xBB", "0xCC"},  # RDP of levels 1 and 2
    "nor.c": {"<< 8"},  # registers of two chips
    "octospi.c": {"<< 8", "0xFF"},  # an opcode of two bytes
    "options_l0.c": {"0xFFFF"},  # a half of a word
    "quadspi.c": {
        "0x14",
        "0x20000000",
        "0xFF000001",
        "<< 8",
    },  # ES0392: CCR and its value; bytes of a number
    "pins.c": {">> 4", ">> 8"},  # port, pin and function of a pin in the generated table
    "window_m7.c": {"0x1000"},  # the last 4 KB
    "clock_f4f7.c": {">> 26", "<< 2", ">> 22"},  # reset flags: test_reset_flags_are_in_the_order_of_their_names
    "rcc_g0.c": {">> 24"},
    "rcc_g4.c": {">> 24"},
    "rcc_h7.c": {">> 20", "0x1C", "<< 1"},
    "rcc_l0.c": {">> 24"},
    "rcc_l4.c": {">> 24"},
    "rcc_wl.c": {">> 24"},
    "rcc_f4.c": {"0xFFFFFFFF"},
    "rcc_f7.c": {"0xFFFFFFFF"},
    "usart_v3.c": {"0x1000000"},
}
"""Numbers outside of definitions: bytes of a word, sizes."""
for _facts in ALL.values():
    for _file, _kinds in _facts.drivers.items():
        MEANINGS |= {(_file, name): tuple(meaning) for name, meaning in _kinds.get("meanings", {}).items()}
        RESETS |= {(_file, name): register for name, register in _kinds.get("resets", {}).items()}
        OTHER |= {_file: _kinds["other"]} if "other" in _kinds else {}
        BODIES |= {_file: set(_kinds["body"])} if "body" in _kinds else {}
FILES = sorted(path.name for path in DRIVER.iterdir() if path.suffix != ".toml")


def source(file: str) -> str:
    return re.sub(r"/\*.*?\*/", "", (DRIVER / file).read_text(), flags=re.S)


def defined(file: str) -> dict[str, int]:
    """The numbers that *file* gives a name."""
    numbers = {}
    for name, text in NUMBER.findall(source(file)):
        shift = re.fullmatch(r"1u << (\d+)", text)
        numbers[name] = 1 << int(shift[1]) if shift else int(text.rstrip("u"), 0)
    return numbers


def served(file: str) -> list[str]:
    return [ip for ip, files in (*DRIVERS.items(), *drivers().usb.items()) if file in files]


@pytest.mark.parametrize("file", FILES)
def test_every_number_of_a_driver_is_declared(file: str) -> None:
    declared = {name for table in (MEANINGS, RESETS, DEVICES) for place, name in table if place == file}  # type: ignore[attr-defined]
    assert set(defined(file)) == declared | set(OTHER.get(file, "").split())
    body = re.sub(r"#define (?:[^\n\\]|\\.|\\\n)*", "", source(file))
    assert set(re.findall(r"(?:<<|>>) \d+|0x[0-9A-Fa-f]+", body)) == BODIES.get(file, set())


@pytest.mark.parametrize(("place", "meaning"), MEANINGS.items(), ids=lambda v: "-".join(v))
def test_values_mean_what_the_description_says(place: tuple[str, str], meaning: tuple[str, str, str]) -> None:
    register, field, name = meaning
    file = place[0]
    for ip in served(file):
        if register in chips.registers(ip):
            assert chips.registers(ip)[register].values[field][name] == defined(file)[place[1]], ip


@pytest.mark.parametrize(("place", "register"), RESETS.items(), ids=str)
def test_reset_values_are_those_of_the_models(place: tuple[str, str], register: str) -> None:
    for ip in served(place[0]):
        assert models.MODELS[ip].RESET[register] == defined(place[0])[place[1]], ip


FLAGS = {
    "OBLRSTF": 25, "PINRSTF": 26, "PADRSTF": 26, "PORRSTF": 27, "PWRRSTF": 27, "BORRSTF": 27, "SFTRSTF": 28,
    "IWDGRSTF": 29, "WDGRSTF": 29, "WWDGRSTF": 30, "LPWRRSTF": 31,
}  # fmt: skip
FLAGS_H7 = {
    "BORRSTF": 21, "PINRSTF": 22, "PORRSTF": 23, "SFTRSTF": 24, "IWDG1RSTF": 26, "WWDG1RSTF": 28, "LPWRRSTF": 30,
}  # fmt: skip


def test_reset_flags_are_in_the_order_of_their_names() -> None:
    """Drivers take them by shifts: those of CSR from bit 24; on F4 and F7 brown-out has bit 25 beside power's 27."""
    for ip, files in DRIVERS.items():
        if not ip.startswith("rcc"):
            continue
        expected = FLAGS_H7 if "rcc_h7.c" in files else FLAGS
        if "clock_f4f7.c" in files:
            expected = FLAGS | {"BORRSTF": 25}
        found_in = "RSR" if "RSR" in chips.registers(ip) else "CSR"
        fields = chips.registers(ip)[found_in].fields
        found = {name: fields[name][0] for name in expected if name in fields}
        assert len(found) >= 6, ip
        assert found == {name: expected[name] for name in found}, ip


def test_other_reset_values() -> None:
    h7 = defined("rcc_h7.c")
    vos = chips.registers("pwr_h7rm0399")["D3CR"].fields["VOS"][0]
    assert models.MODELS["flash_h7"].RESET["ACR"] == h7["LATENCY_RESET"]
    assert models.MODELS["pwr_h7rm0399"].RESET["D3CR"] == h7["SCALE_RESET"] << vos
    for ip in ("flash_g4c2", "flash_g4c3", "flash_g4c4"):
        latency = (1 << chips.registers(ip)["ACR"].fields["LATENCY"][1]) - 1
        assert models.MODELS[ip].RESET["ACR"] & latency == defined("rcc_g4.c")["WAIT_STATES_RESET"], ip
    low, width = chips.registers("flash_f7")["SR"].fields["RDERR"]
    assert (defined("flash_f4.c")["RDERR"], width) == (1 << low, 1)


@pytest.mark.parametrize(("place", "parts"), DEVICES.items(), ids=str)
def test_device_ids(place: tuple[str, str], parts: tuple[str, ...]) -> None:
    for part in parts:
        assert chips.load(part).device_id == defined(place[0])[place[1]], part


@pytest.mark.parametrize("ip", sorted(ip for ip in models.MODELS if ip.startswith("rcc")))
def test_clock_sources_of_the_models(ip: str) -> None:
    """The order of SOURCES is that of the values of SW."""
    names = models.MODELS[ip].SOURCES  # type: ignore[attr-defined]
    values = chips.registers(ip)["CFGR1" if "CFGR1" in chips.registers(ip) else "CFGR"].values["SW"]
    assert {name.replace("PLL1_P", "PLL").replace("PLL1_R", "PLL"): value for name, value in values.items()} == {
        name.replace("PLL1", "PLL"): number for number, name in enumerate(names) if name
    }


@pytest.mark.parametrize("ip", ["rcc_l4", "rcc_l4plus", "rcc_l5", "rcc_wl5", "rcc_wle"])
def test_msi_ranges_of_the_models(ip: str) -> None:
    """Hertz of each range; the descriptions round them in a name."""
    from spboot.twin.clock.msi import _MSI_HZ

    values = chips.registers(ip)["CR"].values["MSIRANGE"]
    hertz = {int(n[5:-1]) * {"K": 1000, "M": 1_000_000}[n[-1]]: value for n, value in values.items()}
    assert sorted(hertz, key=hertz.__getitem__) == list(_MSI_HZ)
