"""Ethernet of STM32F4 on the twin: frames by rings of descriptors, a PHY by SMI, what a program forgot (RM0090 33)."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from spboot import chips
from spboot.boards import Board
from spboot.chips.silence import Silence
from spboot.errors import TwinError
from spboot.twin import Twin
from spboot.twin.timeline import PS_PER_S

from .conftest import finish, firmware, out

PART = "STM32F429ZI"
HEADER = (Path(__file__).parent / "eth.h").read_text()
OWN = bytes.fromhex("020000000001")
PARTNER = bytes.fromhex("020000000002")


def started(code: str, *, plugged: bool = True, phy: bool = True, negotiated: bool = True) -> Twin:
    """A twin that is about to run *code*, in main_(); its PHY may have had two seconds for its negotiation."""
    twin = Twin(PART, ethernet=Board.load("NUCLEO-F429ZI").ethernet if phy else None)
    twin.flash_load(0x08000000, firmware(f"{HEADER} void main_(void) {{ {code} }}", PART))
    twin.power_on()
    if plugged and phy:
        twin.cable.plug()
    if negotiated:
        twin.timeline.skip(2 * PS_PER_S)
    return twin


def done(code: str, *, plugged: bool = True, negotiated: bool = True) -> Twin:
    twin = started(code, plugged=plugged, negotiated=negotiated)
    finish(twin, 5)
    return twin


def frame(size: int = 60, to: bytes = OWN, kind: int = 0x0800) -> bytes:
    head = to + PARTNER + kind.to_bytes(2, "big")
    return head + bytes(n & 0xFF for n in range(size - len(head)))


def begin(twin: Twin) -> None:
    """Until the firmware waits for frames."""
    assert twin.run(until=lambda: out(twin) == 1, seconds=5)


def owned(twin: Twin) -> bool:
    """Whether the DMA has the first receive descriptor."""
    return bool(int.from_bytes(twin.ram_read(0x20010100, 4), "little") >> 31)


def test_the_phy_negotiates_after_two_seconds() -> None:
    """Its identity, what it offers, and a link that is latched low until it is read."""
    twin = done(
        """set_up(); OUT[0] = smi(0, 2) << 16 | smi(0, 3); OUT[1] = smi(0, 1); OUT[2] = smi(1, 2); OUT[6] = smi(0, 4);
        while (!(smi(0, 1) & 4)) tenth();
        OUT[3] = smi(0, 1); OUT[4] = smi(0, 31); OUT[5] = smi(0, 5);""",
        negotiated=False,
    )
    assert [out(twin, n) for n in range(7)] == [0x0007C131, 0x7809, 0xFFFF, 0x782D, 0x1058, 0xCDE1, 0x01E1]
    assert 2.0 < twin.time < 2.11


@pytest.mark.parametrize(("seconds", "found"), [(3, [0, 4]), (1, [0, 0])])
def test_a_link_that_was_lost_reads_low_once(seconds: int, found: list[int]) -> None:
    """Once it is back, which takes two seconds; what was on the cable is lost."""
    twin = started(
        "set_up(); link(); rings(); OUT[1] = 0; OUT[0] = 1; while (!OUT[1]) { } OUT[2] = smi(0, 1); OUT[3] = smi(0, 1);"
    )
    begin(twin)
    twin.cable.send(frame())
    twin.cable.pull()
    twin.cable.send(frame())
    twin.cable.plug()
    twin.run(seconds=seconds)
    twin.rams.put(0x20000104, b"\1")
    finish(twin)
    assert [out(twin, 2) & 4, out(twin, 3) & 4] == found and owned(twin)


def test_what_is_written_to_the_phy() -> None:
    """10 Mbit/s by force; a reset brings back what it offers; power-down has no link."""
    twin = done(
        """set_up(); smi_write(0, 0, 1 << 8); OUT[0] = smi(0, 31) & 0x101c; OUT[1] = smi(0, 1) & 4;
        smi_write(0, 0, 1 << 15); OUT[2] = smi(0, 0); smi_write(0, 0, 1 << 11 | 1 << 12); OUT[3] = smi(0, 1) & 4;
        smi_write(0, 4, 0x41); smi_write(0, 0, 1 << 12 | 1 << 9); for (int i = 0; i < 21; i++) tenth();
        link(); OUT[4] = smi(0, 31) & 0x101c;"""
    )
    assert [out(twin, n) for n in range(5)] == [0x14, 4, 0x3000, 0, 0x1014]


def test_a_frame_leaves_in_its_time() -> None:
    """Padded to 60 bytes; 100 bytes and 24 around them are 9.92 us at 100 Mbit/s, 1667 cycles."""
    twin = done(
        """set_up(); link(); rings(); for (int i = 0; i < 100; i++) BYTE(TX_BUFFER + i) = i;
        DWT_CTRL; REG(0xe000edfc) |= 1u << 24; DWT_CTRL |= 1; uint32_t from = DWT_CYCCNT;
        transmit(0, TX_BUFFER, 100); while (TX(0)[0] >> 31) { } OUT[0] = DWT_CYCCNT - from; OUT[1] = DMASR;
        DMASR = 1; OUT[2] = DMASR & 1; transmit(1, TX_BUFFER + 1, 17); while (TX(1)[0] >> 31) { }
        transmit(0, TX_BUFFER, 1514); while (TX(0)[0] >> 31) { }"""
    )
    sent = list(twin.cable.take())
    assert sent[0] == bytes(range(100)) and sent[1] == bytes(range(1, 18)).ljust(60, b"\0") and len(sent[2]) == 1514
    assert 1667 <= out(twin) <= 1760
    assert out(twin, 1) & 0x700005 == 0x600005 and out(twin, 2) == 0, "suspended: TBUS, TS"


def test_a_frame_of_three_descriptors_and_two_buffers() -> None:
    twin = done(
        """set_up(); link(); rings(); for (int i = 0; i < 64; i++) BYTE(TX_BUFFER + i) = i;
        TX(0)[0] = 1u << 28; TX(0)[1] = 10 | 20 << 16; TX(0)[2] = TX_BUFFER; TX(0)[3] = TX_BUFFER + 10;
        TX(1)[0] = 1u << 20 | 1u << 31; TX(1)[1] = 33; TX(1)[2] = TX_BUFFER + 30; TX(1)[3] = (uint32_t)TX(4);
        TX(5)[0] = 0; TX(4)[0] = 1u << 31 | 1u << 29; TX(4)[1] = 1; TX(4)[2] = TX_BUFFER + 63;
        TX(0)[0] |= 1u << 31; TPDR = 0; while (TX(4)[0] >> 31) { } OUT[0] = TX(0)[0] | TX(1)[0]; OUT[1] = E(0x1048);
        OUT[2] = E(0x1050);"""
    )
    assert list(twin.cable.take()) == [bytes(range(64))]
    assert out(twin) >> 31 == 0 and [out(twin, n) for n in (1, 2)] == [0x20010050, 0x20011000 + 63]


def test_a_frame_that_waits_when_the_dma_starts() -> None:
    """It needs no poll demand."""
    twin = done(
        """set_up(); link(); rings(); OMR = 1 << 21; TX(0)[1] = 60; TX(0)[2] = TX_BUFFER; TX(0)[0] = 15u << 28;
        TDLAR = (uint32_t)TX(0); OMR = 1 << 21 | 1 << 13; while (TX(0)[0] >> 31) { }"""
    )
    assert len(list(twin.cable.take())) == 1


def test_frames_arrive_in_order_and_none_without_a_descriptor() -> None:
    """Two fill the ring, one is lost and counted; the poll goes on where it stood."""
    code = """set_up(); link(); rings(); IER = 0x18040; OUT[0] = 1;
        while (RX(0)[0] >> 31 || RX(1)[0] >> 31) { }
        while (!(DMASR & 0x80)) { } OUT[1] = RX(0)[0]; OUT[2] = RX(1)[0]; OUT[3] = E(0x1020); OUT[4] = DMASR >> 17 & 7;
        OUT[5] = REG(RX_BUFFER); OUT[6] = REG(RX_BUFFER + 0x800 + 12); OUT[7] = E(0x1020);
        RX(0)[0] = 1u << 31; RPDR = 0;
        OUT[8] = 1; while (RX(0)[0] >> 31) { } OUT[9] = RX(0)[0]; OUT[10] = REG(0xe000e204);"""
    twin = started(code)
    begin(twin)
    for size in (60, 100, 61):
        twin.cable.send(frame(size))
    assert twin.run(until=lambda: out(twin, 8) == 1, seconds=1)
    twin.cable.send(frame(14))
    finish(twin)
    assert [out(twin, 1), out(twin, 2), out(twin, 9)] == [60 << 16 | 0x320, 100 << 16 | 0x320, 60 << 16 | 0x320]
    assert [out(twin, n) for n in (3, 4, 5, 6, 7)] == [1, 4, 2, 0x01000008, 0]
    assert out(twin, 10) >> 29 & 1, "vector 61 pends"


def test_reception_goes_on_with_the_next_frame() -> None:
    """Without a poll demand, once there is a descriptor again."""
    code = """set_up(); link(); rings(); RX(0)[0] = 0; OUT[0] = 1; while (!(DMASR & 0x80)) { } DMASR = 0x80;
        OUT[1] = DMASR; RX(0)[0] = 1u << 31; OUT[0] = 2; while (RX(0)[0] >> 31) { } OUT[2] = DMASR;"""
    twin = started(code)
    begin(twin)
    twin.cable.send(frame())
    assert twin.run(until=lambda: out(twin) == 2, seconds=1)
    twin.cable.send(frame())
    finish(twin)
    assert [out(twin, n) >> 17 & 7 for n in (1, 2)] == [4, 3] and out(twin, 1) & 0x80 == 0


@pytest.mark.parametrize(("mode", "stride"), [("1 << 7", 32), ("1 << 7 | 3 << 2", 44), ("2 << 2", 24)])
def test_enhanced_descriptors_and_a_skip(mode: str, stride: int) -> None:
    """A ring of two, one behind the other by so many bytes."""
    code = f"""set_up(); link(); rings(); OMR = 0; BMR = 1 << 8 | {mode};
        volatile uint32_t *one = RX(0), *two = (volatile uint32_t *)((uint32_t)RX(0) + {stride});
        one[1] = 1524; two[1] = 1u << 15 | 1524; two[2] = RX_BUFFER + 0x800; one[0] = two[0] = 1u << 31;
        RDLAR = (uint32_t)one; OMR = 1 << 25 | 1 << 21 | 1 << 1; OUT[0] = 1; while (two[0] >> 31) {{ }}
       
        OUT[1] = E(0x104c); OUT[3] = E(0x1054); one[0] = 1u << 31; OUT[0] = 2;
        while (one[0] >> 31) {{ }} OUT[2] = REG(RX_BUFFER + 16);"""
    twin = started(code)
    begin(twin)
    for size in (60, 70):
        twin.cable.send(frame(size))
    assert twin.run(until=lambda: out(twin) == 2, seconds=1)
    twin.cable.send(frame(80))
    finish(twin)
    assert [out(twin, 1), out(twin, 3)] == [0x20010100 + stride, 0x20012800]


def test_a_frame_in_small_buffers_with_its_fcs() -> None:
    """Without CSTF its FCS is there, too: 64 bytes in two buffers of 32 are two descriptors."""
    code = """set_up(); link(); rings(); RX(0)[1] = 1 << 14 | 32; RX(1)[1] = 1 << 14 | 32; E(0) &= ~(1u << 25);
        OUT[0] = 1; while (RX(1)[0] >> 31) { }
        OUT[1] = RX(0)[0]; OUT[2] = RX(1)[0]; OUT[3] = REG(RX_BUFFER + 0x800 + 28);"""
    twin = started(code)
    begin(twin)
    twin.cable.send(b"\xff" * 12 + b"\x08\x06" + bytes(46))
    finish(twin)
    assert [out(twin, 1), out(twin, 2)] == [0x200, 64 << 16 | 0x120]
    assert out(twin, 3) == zlib.crc32(b"\xff" * 12 + b"\x08\x06" + bytes(46))


def test_filters() -> None:
    """Own address, broadcast, a second address, multicast with PAM; nothing else, and all with PM."""
    code = """set_up(); link(); rings(); E(0x48) = 1u << 31 | 0x0900; E(0x4c) = 2; E(4) = FILTER; OUT[0] = 1;
        while (!OUT[2]) { } OUT[1] = E(0x1c4);"""
    sends = {
        "own": OWN, "all": b"\xff" * 6, "second": bytes.fromhex("020000000009"),
        "group": bytes.fromhex("01005e000001"), "other": PARTNER,
    }  # fmt: skip
    expected = {"0": {"own", "all", "second"}, "1 << 5": {"own", "second"}, "1 << 4": {"own", "all", "second", "group"},
                "1": set(sends), "1u << 31": set(sends)}  # fmt: skip
    for value, names in expected.items():
        twin = started(code.replace("FILTER", value))
        begin(twin)
        before = twin.snapshot()
        for name, address in sends.items():
            twin.restore(before)
            twin.cable.send(frame(to=address))
            twin.run(seconds=0.001)
            taken = not owned(twin)
            assert taken == (name in names), (value, name)


def test_nothing_passes_without_a_link_and_after_a_snapshot() -> None:
    code = "set_up(); rings(); OUT[0] = 1; transmit(0, TX_BUFFER, 60); while (TX(0)[0] >> 31) { }"
    twin = done(code, plugged=False)
    assert list(twin.cable.take()) == []
    twin = started("set_up(); link(); rings(); OUT[0] = 1; for (;;) { }")
    begin(twin)
    twin.cable.send(frame())
    before = twin.snapshot()
    twin.restore(before)
    twin.run(seconds=0.001)
    assert owned(twin), "what is on the cable is in no snapshot"
    with pytest.raises(ValueError, match="a frame of 1515 bytes"):
        twin.cable.send(bytes(1515))


GO = "set_up(); link(); rings(); "
WRONG = {
    "a clock": ("clock_168mhz(); pins(); rmii(); RCC_AHB1ENR |= 3u << 25; (void)RCC_AHB1ENR; BMR = 1;",
                "DMABMR.SR set with ETHRXEN of RCC_AHB1ENR 0"),
    "no clock": ("BMR = 1;", "ETH_DMABMR accessed while the clock of ETH is off"),
    "25 MHz": ("pins(); rmii(); gates(); BMR = 1;", "DMABMR.SR set with HCLK 16 MHz"),
    "RMII": ("clock_168mhz(); pins(); gates(); BMR = 1;", "MII_RMII_SEL 0. .*no clock of MII"),
    "RMII too late": ("clock_168mhz(); pins(); gates(); rmii(); BMR = 1;", "MII_RMII_SEL was changed after ETHEN"),
    "the pin of the clock": ("clock_168mhz(); rmii(); gates(); RCC_AHB1ENR |= 1; BMR = 1;", "PA1 not REF_CLK"),
    "the reset": ("clock_168mhz(); pins(); rmii(); gates(); BMR = 1; E(0) = 0;",
                  "MACCR written while DMABMR.SR is set"),
    "a pin of data": (GO + "REG(0x40021800) &= ~(3u << 22); transmit(0, TX_BUFFER, 60);", "PG11 not TX_EN of RMII"),
    "MDC": ("set_up(); REG(0x40020800) &= ~(3u << 2); smi(0, 1);", "PC1 not MDC of RMII"),
    "the range of MDC": ("set_up(); MIIAR = 2 << 2 | 1;", "CR 2 with HCLK 168 MHz"),
    "MB": ("set_up(); MIIAR = 4 << 2 | 1; MIIAR = 4 << 2 | 1;", "MACMIIAR written while MB is set"),
    "FES": (GO + "E(0) &= ~(1u << 14); transmit(0, TX_BUFFER, 60);", "FES 0, DM 1 on a link of 100 Mbit/s, full"),
    "a list": ("set_up(); OMR = 1 << 13;", "DMAOMR.ST set with DMATDLAR 0"),
    "a list while it runs": (GO + "RDLAR = 0x20010000;", "DMARDLAR written while DMAOMR.SR is set"),
    "alignment": ("set_up(); TDLAR = 0x20010002;", "Align descriptors"),
    "CCM for descriptors": ("set_up(); TDLAR = 0x10000000; OMR = 1 << 13; TPDR = 0;", "ETH does not reach CCMRAM"),
    "CCM for data": (GO + "transmit(0, 0x10000000, 60);", "TX buffer at 0x10000000: ETH does not reach CCMRAM"),
    "flash for data": (GO + "transmit(0, 0x08000000, 60);", "TX buffer at 0x08000000: ETH does not reach flash"),
    "FS": (GO + "TX(0)[1] = 60; TX(0)[2] = TX_BUFFER; TX(0)[0] = 5u << 29; TPDR = 0;", "with FS 0"),
    "a hole in a frame": (GO + "TX(0)[1] = 60; TX(0)[2] = TX_BUFFER; TX(0)[0] = 9u << 28; TPDR = 0;",
                          "in the middle of a frame has OWN 0"),
    "checksums": (GO + "TX(0)[0] |= 3 << 22; TX(0)[1] = 60; TX(0)[2] = TX_BUFFER; TX(0)[0] |= 15u << 28; TPDR = 0;",
                  "no checksums by the MAC"),
    "a long frame": (GO + "transmit(0, TX_BUFFER, 1515);", "a frame of 1515 bytes"),
    "store and forward": (GO + "OMR &= ~(1 << 21); transmit(0, TX_BUFFER, 100);", "DMAOMR.TSF 0"),
    "PTP": ("set_up(); E(0x700) = 1;", "does not model the clock of PTP"),
    "hash filters": ("set_up(); E(0x08) = 1;", "does not model hash filters"),
    "counters": ("set_up(); E(0x100) = 1;", "does not model control of its counters"),
    "the hash bit": ("set_up(); E(0x04) = 2;", "MACFFR.HU set"),
    "checksums of received frames": ("set_up(); E(0) = 1 << 10;", "MACCR.IPCO set"),
    "frames that wait": ("set_up(); OMR = 1 << 24;", "DMAOMR.DFRF set"),
    "bytes": ("set_up(); BYTE(0x40028000) = 1;", "ETH_MACCR written with 1 bytes"),
    "an offset": ("set_up(); E(0x200) = 1;", "ETH has no register at offset 0x200"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_was_forgotten_is_told(what: str) -> None:
    code, message = WRONG[what]
    twin = started(f"{code} for (volatile int i = 0; i < 99; i++) {{}}")
    with pytest.raises(TwinError, match=message) as caught:
        twin.run(seconds=3)
    assert "PC 0x0800" in str(caught.value)


RECEIVED = {
    "a buffer": ("RX(0)[1] = 1 << 14;", "has no buffer"),
    "four bytes": ("RX(0)[1] = 1 << 14 | 1522;", "has a buffer of 1522 bytes"),
    "room": ("RX(0)[1] = 1 << 14 | 32; RX(1)[0] = 0;", "in the middle of a frame has OWN 0"),
    "CCM": ("RX(0)[2] = 0x10000000;", "RX buffer at 0x10000000: ETH does not reach CCMRAM"),
    "duplex": ("E(0) &= ~(1u << 11);", "FES 1, DM 0 on a link of 100 Mbit/s, full duplex"),
    "a mask of an address": ("E(0x48) = 0x81000000;", "MACA1HR.MBC set"),
}


@pytest.mark.parametrize("what", RECEIVED)
def test_what_a_received_frame_finds(what: str) -> None:
    code, message = RECEIVED[what]
    twin = started(f"{GO} {code} OUT[0] = 1; for (;;) {{ }}")
    begin(twin)
    twin.cable.send(frame(to=PARTNER if "mask" in what else OWN))
    with pytest.raises(TwinError, match=message):
        twin.run(seconds=1)


def test_it_gives_way_to_silence() -> None:
    silence = Silence.parse(["ETH"], {"ETH.0x1000": 1}, chips.load(PART))
    twin = Twin(PART, silence=silence, ethernet=Board.load("NUCLEO-F429ZI").ethernet)
    twin.flash_load(0x08000000, firmware(f"{HEADER} void main_(void) {{ gates(); E(0) = 4; OUT[0] = BMR; }}", PART))
    twin.power_on()
    finish(twin)
    assert out(twin) == 1
    with pytest.raises(TwinError, match="or ETH is silent"):
        _ = twin.cable


def test_boards_without_a_phy_say_so() -> None:
    with pytest.raises(TwinError, match=r"has no Ethernet here: its board file has no \[ethernet\]"):
        _ = Twin(PART).cable
    twin = started("set_up();", phy=False)
    with pytest.raises(TwinError, match="on a board without a PHY"):
        twin.run(seconds=1)
