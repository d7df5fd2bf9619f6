"""The remote protocol of gdb at a twin, by a raw socket: what is answered, and that nothing sent is an exception."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

from unicorn import arm_const

from spboot.formats import elf
from spboot.twin.host.gdb_packet import LIMIT, escaped, framed

from .conftest import OUT, build
from .gdb_desk import COUNTER, Desk, text

TALKER = """void main_(void) { clock_80mhz(); console(80000000 / 115200); REG(0x40004400) |= 32; OUT[0] = 1;
    while (!(USART2_ISR & 0x20)) { } OUT[0] = 2; for (;;) { } }"""
TROUBLE = """void main_(void) { unlock(); erase(1, 224); program(0x080f0000, 1, 2); OUT[0] = 7;
    (void)REG(0x40006000); for (;;) { } }"""


def monitor(desk: Desk, words: str) -> str:
    """What `monitor` says."""
    heard = desk.put(framed(b"qRcmd," + words.encode().hex().encode()))
    said, done = (part.split(b"#")[0].decode() for part in heard.split(b"$")[1:])
    assert done == "OK"
    return text(said)


# what is asked


def test_registers(desk: Desk) -> None:
    description = ET.fromstring(read_document(desk, "features:read:target.xml"))
    names = [reg.get("name") for reg in description.iter("reg")]
    sizes = [int(reg.get("bitsize", "")) // 8 for reg in description.iter("reg")]
    assert [feature.get("name") for feature in description.iter("feature")] == [
        f"org.gnu.gdb.arm.{name}" for name in ("m-profile", "m-system", "vfp")
    ]
    assert names[:17] == [*(f"r{n}" for n in range(13)), "sp", "lr", "pc", "xpsr"]
    assert names[17:23] == ["msp", "psp", "primask", "basepri", "faultmask", "control"]
    all_of_them = desk.ask("g")
    assert len(all_of_them) == 2 * sum(sizes)
    values = {"r3": "44332211", "msp": "00010020", "primask": "01000000", "basepri": "10000000", "psp": "00020020"}
    values |= {
        "d7": "0102030405060708",
        "pc": "c2010008",
        "sp": "00030020",
        "xpsr": "00000021",
        "faultmask": "01000000",
    }
    for name, value in values.items():
        number = names.index(name)
        assert desk.ask(f"P{number:x}={value}") == "OK"
        assert desk.ask(f"p{number:x}") == value, name
    assert desk.ask(f"p{names.index('msp'):x}") == "00030020", "the stack pointer in use is MSP"
    assert desk.ask("G" + all_of_them) == "OK"
    assert desk.ask("g") == all_of_them
    for bad in ("p999", "pffffffff", "p", "P0", "P0=", "P0=12", "P0=1234567890", "G", "G00", "p-1", "Pzz=00000000"):
        assert desk.ask(bad) in ("E16", "E0e"), bad


def test_registers_of_an_unprivileged_thread(desk: Desk) -> None:
    """All are seen and changed, and the mode stays."""
    control, psp = 22, 18
    assert desk.ask(f"P{psp:x}=00100020") == "OK"
    assert desk.ask(f"P{control:x}=03000000") == "OK"
    assert desk.ask("pd") == "00100020"
    assert desk.ask("P13=01000000") == "OK"
    assert desk.ask("p13") == "01000000"
    assert desk.ask("P11=00400020") == "OK"
    assert desk.ask("p11") == "00400020"
    assert desk.ask(f"p{control:x}") == "03000000"
    assert desk.ask("me000ed00,4") == "41c20f41", "a debugger may read the system control space"
    assert desk.go("s") == ["T05thread:1;"]
    assert desk.twin.faults == [] and not desk.twin.cpu.privileged, "and the thread may no more than before"


def test_flags_of_a_handler(desk: Desk) -> None:
    """A debugger writes flags; the exception that is active stays what it is (ARMv7-M C1.6.3)."""
    desk.twin.core.set(arm_const.UC_ARM_REG_IPSR, 14)
    assert desk.ask("P10=00000061") == "OK"
    assert desk.ask("p10") == "0e000061"


def test_a_small_core_has_no_more_than_it_has(desk_of: Callable[..., Desk]) -> None:
    for part, features in (("STM32G0B1RE", 2), ("STM32WL55JC", 2), ("STM32F769NI", 3)):
        desk = desk_of(COUNTER, part)
        description = ET.fromstring(read_document(desk, "features:read:target.xml"))
        assert len(list(description.iter("feature"))) == features
        masked = [reg.get("name") for reg in description.iter("reg") if reg.get("name") in ("basepri", "faultmask")]
        assert len(masked) == (0 if part == "STM32G0B1RE" else 2)


def read_document(desk: Desk, what: str) -> str:
    """A document in pieces of 100 bytes."""
    out, at = "", 0
    while True:
        piece = desk.ask(f"qXfer:{what}:{at:x},64")
        out, at = out + piece[1:], at + 100
        if piece[0] == "l":
            return out


def test_memory(desk: Desk) -> None:
    assert desk.ask(f"M{OUT + 64:x},3:a1b2c3") == "OK"
    assert desk.ask(f"m{OUT + 63:x},5")[2:8] == "a1b2c3"
    assert desk.ask(b"X%x,4:" % (OUT + 64) + escaped(b"}#$*")) == "OK"
    assert desk.ask(f"m{OUT + 64:x},4") == b"}#$*".hex()
    assert desk.ask(f"X{OUT:x},0:") == "OK"
    assert desk.ask("m8000000,8") == desk.twin.flash_read(0x08000000, 8).hex()
    assert desk.ask("m20017ffe,10") == desk.twin.ram_read(0x20017FFE, 2).hex(), "up to the end"
    assert len(desk.ask("m20000000,ffffffff")) == LIMIT
    for bad in ("m60000000,4", "mffffffff,1", "m", "m0", "m,4", "m20000000,", "m20000000,100000000", "mxyz,4", "m-4,4"):
        assert desk.ask(bad) in ("E16", "E0e"), bad
    for bad in ("M20000000,4:00", "M20000000,4", "M20000000:00", "M20000000,1:0", "M20000000,1:xy", "X20000000,9:a"):
        assert desk.ask(bad) == "E16", bad
    assert desk.ask("M20017ffe,4:00000000") == "E0e"


def test_flash_takes_no_stores_but_a_programmer(desk: Desk) -> None:
    flash = desk.twin.flash_read(0x08010000, 16)
    assert desk.ask("M8010000,4:00000000") == "E0e"
    assert desk.ask("M1fff0000,4:00000000") == "E0e"
    assert desk.twin.flash_read(0x08010000, 16) == flash
    assert desk.ask(b"vFlashWrite:8010000:" + escaped(b"}new:#data$")) == "OK"
    assert desk.twin.flash_read(0x08010000, 11) == b"}new:#data$"
    assert desk.ask("vFlashErase:8010000,800") == "OK"
    assert desk.ask("vFlashDone") == "OK"
    assert desk.twin.flash_read(0x08010000, 16) == b"\xff" * 16
    assert len(desk.twin.log) == 0, "factory programming is no operation"
    for bad in ("vFlashErase:80fffff,2", "vFlashErase:0,ffffffff", "vFlashErase:", "vFlashWrite:20000000:abc"):
        assert desk.ask(bad) in ("E16", "E0e"), bad
    memory = ET.fromstring(read_document(desk, "memory-map:read:"))
    runs = [(each.get("type"), int(each.get("start", ""), 16), int(each.get("length", ""), 16)) for each in memory]
    assert ("flash", 0x08000000, 0x80000) in runs and ("ram", 0x40000000, 0x20000000) in runs
    assert [each[0].text for each in memory if each.get("type") == "flash"] == ["0x800"] * 2


def test_reading_a_register_takes_nothing(desk_of: Callable[[str], Desk]) -> None:
    """The data register of a UART with a byte in it, SysTick's flag, and the interrupt line; a write is a real one."""
    desk = desk_of(TALKER)
    desk.put(framed(b"c"), 40)
    desk.twin.uart("USART2").send(b"k")
    desk.put(b"", 40)
    desk.put(b"\x03")
    before = {name: part.save() for name, part in desk.twin.parts.items()}
    assert desk.ask("m40004424,4") == "6b000000"
    assert desk.ask("m40004424,4") == "6b000000"
    assert desk.ask("m40004424,1") == "6b"
    assert int(desk.ask("m4000441c,1"), 16) & 0x20, "RXNE stays"
    assert desk.ask("me000e010,4")
    after = {name: part.save() for name, part in desk.twin.parts.items()}
    assert before == after
    assert desk.ask("m48000400,4") == "00000000", "without a clock all reads as zero"
    assert desk.ask("M48000418,4:20000000") == "E0e"
    assert desk.ask("M48000018,4:20000000") == "OK"
    assert desk.ask("m48000014,4") == "20000000", "as a store of the firmware does"


