"""Brings a device to the newest of some releases: asks what it has, chooses the files, delivers them one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from spboot.errors import DeviceError
from spboot.link import ymodem
from spboot.link.delivery import Delivery
from spboot.link.installed import installed, started
from spboot.link.port import Port
from spboot.link.verdict import Verdict
from spboot.link.ymodem import OnText, Progress
from spboot.releases import Release
from spboot.route import By, Route, Update, route
from spboot.version import Version

LOADER_WORD: Final = b"load"
"""What the bootloader opens its loader at."""
_QUIET_S: Final = 3.0
START_S: Final = 60.0
"""Longest wait for an application to start: an install of large sectors takes seconds for each, twice."""
_RESET_S: Final = 5.0
"""Seconds between two tries to reset an application, which may take seconds to start."""
_OTHER_BASE: Final = re.compile(r"code (4|9): ")
"""Codes of a patch that starts from another image than the device has: INVALID_SOURCE_IMAGE, SECTION_NOT_AVAILABLE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a device is reached.  *update*: what its application calls for a file at, b"" to go through the loader of the
    bootloader.  *reset*: what its application resets at, b"" for a board that somebody resets by hand.

    *timeout_s*: longest wait for it to call, and to say its version."""

    update: bytes = b""
    reset: bytes = b""
    timeout_s: float = 60.0

    def delivery(self) -> Delivery:
        """The same for a file."""
        poke, key = (b"", self.update) if self.update else (LOADER_WORD, self.reset)
        return Delivery(poke=poke, key=key, timeout_s=self.timeout_s, quiet_s=_QUIET_S, brief=True)


class Upgrade:
    """One device at *port*, *found* releases and a *way*.  *has*: its version, where somebody knows it.

    All it says goes to *on_text*.  *on_news* is told of a route that will be taken and of each file before it is sent,
    *progress* of its bytes.
    """

    def __init__(
        self,
        port: Port,
        found: Sequence[Release],
        way: Way,
        *,
        has: Version | None = None,
        by: By = "seconds",
        on_text: OnText = lambda _: None,
        on_news: Callable[[Route | Update], None] = lambda _: None,
        progress: Progress | None = None,
    ) -> None:
        self._port, self._found, self._way, self._has, self._by = port, found, way, has, by
        self._on_text, self._on_news, self._progress = on_text, on_news, progress
        self._said = bytearray()
        self._calls = False

    def plan(self) -> Route:
        """What would be sent.  The device says its version at a restart; see `in_loader` for where it is afterwards.

        Raises LinkError; VersionError when the device has a newer version; FormatError, DiskError for a file that is
        not what its release says."""
        try:
            return self._choose()
        finally:
            self._leave()

    def run(self) -> Route:
        """What was sent: the device runs the newest version now.  A patch whose base is another image than the device
        has is followed by the full image.

        Raises what `plan` raises, and DeviceError when the device refuses a file or starts another version."""
        try:
            way = self._choose()
            self._on_news(way)
            if not self._send(way):
                way = self._check(route(self._found, None, self._by))
                self._on_news(way)
                self._send(way)
            return way
        finally:
            self._leave()

    def _send(self, way: Route) -> bool:
        """All steps of *way*.  False: the base of a patch is another image than the device has."""
        for number, step in enumerate(way.steps):
            verdict = self._deliver(step)
            if verdict is None or verdict.accepted:
                self._follow(step, last=number == len(way.steps) - 1)
            elif step.base is not None and _OTHER_BASE.search(" ".join(verdict.words)):
                return False
            else:
                raise refused(step.path.name, verdict)
        return True

    def _choose(self) -> Route:
        """By its version, which an application says when it is asked, and the bootloader before its loader calls."""
        if self._has is None and self._way.reset:
            self._has = self._ask()
        if self._has is None:
            self._call()
            self._has = installed(self._said)
        return self._check(route(self._found, self._has, self._by))

    @staticmethod
    def _check(way: Route) -> Route:
        """All files of it are what they should be, before the first one is sent."""
        for step in way.steps:
            step.read()
        return way

    def _ask(self) -> Version | None:
        """Reset an application, and hear what the bootloader says of it."""
        port, end, again = self._port, self._port.now() + self._way.timeout_s, self._port.now()
        while port.now() < end:
            if port.now() >= again:
                port.write(self._way.reset)
                again = port.now() + _RESET_S
            self._hear(port.read(64, 0.1))
            if started(self._said) is not None:
                break
        return installed(self._said)

    def _call(self) -> None:
        """Wait until the device calls for a file."""
        way = self._way.delivery()
        ymodem.wait_for_call(self._port, way.timeout_s, on_text=self._hear, poke=way.poke, key=way.key)
        self._calls = True

    @property
    def in_loader(self) -> bool:
        """Whether the device was left in its loader, as there was nothing for it; it gives up within a minute."""
        return self._calls

    def _leave(self) -> None:
        """An application that still calls is told that there is nothing.  A loader would begin its minute anew."""
        if self._calls and self._way.update:
            ymodem.decline(self._port, on_text=self._hear)
            self._calls = False

    def _hear(self, text: bytes) -> None:
        self._said += text
        if text:
            self._on_text(text)

    def _deliver(self, step: Update) -> Verdict | None:
        data = step.read()
        self._on_news(step)
        called, self._calls = self._calls, False
        way = self._way.delivery()
        return way.run(self._port, step.path.name, data, on_text=self._hear, progress=self._note, called=called)

    def _note(self, done: int, total: int) -> None:
        """What is said behind the last block is of this file, and not of a restart in its middle."""
        if done == total:
            self._said.clear()
        if self._progress is not None:
            self._progress(done, total)

    def _follow(self, step: Update, *, last: bool) -> None:
        """Wait until the version of *step* runs, or is in SLOT0 when the loader takes the next file at once."""
        if last or self._way.update:
            end = self._port.now() + START_S
            while started(self._said) is None and self._port.now() < end:
                self._hear(self._port.read(64, 0.1))
            found = started(self._said)
        else:
            self._call()
            found = installed(self._said)
        if found != step.version:
            raise DeviceError(
                f"{step.path.name}: the device has {found or 'said nothing of a version'}, expected {step.version}: "
                "reset it, and run this again"
            )


def refused(name: str, verdict: Verdict) -> DeviceError:
    """The error about the file *name*, by the device's own words."""
    return DeviceError(f"{name}: the device refused it: {'; '.join(verdict.words) or 'it did not say why'}")
