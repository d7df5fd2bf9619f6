"""Real clients: lrzsz through a pseudo-terminal, `spboot twin` and `spboot send` as a user runs them."""

from __future__ import annotations

import os
import random
import select
import time
from pathlib import Path

import pytest

from spboot.link import ymodem
from tests.system.rig import Rig, Workshop
from tests.system.terminal import HANGS_S, SPEED, lrzsz, on_pty, opened, spboot, twin_command, wait_for


@pytest.mark.parametrize("options", [(), ("-k",)], ids=["128", "1k"])
def test_lrzsz(shop: Workshop, tmp_path: Path, options: tuple[str, ...]) -> None:
    image, patch = tmp_path / "demo-1.1.0.sfb", tmp_path / "demo-1.2.0.sfbp"
    image.write_bytes(shop.image("1.1.0"))
    patch.write_bytes(shop.patch("1.1.0", "1.2.0"))
    rig = Rig(shop)
    rig.enter_loader()
    with on_pty(rig) as path, opened(path) as line:
        done = lrzsz("sb", line, *options, image)
        assert done.returncode == 0, done.stderr.decode()
        wait_for(rig, b"demo 1.1.0 on")
        wait_for(rig, b"r resets")
        os.write(line, b"u")
        wait_for(rig, b"update: send")
        done = lrzsz("sb", line, *options, patch)
        assert done.returncode == 0, done.stderr.decode()
        wait_for(rig, b"demo 1.2.0 on")


def test_lrzsz_is_told_of_a_refusal(shop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "demo.sfb"
    file.write_bytes(shop.image("1.0.0"))
    rig = Rig(shop)
    rig.enter_loader()
    with on_pty(rig) as path, opened(path) as line:
        assert lrzsz("sb", line, file).returncode != 0
        wait_for(rig, b"refused, code 26: already installed")


def test_mixed_blocks(shop: Workshop) -> None:
    """A sender that mixes blocks of 128 and 1024 bytes at will, and repeats one whose answer it lost."""
    rnd = random.Random(3)
    for _ in range(4):
        rig = Rig(shop)
        rig.enter_loader()
        data = shop.image("1.1.0")
        head = b"x\0" + str(len(data)).encode() + b"\0"
        line = ymodem.Dialogue(rig.port)
        line.exchange(ymodem.packet(0, head, rnd.choice((128, 1024))), calling=True)
        line.wait_for_call(1)
        at, number = 0, 1
        while at < len(data):
            size = rnd.choice((128, 1024))
            block = ymodem.packet(number, data[at : at + size], size)
            for _ in range(rnd.choice((1, 1, 2))):
                line.exchange(block)
            at, number = at + size, number + 1
        line.exchange(bytes((ymodem.EOT,)))
        line.wait_for_call(1)
        line.exchange(ymodem.packet(0, b"", 128), calling=True)
        assert b"demo 1.1.0 on" in rig.listen()


def test_damaged_blocks_are_asked_for_again(shop: Workshop) -> None:
    rig = Rig(shop)
    rig.enter_loader()
    write, count = rig.port.write, 0

    def noisy(data: bytes) -> None:
        nonlocal count
        count += 1
        if len(data) > 100 and count % 3 == 0:
            data = data[:50] + bytes([data[50] ^ 8]) + data[51:]
        write(data)

    rig.port.write = noisy  # type: ignore[method-assign]
    rig.send(shop.image("1.1.0"), block=128)
    assert b"demo 1.1.0 on" in rig.listen()


def say_until(path: str, key: bytes, words: bytes) -> None:
    """Type *key* at the device on *path* until it says *words*."""
    deadline, said = time.monotonic() + HANGS_S, b""
    with opened(path) as line:
        while words not in said:
            assert time.monotonic() < deadline, said.decode(errors="replace")
            os.write(line, key)
            while select.select([line], [], [], 1.0)[0]:
                said += os.read(line, 1024)


def test_twin_and_send_commands(shop: Workshop, tmp_path: Path) -> None:
    """Exit codes and words follow from what the device said, the rest is read off the device when it is there."""
    factory, state = tmp_path / "factory.hex", tmp_path / "flash.state"
    image, patch = tmp_path / "demo-1.1.0.sfb", tmp_path / "demo-1.2.0.sfbp"
    shop.factory("1.0.0").save(factory)
    image.write_bytes(shop.image("1.1.0"))
    patch.write_bytes(shop.patch("1.1.0", "1.2.0"))
    with twin_command("--image", factory, "--state", state, "--speed", "1") as path:
        done = spboot("send", path, image, "--key", "r", "--load")
        assert (done.returncode, "verified" in done.stdout) == (0, True), done.stdout + done.stderr
        say_until(path, b"s", b"patch: stage idle")
    with twin_command("--image", factory, "--state", state, "--speed", str(SPEED)) as path:
        # The state wins: 1.1.0 is still there.  It is not up yet when the first key is sent.
        done = spboot("send", path, patch, "--key", "u", "--block", "128")
        assert (done.returncode, "update: complete" in done.stdout) == (0, True), done.stdout + done.stderr
        say_until(path, b"r", b"installed as 1.2.0")
    with twin_command("--state", state, "--speed", "1") as path:
        refused = spboot("send", path, image, "--load", "--key", "r")
        assert refused.returncode == 1, refused.stdout + refused.stderr
        assert "older than installed" in refused.stderr