def test_where_the_twin_has_nothing_is_an_error(desk: Desk) -> None:
    for address in (0x40006000, 0x42000000, 0x40020000 - 4, 0x40021FFC, 0xE00FFFFC):
        assert desk.ask(f"m{address:x},4") == "E0e"
        assert desk.ask(f"M{address:x},4:00000000") == "E0e"
    assert desk.ask("M40021001,2:0000") == "E0e"
    assert desk.go("s") == ["T05thread:1;"], "and the firmware did not do it"


# going on


def test_go_stop_and_step(desk: Desk) -> None:
    assert desk.ask("?") == "T05thread:1;"
    assert desk.put(framed(b"vCont;c"), 20) == b"+"
    time = desk.twin.time
    assert time > 0.01
    assert desk.put(b"\x03") == framed(b"T02thread:1;")
    stands = desk.twin.time
    assert desk.put(b"", 20) == b"" and desk.twin.time == stands, "while gdb looks, virtual time stands"
    assert desk.put(b"\x03") == b"", "it has stopped already"
    (pc,) = (each.value & ~1 for each in elf.symbols("f.elf", build(COUNTER)) if each.name == "beat")
    assert desk.ask(f"Z1,{pc:x},2") == "OK"
    assert desk.go("c") == ["T05thread:1;"]
    assert desk.pc == pc
    assert desk.go("s") == ["T05thread:1;"]
    after = desk.pc
    assert 0 < after - pc <= 4
    assert desk.ask(f"z1,{pc:x},2") == "OK"
    assert desk.ask(f"Z2,{OUT:x},4") == "OK"
    assert desk.go("vCont;c:1") == [f"T05watch:{OUT:x};thread:1;"]
    assert desk.ask(f"z2,{OUT:x},4") == "OK"
    for body in ("s", "vCont;s:1;c", "S05", f"s{pc:x}", f"C05;{pc:x}", f"vCont;r{pc:x},{after:x}:p1.1"):
        if body[0] == "C":
            assert desk.ask(f"Z0,{after:x},2") == "OK"
        assert desk.go(body) == ["T05thread:1;"], body
    assert desk.ask("vCont?") == "vCont;c;C;s;S;t;r"
    for bad in ("vCont;x", "vCont;", "vCont;r1", "vCont;r,", "czz", "C", "Cxx", "s123456789"):
        answer = desk.put(framed(bad.encode()))
        assert answer in (b"+" + framed(b"E16"), b"+"), bad
        desk.put(b"\x03")


