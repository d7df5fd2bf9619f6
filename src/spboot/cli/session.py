"""A device that somebody at a terminal runs: its console here or on a pseudo-terminal, keys, cuts and gdb."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import click

from spboot import disk
from spboot.cli import console
from spboot.cli.console import Keys, Terminal, say
from spboot.cli.interruption import told_to_stop
from spboot.cli.keyboard import attended, raw_terminal
from spboot.device import Device
from spboot.errors import TwinError
from spboot.twin import Forward, GdbServer, Halted, LineBridge, PowerCut, PtyBridge, Slirp

_LOOK_S = 0.1
_GDB_LOOK_S = 0.05
"""How long gdb is listened to before the keys are looked at."""
_PRESS_S = 0.3
"""How long the button is pressed, in virtual time; at a start it is held for the second in which firmware looks."""
_HOLD_S = 1.0


class Session:
    """One device from power-on until somebody leaves; with *button*, it is held at the first power-on.

    With *pty* its console is on a pseudo-terminal, of that name unless it is ".".  *frame*: where a picture of the
    display goes; *net*: which port of this machine leads to the device.  Raises TwinError."""

    def __init__(
        self,
        device: Device,
        *,
        button: bool,
        pty: Path | None,
        speed: float,
        gdb_port: int | None,
        frame: Path | None = None,
        net: Forward | None = None,
    ) -> None:
        if button and device.board.button is None:
            name = device.board.name
            raise TwinError(f"{name} has no button: omit --button; `load` on the console enters the loader")
        self.device = device
        self._button, self._pty, self._speed, self._gdb_port, self._frame = button, pty, speed, gdb_port, frame
        self._net = net
        self.twin = device.twin
        self.keys = Keys()
        self.bridge: LineBridge | None = None
        self.gdb: GdbServer | None = None
        self._release_at: float | None = None
        self._warned = 0

    def run(self) -> None:
        """Until Ctrl-], Ctrl-C or SIGTERM.  Raises TwinError."""
        with contextlib.ExitStack() as stack:
            stop = stack.enter_context(told_to_stop())
            self.bridge = self._open(stack)
            if self._net is not None:
                self.bridge.wire = stack.enter_context(self._open_to_net(self._net))
            if self._gdb_port is not None:
                self.gdb = stack.enter_context(self._open_to_gdb(self._gdb_port))
            if self._button:
                self._press(_HOLD_S)
            self.device.power_on()
            while not stop() and "leave" not in self.keys.asked:
                self._go_on(self.bridge, lambda: stop() or bool(self.keys.asked) or self._due())
                self._warn()
                self._serve(self._pty is not None)
        if self._frame is not None:
            self._write_frame(self._frame)

    def _go_on(self, bridge: LineBridge, until: Callable[[], bool]) -> None:
        """Let the firmware run for a while, unless gdb has stopped it.  Raises TwinError when no gdb sees it."""
        if self.gdb is not None:
            self.gdb.serve(_GDB_LOOK_S if self.gdb.stopped else 0.0)
            if self.gdb.stopped:
                bridge.exchange()
                return
        try:
            bridge.pump(until=until, seconds=_LOOK_S)
        except Halted as halt:
            if self.gdb is not None:
                self.gdb.halted(halt)
        except PowerCut as cut:
            say(f"{cut}; power is back", bridge)
            self.device.power_on()
            self.device.cut_again()
            if self.gdb is not None:
                self.gdb.lost_power(cut)
        except TwinError as error:
            if self.gdb is None or not self.gdb.refused(error):
                raise

    def _open_to_gdb(self, port: int) -> GdbServer:
        server = GdbServer(self.twin, port, power_on=self.device.power_on, say=lambda text: say(text, self.bridge))
        say(f"gdb: target remote localhost:{server.port}", self.bridge)
        return server

    def _open_to_net(self, forward: Forward) -> Slirp:
        slirp = Slirp(self.twin.cable, lambda: self.twin.timeline.now // 1000, forward)
        say(f"net: http://127.0.0.1:{slirp.port}/ is port {forward.port} of {forward.device}", self.bridge)
        return slirp

    def _open(self, stack: contextlib.ExitStack) -> LineBridge:
        port, pty, speed = self.device.board.console.port, self._pty, self._speed
        if sys.platform == "win32":
            raise TwinError("on Windows the twin has no console yet: use a machine with a POSIX terminal, as WSL")
        if pty is None:
            stack.enter_context(raw_terminal())
            if sys.stdin.isatty():
                say(console.HELP)
            return Terminal(self.twin, port, speed, self.keys)
        bridge = stack.enter_context(PtyBridge(self.twin, port, speed, link=pty if pty.name else None))
        click.echo(bridge.path)
        if attended():
            stack.enter_context(raw_terminal())
            say(console.HELP)
        return bridge

    def _serve(self, on_pty: bool) -> None:
        """Do what was asked for by keys, and release the button when it is time."""
        if on_pty:
            console.listen(self.keys)
        if self._due():
            self.device.release()
            self._release_at = None
        while self.keys.asked and self.keys.asked[0] != "leave":
            getattr(self, f"_do_{self.keys.asked.pop(0)}")()

    def _warn(self) -> None:
        """Show what was borne since the last time."""
        for warning in self.twin.warnings[self._warned :]:
            say(f"warning: {warning}", self.bridge)
        self._warned = len(self.twin.warnings)

    def _due(self) -> bool:
        return self._release_at is not None and self.twin.time >= self._release_at

    def _press(self, seconds: float) -> None:
        """Press the button; after *seconds* it is let go of."""
        self.device.hold()
        self._release_at = self.twin.time + seconds

    def _do_reset(self) -> None:
        say("reset", self.bridge)
        self.device.reset()

    def _do_power(self) -> None:
        say("power off and on", self.bridge)
        self.device.power_on()

    def _do_button(self) -> None:
        if self._has_button():
            say(f"button pressed for {_PRESS_S} s", self.bridge)
            self._press(_PRESS_S)

    def _do_loader(self) -> None:
        if self._has_button():
            say(f"reset with the button held for {_HOLD_S:g} s", self.bridge)
            self._press(_HOLD_S)
            self.device.reset()

    def _do_frame(self) -> None:
        if self._frame is None:
            say("--frame FILE.png says where a picture of the display goes", self.bridge)
            return
        try:
            self._write_frame(self._frame)
        except TwinError as error:
            say(str(error), self.bridge)

    def _write_frame(self, path: Path) -> None:
        """What the display shows now.  Raises TwinError, DiskError."""
        shown = self.twin.frame()
        disk.write(path, shown.png())
        say(f"{shown.width} x {shown.height} pixels in {path}", self.bridge)

    def _do_help(self) -> None:
        say(console.HELP, self.bridge)

    def _has_button(self) -> bool:
        board = self.device.board
        if board.button is None:
            say(f"{board.name} has no button", self.bridge)
        return board.button is not None

    def farewell(self, state: Path | None) -> None:
        """What was done, and where it is kept."""
        log = self.twin.log
        if self.device.waiting is not None:
            say(f"the cut {self.device.waiting} did not happen: there were {log.total} flash operations", self.bridge)
        kept = f"flash saved in {state}" if state else "flash not saved: --state FILE keeps it"
        done = f"{log.erases()} erases and {log.programs()} programs of flash in {self.twin.time:.1f} s of its time"
        say(f"{kept}; {done}", self.bridge)
        if self.twin.silent:
            accounts = [account for block in self.twin.silent if (account := block.account())]
            say(f"silent: {', '.join(block.name for block in self.twin.silent)}", self.bridge)
            say("\n".join(accounts) or "none of them was accessed", self.bridge)
