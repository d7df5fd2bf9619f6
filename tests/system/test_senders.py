"""Other people's senders, and ours in trouble: each ends in the right state with the right words, none waits for ever.

loader/ymodem.h Y1 to Y4."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from spboot.link import ymodem
from spboot.link.delivery import Delivery
from spboot.link.verdict import Verdict
from spboot.twin.host.port import TwinPort
from tests.system import foreign
from tests.system.feeder import CODES, SENTENCES
from tests.system.foreign import NAME, Foreign
from tests.system.rig import Rig, Workshop
from tests.system.terminal import lrzsz, on_pty, opened, wait_for

LONGEST_S = 120
"""Of virtual time for a transfer that goes wrong: ten waits of at most 5 s, and some for the sender."""


class Device:
    """A device whose loader, or whose application, calls for a file; again and again from the same state."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self.rig = Rig(shop)
        self.rig.boot()
        self.rig.ask_application()
        self._application = self.rig.twin.snapshot()
        self.rig.enter_loader()
        self._loader = self.rig.twin.snapshot()

    def calling(self, who: str) -> Rig:
        rig = self.rig
        rig.twin.restore(self._loader if who == "loader" else self._application)
        rig.uart.output.clear()
        rig.twin.log.clear()
        rig.port = TwinPort(rig.twin, rig.board.console.port)
        return rig


@pytest.fixture(scope="module")
def device(shop: Workshop) -> Device:
    return Device(shop)


def sentence(code: str) -> bytes:
    return f"code {CODES.index(code)}: {SENTENCES[code]}".encode()


TAKEN = {
    "no size": Foreign(head=lambda _: NAME),
    "no size, 1K": Foreign(head=lambda _: NAME, block=1024),
    "a size of 0": Foreign(head=lambda _: NAME + b"0"),
    "a blank before the size": Foreign(head=lambda size: NAME + b"  " + str(size).encode()),
    "a size padded to 128": Foreign(head=foreign.padded(128)),
    "a size padded to 1024": Foreign(head=foreign.padded(1024), block=1024),
    "date and mode behind the size": Foreign(head=lambda size: NAME + f"{size} 15071234567 100644 0 1 {size}".encode()),
    "a name of 204 characters": Foreign(head=lambda size: b"n" * 204 + NAME + str(size).encode()),
    "one EOT, then silence": Foreign(end="EOT"),
    "no size, one EOT, then silence": Foreign(head=lambda _: NAME, end="EOT"),
    "no EOT": Foreign(end=""),
    "no size and no EOT": Foreign(head=lambda _: NAME, end=""),
    "the end block without an EOT": Foreign(end="close!"),
    "the end block whatever the answer to EOT was": Foreign(end="EOT close!"),
    "cancelled behind the last block": Foreign(end="CAN"),
    "EOTs in the noise, blocks between": Foreign(between=foreign.noise(3, 4, 7)),
    "a second file": Foreign(end="EOT EOT second"),
}


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("who", ["loader", "application"])
def test_taken(device: Device, name: str, who: str) -> None:
    """The file is whole, so it is taken: Y1, Y3, Y4."""
    if who == "application" and [*TAKEN].index(name) % 3:
        pytest.skip("shown with the loader, which receives by the same code")
    rig = device.calling(who)
    update = device.shop.image("1.1.0") if who == "loader" else device.shop.patch("1.0.0", "1.1.0")
    assert TAKEN[name].send(rig.port, update) == ("refused" if name == "a second file" else "whole")
    rig.twin.run(until=b"r resets", seconds=LONGEST_S)
    said = bytes(rig.uart.output)
    verdict = b"version 1.1.0 received, %d bytes, verified" % len(update) if who == "loader" else b"update: complete"
    assert verdict in said, said
    assert b"demo 1.1.0 on" in said, said
    assert rig.twin.flash_read(rig.board.image_address, len(device.shop.demo("1.1.0"))) == device.shop.demo("1.1.0")