def test_points_that_cannot_be(desk: Desk) -> None:
    for bad in (
        "Z0",
        "Z0,",
        "Z0,zz,2",
        "Z2,20000000,ffffffff",
        "Z2,40000000,4",
        "Z3,20000000,0",
        "z0,1",
        "Z,,",
        "Z0,1;X",
    ):
        assert desk.ask(bad) in ("E16", "E0e"), bad
    assert desk.ask("Z5,20000000,2") == ""
    assert desk.ask("z2,20000000,4") == "OK", "it was never there"


def test_a_fault_a_refusal_and_a_power_cut_are_told(desk_of: Callable[[str], Desk]) -> None:
    desk = desk_of(TROUBLE)
    assert monitor(desk, "cut 1:after") == "the power is cut at flash operation 1:after, counted from now\n"
    said, stop = desk.go("c")
    assert "power cut after program of 8 bytes at 0x080f0000 (cut 1:after); power is back" in text(said)
    assert stop == "T20thread:1;", "SIGPWR"
    assert desk.twin.flash_read(0x080F0000, 8) == bytes([1, 0, 0, 0, 2, 0, 0, 0])
    said, stop = desk.go("C20")
    assert "PROGERR" in text(said) or "0x40006000" in text(said)
    assert stop == "T06thread:1;"
    time = desk.twin.time
    assert desk.go("s")[1] == desk.go("c")[1] == stop, "it stands until a reset"
    assert desk.twin.time == time
    assert monitor(desk, "reset").startswith("reset; stopped at PC 0x0800")
    assert desk.ask("?") == "T05thread:1;"
    assert desk.go("s") == ["T05thread:1;"]
    desk = desk_of("void main_(void) { (void)REG(0x60000000); }")
    said, stop = desk.go("c")
    assert "BusFault" in text(said) and "accessed 0x60000000" in text(said)
    assert stop == "T0bthread:1;"


