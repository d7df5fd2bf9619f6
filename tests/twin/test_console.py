"""The person at `spboot twin`: keys of the host, the button, cuts by their ids, the name of the pseudo-terminal."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spboot.cli.console import Keys
from spboot.errors import TwinError
from spboot.twin import Cut, PtyBridge, Twin

from .conftest import build

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")

BUTTON = """void main_(void) { clock_80mhz(); console(80000000 / 115200); RCC_AHB2ENR |= 4; (void)RCC_AHB2ENR;
    REG(0x48000800) &= ~(3u << 26); put('S'); uint32_t last = 2;
    for (;;) {
        uint32_t now = REG(0x48000810) >> 13 & 1; if (now != last) { put(now ? 'u' : 'd'); last = now; }
        if (USART2_ISR & 0x20) { uint8_t c = (uint8_t)USART2_RDR; put(c);
            if (c == 'f') { unlock(); erase(1, 224); program(0x080f0000, 1, 2); program(0x080f0008, 3, 4); put('F'); } }
    } }"""
"""Says S at its start, u and d when the button (PC13, pressed is low) goes up and down, and repeats what it hears; at f
it erases a page and programs two double words."""
RESET, POWER, PRESS, LOADER, LEAVE = b"\x14r", b"\x14p", b"\x14b", b"\x14l", b"\x1d"


def test_keys_are_taken_out() -> None:
    keys = Keys()
    assert keys.take(b"ab\x14rc") == b"abc"
    assert keys.take(b"\x14") + keys.take(b"P") == b"", "the letter may come later"
    assert keys.take(b"\x14f") == b"" and keys.asked.pop() == "frame"
    assert keys.take(b"\x14\x14\x14?\x14z") == b"\x14", "Ctrl-T twice is one for the firmware"
    assert keys.asked == ["reset", "power", "help", "help"]
    assert keys.take(b"d\x1de") == b"d"
    assert keys.asked[-1] == "leave"


IDS = {
    "40": Cut(at=40),
    "0:after": Cut(at=0, when="after"),
    "7:torn:random=0": Cut(at=7, when="torn"),
    "7:torn:random=3": Cut(at=7, when="torn", pattern=("random", 3)),
    "7:torn:prefix=12": Cut(at=7, when="torn", pattern=("prefix", 12)),
    "7:torn:suffix=12:readable": Cut(at=7, when="torn", pattern=("suffix", 12), poison=False),
    "7:torn:miss=63": Cut(at=7, when="torn", pattern=("miss", 63)),
    "7:marginal=5": Cut(at=7, when="torn", pattern=("random", 5), fault="marginal"),
    "7:marginal=5:readable": Cut(at=7, when="torn", pattern=("random", 5), poison=False, fault="marginal"),
    "7:weak=0": Cut(at=7, when="torn", fault="weak"),
    "7:single=12": Cut(at=7, when="torn", pattern=("random", 12), fault="single"),
}


@pytest.mark.parametrize(("text", "cut"), IDS.items())
def test_a_cut_has_an_id(text: str, cut: Cut) -> None:
    assert str(cut) == text
    assert Cut.parse(text) == cut


def test_ids_that_are_none() -> None:
    assert Cut.parse("7:torn") == Cut(at=7, when="torn")
    for text in (
        "",
        "x",
        "-1",
        "7:",
        "7:later",
        "7:torn:rain=1",
        "7:torn:random",
        "7:after:readable",
        "7:torn:miss=-1",
        "7:weak",
        "7:torn:weak=1",
        "7:marginal=1:later",
    ):
        with pytest.raises(TwinError, match="expected the number of a flash operation"):
            Cut.parse(text)
    for given in (
        {"when": "after", "fault": "weak"},
        {"when": "torn", "pattern": ("miss", 3), "fault": "marginal"},
        {"when": "torn", "fault": "single", "poison": False},
        {"when": "torn", "fault": "rust"},
    ):
        with pytest.raises(TwinError, match="fault '"):
            Cut(at=1, **given)  # type: ignore[arg-type]


class Run:
    """`spboot twin NUCLEO-L476RG` with BUTTON, on pipes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        assert process.stdin and process.stdout and process.stderr
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr
        self.said = b""

    def until(self, text: bytes, seconds: float = 30.0) -> bytes:
        """What the firmware says up to *text*."""
        deadline = time.monotonic() + seconds
        while text not in self.said:
            assert time.monotonic() < deadline, (text, self.said)
            if select.select([self.stdout], [], [], 0.1)[0]:
                data = os.read(self.stdout.fileno(), 1024)
                assert data, (text, self.said)
                self.said += data
        at = self.said.index(text) + len(text)
        head, self.said = self.said[:at], self.said[at:]
        return head

    def type(self, data: bytes) -> None:
        self.stdin.write(data)
        self.stdin.flush()

    def leave(self) -> str:
        """Ctrl-]; what the host said in all."""
        self.type(LEAVE)
        assert self.process.wait(30) == 0
        return self.stderr.read().decode()