SHORT, LONG = -128, 200
"""Bytes that are sent less, from a whole block, and more."""
ENDED = b"transfer ended: "
REFUSED: dict[str, tuple[Foreign, int, bytes]] = {
    "cut": (Foreign(), SHORT, sentence("TOO_FEW_BYTES")),
    "cut, no size": (Foreign(head=lambda _: NAME), SHORT, sentence("TOO_FEW_BYTES")),
    "cut, one EOT, then silence": (Foreign(end="EOT"), SHORT, sentence("TOO_FEW_BYTES")),
    "cut, no EOT": (Foreign(end=""), SHORT, ENDED + b"too many errors"),
    "cancelled in the middle": (Foreign(end="CAN"), SHORT, ENDED + b"the sender gave up"),
    "silence in the middle": (Foreign(between=foreign.silent(3)), 0, ENDED + b"too many errors"),
    "a size too small": (Foreign(head=lambda size: NAME + str(size - 3).encode()), 0, sentence("TOO_FEW_BYTES")),
    "on behind its size": (Foreign(head=lambda _: NAME + b"200"), 0, ENDED + b"too many errors"),
    "a byte more": (Foreign(), 1, sentence("TOO_MANY_BYTES")),
    "blocks more": (Foreign(), LONG, sentence("TOO_MANY_BYTES")),
    "blocks more, no size": (Foreign(head=lambda _: NAME), LONG, sentence("TOO_MANY_BYTES")),
    "blocks more, whole ones": (Foreign(head=foreign.padded(128)), LONG, sentence("TOO_MANY_BYTES")),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(device: Device, name: str) -> None:
    """The file is not what was signed, or does not come: a sentence, the old version, and a call for the next one."""
    sender, more, words = REFUSED[name]
    rig, update = device.calling("loader"), device.shop.image("1.1.0")
    start = rig.twin.time
    whole = len(update) // 128 * 128
    sender.send(rig.port, update[: whole + more] if more < 0 else update + bytes(range(1, 201))[:more])
    assert rig.twin.run(until=lambda: words in rig.uart.output, seconds=LONGEST_S), bytes(rig.uart.output)
    assert rig.twin.time - start < LONGEST_S
    again = rig.uart.output.find(words)
    assert rig.twin.run(until=lambda: rig.uart.output.find(b"loader: send", again) > 0, seconds=2)
    assert not rig.erases(rig.board.slot0)
    rig.port = TwinPort(rig.twin, rig.board.console.port)
    ymodem.wait_for_call(rig.port, 5, on_text=rig.hear)
    rig.send(update)
    assert b"demo 1.1.0 on" in rig.listen()


@pytest.mark.parametrize(
    ("byte", "pause_s", "longest_s"), [(b"x", 0.15, 5.0), (b"\x02", 0.9, 11.5)], ids=["babble", "a block that drips"]
)
def test_no_wait_is_prolonged_by_what_comes(device: Device, byte: bytes, pause_s: float, longest_s: float) -> None:
    """Y2: a NAK within the bound of one wait; ten of them end the transfer, as silence does above."""
    rig = device.calling("loader")
    heard = bytearray()
    sender = Foreign(between=foreign.dripping(3, byte, pause_s, longest_s, heard))
    assert sender.send(rig.port, device.shop.image("1.1.0")) == "whole"
    assert bytes((ymodem.NAK,)) in heard
    assert b"demo 1.1.0 on" in rig.listen()


@pytest.mark.soak
def test_a_babbling_sender_is_given_up(device: Device) -> None:
    rig = device.calling("loader")
    sender = Foreign(between=foreign.dripping(3, b"x", 0.15, 90, bytearray()))
    assert sender.send(rig.port, device.shop.image("1.1.0")) == "refused"
    assert rig.twin.run(until=ENDED + b"too many errors", seconds=10)


def test_xmodem_is_told(device: Device) -> None:
    rig = device.calling("loader")
    assert foreign.xmodem(rig.port, device.shop.image("1.1.0")) == "refused"
    rig.twin.run(until=b"loader: send", seconds=5)
    assert b"transfer ended: no block 0: send it by YMODEM" in rig.uart.output


def test_the_application_says_why(device: Device) -> None:
    rig = device.calling("application")
    Foreign(end="CAN").send(rig.port, device.shop.patch("1.0.0", "1.1.0")[:100])
    rig.twin.run(until=b"update: not done", seconds=5)
    rig.twin.run(seconds=0.1)
    assert b"update: not done, the sender gave up" in rig.uart.output


# lrzsz


@pytest.mark.parametrize("options", [(), ("-k",)], ids=["128", "1k"])
def test_sb_with_a_long_name(shop: Workshop, tmp_path: Path, options: tuple[str, ...]) -> None:
    file = tmp_path / ("n" * 204 + ".sfb")
    file.write_bytes(shop.image("1.1.0"))
    rig = Rig(shop)
    rig.enter_loader()
    with on_pty(rig) as path, opened(path) as line:
        done = lrzsz("sb", line, *options, file)
        assert done.returncode == 0, done.stderr.decode()
        wait_for(rig, b"version 1.1.0 received")
        wait_for(rig, b"demo 1.1.0 on")


def test_sb_with_two_files(shop: Workshop, tmp_path: Path) -> None:
    """The first is taken; `sb` is told to stop and says so by its exit code."""
    files = [tmp_path / "a.sfb", tmp_path / "b.sfbp"]
    files[0].write_bytes(shop.image("1.1.0"))
    files[1].write_bytes(shop.patch("1.1.0", "1.2.0"))
    rig = Rig(shop)
    rig.enter_loader()
    with on_pty(rig) as path, opened(path) as line:
        assert lrzsz("sb", line, *files).returncode != 0
        wait_for(rig, b"version 1.1.0 received")
        wait_for(rig, b"demo 1.1.0 on")


def test_sx_is_told_to_use_ymodem(shop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "a.sfb"
    file.write_bytes(shop.image("1.1.0"))
    rig = Rig(shop)
    rig.enter_loader()
    with on_pty(rig) as path, opened(path) as line:
        assert lrzsz("sx", line, file).returncode != 0
        wait_for(rig, b"no block 0: send it by YMODEM")


# the package `ymodem` of PyPI, in every style it knows


class VirtualTime:
    """Stands in for the module `time` in that package: its waits pass on the clock of the port."""

    def __init__(self, port: TwinPort) -> None:
        self.perf_counter = port.now


@pytest.mark.parametrize("size", [128, 1024])
@pytest.mark.parametrize("style", ["UNIX_RZ_SZ", "VMS_RB_SB", "PRO_YAM", "CP_M_YAM", "KMD_IMP"])
def test_pypi_ymodem(device: Device, tmp_path: Path, style: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from ymodem import Socket
    from ymodem.Protocol import ProtocolStyleManagement

    assert style in ProtocolStyleManagement().get_available_styles()
    rig = device.calling("loader")
    monkeypatch.setattr(Socket, "time", VirtualTime(rig.port))
    file = tmp_path / "demo.sfb"
    file.write_bytes(device.shop.image("1.1.0"))
    client = Socket.ModemSocket(
        lambda count, timeout=1: rig.port.read(count, timeout) or None,
        lambda data, timeout=1: rig.port.write(bytes(data)),
        packet_size=size,
        style_id=style,
    )
    assert client.send([str(file)])
    rig.twin.run(until=b"r resets", seconds=30)
    assert b"version 1.1.0 received" in rig.uart.output
    assert b"demo 1.1.0 on" in rig.uart.output


# our own


def deliver(
    rig: Rig, data: bytes, *, poke: bytes = b"", key: bytes = b"", during: Callable[[int, int], None] | None = None
) -> tuple[Verdict | None, list[str]]:
    restarts: list[str] = []
    verdict = Delivery(poke=poke, key=key, block=128, timeout_s=20).run(
        rig.port, "update.sfb", data, on_text=rig.hear, on_restart=restarts.append, progress=during
    )
    return verdict, restarts


def resetting(rig: Rig, times: int) -> Callable[[int, int], None]:
    """Resets the device behind the fifth block, *times* times."""
    done = 0

    def during(sent: int, total: int) -> None:
        nonlocal done
        if sent == 5 * 128 and done < times:
            done += 1
            rig.twin.reset("pin")

    return during


@pytest.mark.parametrize("version", ["1.0.0", None])
def test_a_reset_in_the_middle_begins_again(shop: Workshop, version: str | None) -> None:
    """The loader's word brings it back where there is an application; without one it calls by itself."""
    rig = Rig(shop, version)
    rig.enter_loader()
    verdict, restarts = deliver(rig, shop.image("1.1.0"), poke=b"load" if version else b"", during=resetting(rig, 1))
    assert verdict is not None and verdict.accepted
    assert restarts == ["the device was reset in the middle of the file"]
    assert b"demo 1.1.0 on" in rig.heard


def test_a_device_that_is_reset_again_and_again_is_given_up(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.enter_loader()
    with pytest.raises(ymodem.LinkError, match="reset in each of 3 transfers"):
        deliver(rig, shop.image("1.1.0"), poke=b"load", during=resetting(rig, 9))


def test_a_reset_in_the_middle_that_leads_to_the_application(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.enter_loader()
    with pytest.raises(ymodem.LinkError, match="nobody asked for a file in 20 s"):
        deliver(rig, shop.image("1.1.0"), during=resetting(rig, 1))


def test_a_key_is_sent_until_the_application_is_there(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.power_on()
    verdict, _ = deliver(rig, shop.patch("1.0.0", "1.1.0"), key=b"u")
    assert verdict is not None and verdict.accepted
    assert b"demo 1.1.0 on" in rig.heard


def test_a_broken_wire_ends_in_words(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device hears everything, and nothing of what it says arrives."""
    rig = device.calling("loader")
    read = rig.port.read

    def deaf(size: int, timeout_s: float) -> bytes:
        read(size, timeout_s)
        return b""

    monkeypatch.setattr(rig.port, "read", deaf)
    start = rig.twin.time
    with pytest.raises(ymodem.NoAnswerError, match="has not answered for 30 s: reset it and try again"):
        ymodem.send(rig.port, "update.sfb", device.shop.image("1.1.0"))
    assert rig.twin.time - start < 40


@pytest.mark.parametrize("half", [False, True])
def test_ctrl_c_in_the_middle_tells_the_device(device: Device, half: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the middle of a block, which the device then waits for."""
    rig = device.calling("loader")
    write, count = rig.port.write, 0

    def interrupted(data: bytes) -> None:
        nonlocal count
        count += 1
        if count == 5:
            write(data[: 60 if half else 0])
            raise KeyboardInterrupt
        write(data)

    monkeypatch.setattr(rig.port, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        deliver(rig, device.shop.image("1.1.0"))
    rig.twin.run(until=b"loader: send", seconds=5)
    assert b"transfer ended: the sender gave up" in rig.uart.output


@pytest.mark.soak
def test_a_slow_host_is_served(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """30 ms of host time a read, and a clock of the host that says the more: virtual time alone decides."""
    rig = device.calling("loader")
    read, offset = rig.port.read, 0.0
    monotonic = time.monotonic

    def slow(size: int, timeout_s: float) -> bytes:
        nonlocal offset
        time.sleep(0.03)
        offset += 30
        return read(size, timeout_s)

    monkeypatch.setattr(rig.port, "read", slow)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + offset)
    verdict, restarts = deliver(rig, device.shop.image("1.1.0"))
    assert (verdict is not None and verdict.accepted, restarts) == (True, [])