def test_monitor(desk: Desk) -> None:
    assert "monitor cut [ID]" in monitor(desk, "help") == monitor(desk, "")
    assert monitor(desk, "dance " * 99).startswith("unknown: 'dance dance")
    assert "expected the number of a flash operation" in monitor(desk, "cut never")
    assert monitor(desk, "cut").startswith("the power is cut at flash operation 0")
    assert desk.twin.log.cut is not None
    desk.go("s")
    assert desk.twin.core.executed
    pc = desk.ask("pf")
    assert monitor(desk, "reset halt").startswith("reset")
    assert desk.ask("pf") != pc
    assert "power off and on" in monitor(desk, "power")
    assert "0 flash operations" in monitor(desk, "status")
    for bad in ("qRcmd", "qRcmd,", "qRcmd,zz", "qRcmd,1"):
        heard = desk.put(framed(bad.encode()))
        assert heard.endswith((framed(b"E16"), framed(b"OK"))), bad


def test_queries(desk: Desk) -> None:
    assert f"PacketSize={LIMIT:x};" in desk.ask("qSupported:multiprocess+;swbreak+")
    assert [
        desk.ask(q) for q in ("qC", "qfThreadInfo", "qsThreadInfo", "qAttached", "Hg0", "T1", "!", "qSymbol::")
    ] == [*("QC1", "m1", "l", "1", "OK", "OK", "OK", "OK")]
    for unknown in ("vMustReplyEmpty", "qOffsets", "x20000000,4", "qXfer:auxv:read::0,10", "QNonStop:1", "b", "i", ""):
        assert desk.ask(unknown) == "", unknown
    for bad in ("qXfer:features:read:no.xml:0,10", "qXfer:features:read:target.xml:0", "qXfer:memory-map:read::x,1"):
        assert desk.ask(bad)[0] == "E", bad
    assert desk.ask("qXfer:features:read:target.xml:ffffffff,10") == "l"
    assert desk.ask("qXfer:features:write:target.xml:0:abc") == ""
    assert desk.put(framed(b"QStartNoAckMode")) == b"+" + framed(b"OK")
    assert desk.put(framed(b"?")) == framed(b"T05thread:1;")


def test_a_run_again(desk: Desk) -> None:
    """`run` of extended-remote: kill, and a start from the reset vector."""
    start = desk.ask("pf")
    for _ in range(3):
        desk.go("s")
    assert desk.ask("pf") != start
    assert desk.ask("vKill;1") == "OK"
    assert desk.ask("vRun;") == "T05thread:1;"
    assert desk.ask("pf") == start
    desk.go("s")
    desk.put(framed(b"R00"))
    assert desk.ask("pf") == start
