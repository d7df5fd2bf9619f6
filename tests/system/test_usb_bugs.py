"""Bugs put into the USB host and mass storage, each of which a test of theirs, or the twin, has to notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from spboot.errors import TwinError
from tests.system import test_usb as usb
from tests.system.usb_rig import Bench

Scene = Callable[[], None]
OTG, STORAGE, CONTROL, WAIT, F4, L4 = "otg.c", "storage.c", "usb.c", "wait.c", "usb_clock_f4.c", "usb_clock_l4.c"
H7, ULPI, PINS = "usb_clock_h7.c", "usb_ulpi.c", "pins.c"


def _sectors(name: str = "F429") -> Scene:
    return lambda: usb.test_sectors(name, "clang")


def _mastered(oddity: str) -> Scene:
    return lambda: usb.test_mastered(oddity)


def _told(oddity: str) -> Scene:
    return lambda: usb.test_told(oddity)


def _recovered(oddity: str) -> Scene:
    return lambda: usb.test_recovered(oddity)


def _halts() -> None:
    """One of them finds DATA1 where DATA0 is due."""
    for oddity in ("a failure", "CSW at the second try", "half of the data"):
        usb.test_recovered(oddity)


def _close(name: str) -> Scene:
    return lambda: usb.test_close(name)


def _pulled(at: int) -> Scene:
    return lambda: usb.test_pulled(at)


BUGS: Final[dict[str, tuple[str, str, str, Scene]]] = {  # file, words of it, others in their place, who notices
    "AHBIDL is not waited for": (
        OTG,
        "    if (!spb_wait(REG(GRSTCTL), OTG_GRSTCTL_AHBIDL, OTG_GRSTCTL_AHBIDL, STEP_MS)) return false;\n",
        "",
        _sectors(),
    ),
    "CMOD is not waited for": (OTG, "OTG_GINTSTS_CMOD, OTG_GINTSTS_CMOD, MODE_MS", "0, 0, MODE_MS", _sectors()),
    "VBUS is sensed": (OTG, "OTG_GCCFG_PWRDWN | SPB_USB_NO_SENSING", "OTG_GCCFG_PWRDWN", _sectors()),
    "no transceiver": (OTG, "OTG_GCCFG_PWRDWN | SPB_USB_NO_SENSING", "SPB_USB_NO_SENSING", _sectors()),
    "another frame": (OTG, "#define FRAME_48 48000u", "#define FRAME_48 60000u", _sectors()),
    "the port is disabled": (OTG, "OTG_HPRT_PPWR | bits)", "reg_read(REG(HPRT)) | OTG_HPRT_PPWR | bits)", _sectors()),
    "the port has no power": (
        OTG,
        "reg_write(REG(HPRT), OTG_HPRT_PPWR | bits)",
        "reg_write(REG(HPRT), bits)",
        _sectors(),
    ),
    "FIFOs overlap": (OTG, "FD_POS | (RX_WORDS + TX_WORDS)", "FD_POS | RX_WORDS", _sectors()),
    "no transmit FIFO": (OTG, "#define TX_WORDS 96u", "#define TX_WORDS 0u", _sectors()),
    "a short reset": (OTG, "#define RESET_MS 15u", "#define RESET_MS 4u", _sectors()),
    "no recovery": (OTG, "    spb_wait_ms(RECOVERY_MS);\n", "", _sectors()),
    "no halt": (OTG, "return halt(packet) ? flags : 0;", "return flags != 0 ? flags : halt(packet);", _sectors()),
    "a halt is asked for once": (
        OTG,
        "now >= ask",
        "ask == 0",
        usb.test_a_halt_that_is_never_told,
    ),
    "room is not looked at": (OTG, "if (i < packet->room) packet", "packet", usb.test_room),
    "a channel that hangs is used": (
        OTG,
        "    if ((reg_read(REG(HCCHAR0)) & OTG_HCCHAR0_CHENA) != 0) return 0; /*",
        "    /*",
        _pulled(6),
    ),
    "the toggle stays": (OTG, "pipe->next ^= SPB_DATA0 ^ SPB_DATA1;", "", _sectors()),
    "NAK is an answer": (
        OTG,
        "(flags & OTG_HCINT0_XFRC) != 0",
        "(flags & (OTG_HCINT0_XFRC | OTG_HCINT0_NAK)) != 0",
        _mastered("NAK"),
    ),
    "low speed": (OTG, "if (speed != FULL_SPEED)", "if (speed == 0)", _told("low speed")),
    "pins": (OTG, "    SPB_USB_DATA_START();\n", "", _sectors()),
    "the stick keeps its power": (OTG, "    SPB_USB_POWER_WRITE(false);\n", "", _close("F429")),
    "the core keeps its clock": (OTG, "    reg_clear(CLOCK, SPB_USB_ENABLE);\n", "", _close("F429")),
    "HSI": (F4, " | RCC_PLLCFGR_PLLSRC |", " |", _sectors()),
    "another divider": (F4, "n / (USB_HZ / INPUT_HZ) <<", "n / (USB_HZ / INPUT_HZ - 4u) <<", _sectors()),
    "the HSE goes on": (F4, "    run_on(before);\n    hse_off();", "    run_on(before);", _close("F429")),
    "the PLL is not given back": (F4, "    run_on(before);\n", "", _close("F429")),
    "the HSE is waited for without an end": (
        F4,
        "!spb_wait(CR, RCC_CR_HSERDY, RCC_CR_HSERDY, START_MS)",
        "!spb_wait(CR, RCC_CR_HSERDY, RCC_CR_HSERDY, ~0u)",
        lambda: usb.test_no_oscillator("F429"),
    ),
    "a PHY that a reset leaves": (OTG, "    reg_write(REG(GUSBCFG), PHY);\n", "", _sectors("H745")),
    "the frame of another PHY": (OTG, "SPB_USB_ULPI ? FRAME_60 : FRAME_48", "FRAME_48", _sectors("F769")),
    "the clock of another PHY": (OTG, "SPB_USB_ULPI ? CLOCK_60 : CLOCK_48", "CLOCK_48", _sectors("F769")),
    "no switch of VBUS": (OTG, "? OTG_GUSBCFG_ULPIEVBUSD :", "? 0 :", _sectors("F769")),
    "high speed": (OTG, " | OTG_HCFG_FSLSS", "", _sectors("F769")),
    "a PHY is not told": (OTG, "        reg_write(REG(HPRT), 0); /*", "        /*", _close("F769")),
    "a PHY is told too late": (OTG, "        spb_wait_ms(1);\n", "", _close("F769")),
    "no lines": (PINS, "(uint32_t)SPB_GPIO_ALTERNATE << two", "0u << two", _sectors("F769")),
    "slow lines": (PINS, "OSPEEDR_OFF, 3u << two", "OSPEEDR_OFF, 1u << two", _sectors("F769")),
    "no clock of the PHY": (ULPI, "    reg_set(PHY_CLOCK, SPB_USB_PHY_ENABLE);\n", "", _sectors("F769")),
    "the clock of the PHY stays": (ULPI, "reg_clear(PHY_CLOCK, SPB_USB_PHY_ENABLE);", "", _close("F769")),
    "HSI of STM32H7": (H7, "#define SOURCE_HSE 2u", "#define SOURCE_HSE 0u", _sectors("H745")),
    "another divider of PLL3": (H7, "VCO_3_HZ / USB_HZ - 1u", "VCO_3_HZ / USB_HZ", _sectors("H745")),
    "another factor of PLL1": (H7, "RCC_PLLDIVR0_PLLN, n - 1u", "RCC_PLLDIVR0_PLLN, n - 2u", _sectors("H745")),
    "another range of PLL3": (H7, "#define INPUT_RANGE 2u", "#define INPUT_RANGE 1u", _sectors("H745")),
    "no supply of STM32H7": (H7, "    reg_set(CR3, PWR_CR3_USB33DEN);\n", "", _sectors("H745")),
    "the supply is not waited for": (
        H7,
        "!spb_wait(CR3, PWR_CR3_USB33RDY, PWR_CR3_USB33RDY, SUPPLY_MS)",
        "false",
        usb.test_no_supply,
    ),
    "the supply stays": (H7, "    reg_clear(CR3, PWR_CR3_USB33DEN);\n", "", usb.test_no_supply),
    "another clock of USB": (H7, "#define FROM_PLL3 2u", "#define FROM_PLL3 3u", _sectors("H745")),
    "the choice of its clock stays": (H7, "    reg_clear(CCIPR, RCC_D2CCIP2R_USBSEL);\n", "", _close("H745")),
    "PLL3 goes on": (H7, "    spb_clock_off(RCC_CR_PLLON2, RCC_CR_PLLRDY2);\n", "", _close("H745")),
    "PLL3 keeps its output": (H7, "    reg_clear(PLLCFGR, PLL3);\n", "", _close("H745")),
    "PLL3 keeps its factors": (H7, "    reg_write(PLL3DIVR, PLL3DIVR_RESET);\n", "", _close("H745")),
    "PLL1 is not given back": (H7, "    run_on(ON_HSI, VCO_1_HZ / HSI_INPUT_HZ);\n", "", _close("H745")),
    "the HSE of STM32H7 goes on": (
        H7,
        "    run_on(ON_HSI, VCO_1_HZ / HSI_INPUT_HZ);\n    oscillator_off();",
        "    run_on(ON_HSI, VCO_1_HZ / HSI_INPUT_HZ);",
        _close("H745"),
    ),
    "the HSE of STM32H7 is waited for without an end": (
        H7,
        "!spb_wait(CR, RCC_CR_HSERDY, RCC_CR_HSERDY, START_MS)",
        "!spb_wait(CR, RCC_CR_HSERDY, RCC_CR_HSERDY, ~0u)",
        lambda: usb.test_no_oscillator("H745"),
    ),
    "no supply": (L4, "    reg_set(PWR_BASE + PWR_CR2_OFF, PWR_CR2_USV);\n", "", _sectors("L496")),
    "no lock": (L4, "    reg_set(CR, RCC_CR_MSIPLLEN);\n", "", _sectors("L496")),
    "locked too early": (L4, "!spb_wait(BDCR, RCC_BDCR_LSERDY, RCC_BDCR_LSERDY, START_MS)", "false", _sectors("L496")),
    "the LSE goes on": (L4, "if (ours) reg_clear(BDCR, RCC_BDCR_LSEON);", "", _close("L496")),
    "the lock goes on": (L4, "    reg_clear(CR, RCC_CR_MSIPLLEN);\n", "", _close("L496")),
    "USV stays": (L4, "    reg_clear(PWR_BASE + PWR_CR2_OFF, PWR_CR2_USV);\n", "", _close("L496")),
    "the watchdog is not fed": (WAIT, "        spb_port.alive();\n", "", lambda: usb.test_watchdog("L496")),
    "no wait": (WAIT, "0, 1, ms);", "0, 0, ms);", _sectors()),
    "one reset": (CONTROL, "#define RESETS 3u", "#define RESETS 1u", _mastered("two resets")),
    "packets of 64 bytes": (
        CONTROL,
        "    zero.size = data[7];\n",
        "    zero.size = 64;\n",
        _mastered("packets of 8 bytes"),
    ),
    "no wait for the address": (CONTROL, "    spb_usb_pause(ADDRESS_MS);\n", "", _sectors()),
    "the status stage is DATA0": (
        CONTROL,
        "    zero.next = SPB_DATA1;\n    end =",
        "    zero.next = SPB_DATA0;\n    end =",
        _sectors(),
    ),
    "any interface": (
        CONTROL,
        "missing = usable(one) ?",
        "missing = usable(one) || one[5] == MASS_STORAGE ?",
        _told("UAS alone"),
    ),
    "alternate settings": (CONTROL, "interface[3] == 0 && ", "", _told("bulk-only as alternate 1")),
    "hubs": (CONTROL, "            if (one[5] == HUB) return A_HUB;\n", "", _told("a hub by its interface")),
    "any packet size": (CONTROL, " || !packet_size(size)", "", _told("packets of 33 bytes")),
    "a halt is not cleared": (
        STORAGE,
        "got == SPB_BUS_STALL ? spb_usb_clear_halt(&s.usb.in, true) : got",
        "got == SPB_BUS_STALL ? 0 : got",
        usb.test_two_stalls,
    ),
    "the toggle after a halt": (CONTROL, "    pipe->next = SPB_DATA0;\n", "", _halts),
    "one look at the CSW": (
        STORAGE,
        "    if (size == 0) size =",
        "    if (size == 99) size =",
        _recovered("CSW at the second try"),
    ),
    "errors do not count": (OTG, "++errors >= ERRORS", "errors >= ERRORS", _recovered("no answer for a while")),
    "one error is too many": (OTG, "#define ERRORS 3u", "#define ERRORS 1u", _recovered("no answer once")),
    "no reset of the transport": (
        STORAGE,
        "class_request(SPB_USB_CLASS, BULK_ONLY_RESET, 0) >= 0 && ",
        "",
        _mastered("the wrong DATA PID"),
    ),
    "any tag": (STORAGE, "|| s.u.words[1] != s.tag ", "", _recovered("another tag")),
    "any signature": (STORAGE, "|| s.u.words[0] != CSW_SIGNATURE ", "", _recovered("another signature")),
    "any length": (STORAGE, "size != CSW_LEN || ", "", usb.test_a_short_status),
    "a phase error is a failure": (
        STORAGE,
        "u.bytes[12] > 1) return",
        "u.bytes[12] > 2) return",
        _recovered("a phase error"),
    ),
    "any status": (STORAGE, "return s.u.bytes[12] == 0 && ", "return ", _mastered("a failure behind the data")),
    "half is enough": (
        STORAGE,
        "s.u.words[2] == 0 && (uint32_t)got == len ? GOOD",
        "(uint32_t)got <= len ? GOOD",
        _mastered("half of the data"),
    ),
    "no sense": (STORAGE, "result == FAILED && transport", "result == BROKEN && transport", usb.test_sense),
    "the first unit": (
        STORAGE,
        "++s.unit < count",
        "++s.unit < spb_lower(count, 1)",
        _mastered("the third unit has the medium"),
    ),
    "any sector": (
        STORAGE,
        "if (big(s.answer + 4) != SPB_SECTOR_SIZE)",
        "if (big(s.answer + 4) == 0)",
        _told("sectors of 4096 bytes"),
    ),
    "behind the end": (STORAGE, "    if (lba >= s.sectors) return false;\n", "", _sectors()),
    "any type": (STORAGE, "answer[0] != DISK", "answer[0] == 255", _told("a CD")),
    "no debounce": (STORAGE, "    spb_usb_pause(DEBOUNCE_MS);\n", "", _sectors()),
    "not ready is the end": (
        STORAGE,
        "#define READY_TRIES 90u",
        "#define READY_TRIES 3u",
        _mastered("not ready for a second"),
    ),
    "a write": (STORAGE, "READ = 0x28", "READ = 0x2A", _sectors()),
}
_SOON: Final = ("a short reset", "HSI", "any tag", "alternate settings")
_CASES: Final = [pytest.param(bug, marks=[] if bug in _SOON else [pytest.mark.soak]) for bug in BUGS]


@pytest.mark.parametrize("bug", _CASES)
def test_noticed(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin stops at what U1, U2 and U3 forbid, D2 and T1 as well."""
    name, old, new, scene = BUGS[bug]
    build = Bench.__init__

    def changed(self: Bench, board: str, compiler: str = "clang", **more: Any) -> None:
        build(self, board, compiler, (name, old, new), **more)

    monkeypatch.setattr(Bench, "__init__", changed)
    with pytest.raises((TwinError, AssertionError)) as caught:
        scene()
    assert old not in str(caught.value), "the words are not there"
