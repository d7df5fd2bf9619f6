"""The line between gdb and a twin: packets, damage, noise, clients that come, go, and read nothing."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable

import pytest

from spboot.errors import TwinError
from spboot.twin import GdbServer, Twin
from spboot.twin.host import gdb_packet
from spboot.twin.host.gdb_packet import LIMIT, Event, Reader, escaped, framed, unescaped

from .gdb_desk import Desk

# packets


def test_packets_are_cut_out_of_any_division() -> None:
    stream = b"+garbage$" + b"g#67" + b"\x03-" + b"$m0,4#00" + b"$Xy}\x03#" + b"%02x" % gdb_packet.checksum(b"Xy}\x03")
    expected = [
        Event("packet", b"g"),
        Event("interrupt"),
        Event("again"),
        Event("damaged", b"m0,4"),
        Event("packet", b"Xy}\x03"),
    ]
    assert list(Reader().feed(stream)) == expected
    reader = Reader()
    assert [event for byte in stream for event in reader.feed(bytes([byte]))] == expected


def test_a_packet_that_begins_anew_and_one_that_is_too_long() -> None:
    reader = Reader()
    assert list(reader.feed(b"$m0,$" + framed(b"?"))) == [Event("packet", b"?")]
    assert list(reader.feed(b"$" + b"A" * (LIMIT + 1) + b"#00" + framed(b"?"))) == [
        Event("too long"),
        Event("packet", b"?"),
    ]
    assert list(reader.feed(b"$" + b"A" * (100 * LIMIT))) == []
    assert len(reader._body or b"") <= LIMIT
    assert list(reader.feed(b"#zz")) == [Event("too long")]


def test_binary_data_are_escaped() -> None:
    data = bytes(range(256))
    assert not set(b"#$*") & set(escaped(data))
    assert unescaped(escaped(data)) == data
    assert unescaped(b"a}") == b"a"


# the line


def test_damaged_packets_and_those_that_got_lost(desk: Desk) -> None:
    assert desk.put(b"$?#00") == b"-"
    assert desk.put(b"$?#zz") == b"-"
    assert desk.put(b"$?#3") == b""
    assert desk.put(b"f") == b"+" + framed(b"T05thread:1;")
    assert desk.put(b"-") == framed(b"T05thread:1;"), "once more"
    assert desk.put(b"$" + b"m" * (LIMIT + 1) + b"#00", 20) == b"+" + framed(b"E16")
    assert desk.ask("v" + "A" * (LIMIT - 1)) == ""


def test_noise_is_no_exception(desk: Desk) -> None:
    """Packets with a right checksum of random and of almost right content: an answer each, or an empty one."""
    chance = random.Random(20)
    heads = ["m", "M", "X", "g", "G", "p", "P", "Z0", "Z2", "z1", "vFlashWrite:", "vFlashErase:", "qXfer:", "qRcmd,"]
    heads += ["vRun", "vKill", "vCont;t", "H", "T", "R", "Q", "q", "v", "?"]
    for _ in range(400):
        body = chance.choice(heads).encode() + bytes(chance.choice(b"0123456789abcdef,:;=}\x80\xff-") for _ in range(9))
        desk.put(framed(body.replace(b"#", b"").replace(b"$", b"")), 1)
        desk.put(b"\x03", 1)
    desk.put(b"", 3)
    assert desk.server.attached and desk.server.stopped
    assert desk.ask("?").startswith("T")


def test_one_gdb_at_a_time(desk: Desk) -> None:
    other = desk.connect()
    desk.put(b"")
    assert other.recv(10) == b""
    other.close()
    assert "gdb: a second one was turned away: there is one already" in desk.said
    assert desk.ask("?") == "T05thread:1;"


@pytest.mark.parametrize("how", ["in a packet", "detach", "kill", "reset of the connection"])
def test_a_gdb_that_leaves(desk: Desk, how: str) -> None:
    """The core goes on without breakpoints, and the next one is welcome."""
    assert desk.ask(f"Z0,{desk.pc + 2:x},2") == "OK"
    desk.put({"in a packet": b"$m2000", "detach": framed(b"D"), "kill": framed(b"k")}.get(how, b""))
    if how == "reset of the connection":
        desk.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    desk.line.close()
    for _ in range(3):
        desk.turn()
    assert not desk.server.attached and not desk.server.stopped
    assert desk.twin.debugger is None
    assert desk.twin.run(until=lambda: False, seconds=0.01) is False
    desk.line = desk.connect()
    assert desk.ask("?") == "T05thread:1;"


def test_a_gdb_that_leaves_the_twin_where_it_refused(desk_of: Callable[[str], Desk]) -> None:
    """Then the twin ends with the refusal, as it does without gdb."""
    desk = desk_of("void main_(void) { (void)REG(0x40006000); }")
    desk.go("c")
    desk.line.close()
    with pytest.raises(TwinError, match="access to 0x40006000"):
        desk.turn()


def test_a_gdb_that_reads_nothing_is_let_go(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spboot.twin.host.gdb_server._UNSENT", 1 << 16)
    for _ in range(2000):
        if not desk.server.attached:
            break
        try:
            desk.line.send(framed(b"m20000000,2000"))
        except OSError:
            break
        desk.server.serve()
    assert not desk.server.attached


def test_the_port_is_of_this_machine_alone(desk: Desk) -> None:
    assert desk.server._listener.getsockname()[0] == "127.0.0.1"
    with pytest.raises(TwinError, match=f"port {desk.server.port} of 127.0.0.1 cannot be had: Address already in use"):
        GdbServer(desk.twin, desk.server.port, power_on=desk.twin.power_on, say=print)


def test_a_twin_without_a_debugger_has_none() -> None:
    assert Twin("STM32L476RG").debugger is None