@contextmanager
def command(folder: Path, *arguments: str) -> Iterator[Run]:
    (folder / "f.elf").write_bytes(build(BUTTON))
    script = "from spboot.cli import main; main()"
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", script, "twin", "NUCLEO-L476RG", "--image", "f.elf", "--speed", "10", *arguments],
        cwd=folder,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    ) as process:
        try:
            yield Run(process)
        finally:
            process.kill()


def test_reset_power_and_button(tmp_path: Path) -> None:
    """stdout is the firmware's alone; each line of the host stands on stderr behind its name."""
    with command(tmp_path) as run:
        assert run.until(b"u") == b"Su"
        run.type(b"a")
        assert run.until(b"a") == b"a"
        run.type(RESET)
        assert run.until(b"u") == b"Su"
        run.type(PRESS)
        assert run.until(b"du") == b"du"
        run.type(POWER)
        assert run.until(b"u") == b"Su"
        run.type(LOADER)
        assert run.until(b"u").replace(b"dS", b"S") == b"Sdu", "held through the reset, then let go of"
        host = run.leave()
    assert [line for line in host.splitlines() if line and not line.startswith("twin: ")] == []
    for words in ("twin: reset", "button pressed", "power off and on", "reset with the button held", "flash not saved"):
        assert words in host


def test_the_button_is_held_at_the_first_power_on_only(tmp_path: Path) -> None:
    with command(tmp_path, "--button") as run:
        assert run.until(b"du") == b"Sdu"
        run.type(POWER)
        assert run.until(b"u") == b"Su"
        run.leave()


def test_a_cut_is_replayed_by_its_id(tmp_path: Path) -> None:
    """The id that a cut prints gives the same flash again, by the command and by the library."""
    flashes = []
    for number, cut in enumerate(("2", "1:torn:random=7", "1:torn:random=8", "1:torn:random=7", "0:weak=1")):
        with command(tmp_path, "--cut", cut, "--state", f"state-{number}") as run:
            run.until(b"u")
            run.type(b"f")
            run.until(b"S")
            host = run.leave()
        assert f"(cut {cut}); power is back" in host
        assert f"flash saved in state-{number}; 1 erases and" in host
        flashes.append((tmp_path / f"state-{number}").read_bytes())
    assert flashes[1] == flashes[3]
    assert len({*flashes}) == 4
    with command(tmp_path, "--cut", "1", "--torn", "--state", "state-9") as run:
        run.until(b"u")
        run.type(b"f")
        run.until(b"S")
        assert "(cut 1:torn:random=0)" in run.leave()
    with command(tmp_path, "--cut", "50") as run:
        run.until(b"u")
        assert "the cut 50 did not happen: there were 0 flash operations" in run.leave()


def test_the_pseudo_terminal_has_one_name(tmp_path: Path) -> None:
    link = tmp_path / "board"
    for _ in range(2):
        with command(tmp_path, "--pty", "board") as run:
            assert run.until(b"\n") == b"board\n"
            line = os.open(link, os.O_RDWR | os.O_NOCTTY)
            os.write(line, b"a")
            assert select.select([line], [], [], 20)[0]
            assert os.read(line, 64)
            os.close(line)
            run.process.send_signal(signal.SIGINT)
            assert run.process.wait(30) == 0
        assert not os.path.lexists(link)
    link.symlink_to("/dev/pts/is-gone")
    with command(tmp_path, "--pty", "board") as run:
        assert run.until(b"\n") == b"board\n", "what a twin left that was killed is replaced"
        assert link.exists()
        run.process.terminate()
        assert run.process.wait(30) == 0


def test_keys_beside_the_pseudo_terminal(tmp_path: Path) -> None:
    """With --pty the keyboard is the host's: no Ctrl-T is needed."""
    with command(tmp_path, "--pty") as run:
        line = os.open(run.until(b"\n").strip(), os.O_RDWR | os.O_NOCTTY)
        run.type(b"xr")
        heard = b""
        while not heard.endswith(b"Su"):
            assert select.select([line], [], [], 30)[0], heard
            heard += os.read(line, 64)
        assert "twin: reset" in run.leave()
        os.close(line)


def test_a_name_in_use_is_refused(tmp_path: Path) -> None:
    twin = Twin("STM32L476RG")
    with PtyBridge(twin, "USART2", link=tmp_path / "board") as bridge:
        assert bridge.path == str(tmp_path / "board")
        with pytest.raises(TwinError, match="exists already"):
            PtyBridge(twin, "USART2", link=tmp_path / "board")
        assert (tmp_path / "board").exists()


def test_pty_before_the_board(tmp_path: Path) -> None:
    """--pty takes what follows for a path; when no board is left, that was the board."""
    (tmp_path / "f.elf").write_bytes(build(BUTTON))
    script = "from spboot.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", script, "twin", "--image", "f.elf", "--pty", "NUCLEO-L476RG"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("/dev/")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
