"""A real gdb at `spboot twin --gdb`: the demo application behind the bootloader, built with debug information."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.builder import demo
from spboot.builder.bootloader import build
from spboot.builder.compiler import Toolchain, toolchain
from spboot.builder.merge import merge
from spboot.formats import program
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version

GDB = shutil.which("gdb-multiarch") or shutil.which("arm-none-eabi-gdb")
BOARD = "NUCLEO-L476RG"
DEBUG = {"-g0": "-g", "-Oz": "-O1", "-flto": "-fno-lto"}

pytestmark = pytest.mark.skipif(GDB is None or sys.platform == "win32", reason="no gdb for Arm: make tools")


def debugged(name: str, core: str) -> Toolchain:
    """The compiler as somebody calls it who wants to debug."""
    tools = toolchain(name, core)
    return replace(tools, compile=tuple(DEBUG.get(word, word) for word in tools.compile))


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """factory.elf of bootloader and demo, and demo-1.0.0.elf beside it."""
    folder = tmp_path_factory.mktemp("gdb")
    board, keys = Board.load(BOARD), Keys.new(folder / "keys", "demo", development=True)
    boot = build(board, keys, folder / "boot")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "toolchain", debugged)
        app = demo.build_demo(board, Version.parse("1.0.0"), folder)
    made = merge(boot, Image.load(app, board, "1.0.0"), keys=keys)
    made.save(folder / "factory.elf")
    assert program.load(folder / "factory.elf", 0).segments == made.segments
    return folder / "factory.elf"


@dataclass
class Running:
    """A twin that runs, with its console and the port for gdb."""

    process: subprocess.Popen[str]
    console: int
    port: int
    elf: Path

    def gdb(self, *commands: str, interrupt: int = 0) -> str:
        """What gdb says to *commands*, with Ctrl-C half a second after the *interrupt*-th "Continuing."."""
        script = [word for line in commands for word in ("-ex", line)]
        options = ("-nx", "-batch", "-iex", "set confirm off", "-iex", "set pagination off", str(self.elf))
        connect = ("-ex", f"target remote localhost:{self.port}")
        pipe = subprocess.PIPE
        with subprocess.Popen([str(GDB), *options, *connect, *script], stdout=pipe, stderr=subprocess.STDOUT) as gdb:
            assert gdb.stdout
            said, deadline, seen = b"", time.monotonic() + 60, 0
            while select.select([gdb.stdout], [], [], deadline - time.monotonic())[0]:
                data = os.read(gdb.stdout.fileno(), 4096)
                if not data:
                    break
                said += data
                if interrupt and not seen and said.count(b"MARK") >= interrupt:
                    seen = 1
                    time.sleep(0.5)
                    gdb.send_signal(signal.SIGINT)
            gdb.kill()
        return said.decode()

    def heard(self, words: bytes, seconds: float = 30.0) -> bytes:
        """What the console says up to *words*."""
        said, deadline = b"", time.monotonic() + seconds
        while words not in said:
            assert select.select([self.console], [], [], max(0, deadline - time.monotonic()))[0], said
            said += os.read(self.console, 4096)
        return said


@contextmanager
def running(elf: Path, *options: str) -> Iterator[Running]:
    """`spboot twin --gdb 0` with *elf*; its console is open all the time."""
    script = "from spboot.cli import main; main()"
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", script, "twin", BOARD, "--image", str(elf), "--gdb", "0", "--pty", "board"]
    with subprocess.Popen(
        [*command, *options], cwd=elf.parent, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        console = -1
        try:
            assert process.stdout and process.stderr
            assert process.stdout.readline() == "board\n"
            found = re.search(r"gdb: target remote localhost:(\d+)", process.stderr.readline())
            assert found
            console = os.open(elf.parent / "board", os.O_RDWR | os.O_NOCTTY)
            yield Running(process=process, console=console, port=int(found[1]), elf=elf)
        finally:
            if console >= 0:
                os.close(console)
            process.terminate()  # it takes its pseudo-terminal away
            process.wait(30)


def test_a_session_behind_the_bootloader(factory: Path) -> None:
    with running(factory) as twin:
        said = twin.gdb(
            "monitor reset",
            "maintenance flush register-cache",
            "print $pc == *(unsigned *)0x08000004 - 1",
            "break demo_main",
            "continue",
            "backtrace",
            "next",
            "info registers pc sp control primask d3",
            "delete",
            "tbreak spb_line_get",
            "continue",
            "print timeout_ms",
            "watch 'driver/tick.c'::t.ms",
            "continue",
            "delete",
            "finish",
            "set var $r7 = 0x1234",
            "print/x $r7",
            "monitor reset",
            "maintenance flush register-cache",
            "tbreak demo_main",
            "continue",
            "awatch *(unsigned *)&status",
            "continue",
            "info symbol $pc",
            "delete",
            "stepi 50",
            "print $msp == $sp",
            "detach",
        )
        assert "$1 = 1" in said, "after a reset the core stands at its reset vector"
        assert "Note: automatically using hardware breakpoints for read-only addresses." in said
        assert re.search(r"Breakpoint 1, demo_main \(\) at demo/main.c:\d+", said)
        assert re.search(r"#0 .*demo_main .*\n#1 .*reset \(\) at demo/start.c", said)
        assert re.search(r"pc +0x80083\w\w +0x80083\w\w <demo_main\+\d+>", said)
        assert "Temporary breakpoint 2, spb_line_get (timeout_ms=250)" in said and "$2 = 250" in said
        assert re.search(r"atchpoint 3: .*\n\nOld value = (\d+)\nNew value = \d+\n", said)
        assert re.search(r"Hardware access \(read/write\) watchpoint 5: .*\n\nValue = ", said)
        assert "Value returned is" in said
        assert "$4 = 0x1234" in said and "$5 = 1" in said
        assert re.search(r"boot_SE_PATCH_InitStatus \+ \d+ in section .flash_08000000", said), "names of the bootloader"
        assert "detached" in said
        twin.heard(b"r resets")


def test_ctrl_c_reset_cut_and_power(factory: Path) -> None:
    with running(factory) as twin:
        twin.heard(b"r resets")
        said = twin.gdb(
            "echo MARK\\n",
            "continue",
            "backtrace 1",
            "monitor status",
            "monitor reset",
            "maintenance flush register-cache",
            "tbreak demo_main",
            "continue",
            "monitor cut 0:after",
            "monitor power",
            "maintenance flush register-cache",
            "info symbol $pc",
            interrupt=1,
        )
        assert "Program received signal SIGINT" in said
        assert re.search(r"PC 0x0800\w+ \(\w+.*\), [\d.]+ s, 0 flash operations", said), said
        assert "reset; stopped at PC 0x0800" in said
        assert "Temporary breakpoint 1, demo_main ()" in said
        assert "the power is cut at flash operation 0:after" in said
        assert "power off and on; stopped at PC" in said
        assert "boot_spb_reset in section" in said
        said = twin.heard(b"r resets").decode(errors="replace")
        assert "starting 1.0.0" in said


def test_a_refusal_is_told_and_looked_at(factory: Path) -> None:
    """The application is sent to where the twin has nothing."""
    with running(factory) as twin:
        twin.heard(b"r resets")
        said = twin.gdb(
            "set var $pc = spb_line_get",
            "print *(unsigned *)0x40006000",
            "set var $sp = 0x20002000",
            "tbreak *($pc & ~1)",
            "set var *(unsigned short *)0x20003000 = 0x6800",  # ldr r0, [r0]
            "set var *(unsigned short *)0x20003002 = 0xe7fe",  # b .
            "set var $pc = 0x20003000",
            "set var $r0 = 0x40006000",
            "continue",
            "print $_siginfo",
            "info registers pc",
            "continue",
            "monitor reset",
            "stepi",
            "detach",
        )
        assert "Cannot access memory at address 0x40006000" in said
        assert "access to 0x40006000, where STM32L476RG has no peripheral" in said, said
        assert said.count("Program received signal SIGABRT") == 2, "it cannot go on"
        assert re.search(r"pc +0x2000300[02]", said)
        assert "reset; stopped at PC" in said
        assert b"starting 1.0.0" in twin.heard(b"r resets"), "and after a reset it can"


def test_gdb_alone_loads_what_merge_wrote(factory: Path) -> None:
    """Into a twin with another program: `load`, and the start of the bootloader."""
    with running(factory) as twin:
        said = twin.gdb("load", "compare-sections .text", "info registers pc", "monitor reset", "detach")
        assert "Loading section .flash_08000000" in said and "Loading section .text" in said
        assert re.search(r"Start address 0x0800\w+, load size \d+", said)
        assert "matched" in said
        assert b"starting 1.0.0" in twin.heard(b"r resets")


def test_a_port_that_is_taken_is_refused_in_words(factory: Path) -> None:
    with running(factory) as twin:
        script = "from spboot.cli import main; main()"
        command = [sys.executable, "-c", script, "twin", BOARD, "--image", str(factory), "--gdb", str(twin.port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 1
        assert f"port {twin.port} of 127.0.0.1 cannot be had" in done.stderr
