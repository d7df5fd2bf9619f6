"""A board with its chip, running; the same noun for the emulated chip and for a real one at a serial port.

Over both, an application is typed to, listened to and updated, by the clock of the port: the twin's is virtual.  What
silicon cannot be told over a wire, as to lose its power, is refused with what to do instead."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from spboot import disk
from spboot.boards import Board, Pin
from spboot.chips.silence import Silence
from spboot.device.upgrade import LOADER_WORD, START_S, Upgrade, Way, refused
from spboot.device.versions import version_in, version_told
from spboot.errors import DeviceError
from spboot.formats.program import Program
from spboot.link import ymodem
from spboot.link.delivery import Delivery
from spboot.link.port import Port
from spboot.link.serial_port import SerialPort
from spboot.link.ymodem import Progress
from spboot.releases import Release
from spboot.route import Route, releases

if TYPE_CHECKING:  # a device at a port needs no emulator
    from spboot.twin import Cut, PowerCut, Strict, Twin
    from spboot.twin.snapshot import Snapshot

Through = Literal["loader", "application"]
"""Who takes an update: the loader of the bootloader, or the application that runs."""
File = bytes | str | os.PathLike[str]
"""The bytes of an update, or the path of a file with them."""

_UPDATE_KEY: Final = "u"
"""What the demo application is asked by for an update; one's own may have another command."""
_DELIVERIES: Final = 3
_SHOWN: Final = 400
"""Bytes of what was said last, in an error."""


class Device:
    """*board* on the twin, without power yet; with *port*, the board that is wired to this serial port.

    *seed* decides what the RAM of the twin holds at power-on, and its unique id.  What *silence* names is kept silent
    on the twin, beside what the board's file names.  *strict*: code is stopped where it does what the manual forbids
    and silicon bears, "all" of it, that of the "bootloader" or "none"; other code is warned of, in `twin.warnings`.
    All that is read goes to *on_text*, too.  A context manager, which closes the port; its end is a DeviceError while
    a `cut` is still to come.  Raises LinkError when the port cannot be opened.

    >>> with Device(board) as device:
    ...     device.program(merge(boot, old, keys=keys))
    ...     device.power_on()
    ...     device.cut("12:torn:random=7")
    ...     device.update(patch(old, new, keys=keys), through="application")
    ...     device.version
    '1.1.0'
    """

    def __init__(
        self,
        board: Board,
        *,
        port: str | None = None,
        seed: int = 0,
        silence: Silence | None = None,
        strict: Strict = "bootloader",
        on_text: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self.board = board
        self.heard = bytearray()
        """All that was read from the console."""
        self.on_text = on_text
        self._twin: Twin | None = None
        self._serial: SerialPort | None = None
        self._cut: Cut | None = None
        self._cuts: list[Cut] = []
        self.port: Port
        """The console."""
        if port is not None:
            self.port = self._serial = SerialPort(port, board.console.baud)
            return
        from spboot.twin import Twin

        self._twin = Twin(
            board.chip.name,
            seed=seed,
            vdd_mv=board.vdd_mv,
            core_supply=board.core_supply,
            silence=board.silence if silence is None else board.silence | silence,
            external=[board.external] if board.external is not None else [],
            usb=board.usb,
            ethernet=board.ethernet,
        )
        self._twin.strict = strict
        self._twin.bootloader = range(board.bootloader.address, board.bootloader.end)
        self._twin.uart(board.console.port).baud = board.console.baud
        self.port = self._at_twin(self._twin)
        self.release()

    def __enter__(self) -> Device:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._serial is not None:
            self._serial.close()
        if kind is None and self._cut is not None:
            raise DeviceError(
                f"the cut {self._cut} did not happen: {self.twin.log.total} flash operations in all, cut at an earlier "
                "one; a test that cuts nothing shows nothing"
            )

    # power, flash and pins: the twin's alone

    @property
    def twin(self) -> Twin:
        """The emulated chip.  Raises DeviceError when the board is at a serial port."""
        return self._emulated("look into the chip", "ask it over its console")

    def program(self, content: Program | str | os.PathLike[str]) -> None:
        """Factory programming: what `merge` made, or a file (.hex, .elf; a .bin from the start of flash on)."""
        twin = self._emulated("program flash", "use the board's programmer, with the file that `spboot merge` makes")
        if isinstance(content, Program):
            for segment in content.segments:
                twin.flash_load(segment.address, segment.data)
            return
        from spboot.twin.host import images

        images.load(twin, Path(content))

    def power_on(self) -> None:
        """Switch the supply off, if it is on, and on.  What was said before is not read any more."""
        twin = self._emulated("switch the power", "pull its plug and put it back")
        twin.bootloader = self._bootloader(twin)
        twin.power_on()
        self.port = self._at_twin(twin)

    def _bootloader(self, twin: Twin) -> range:
        """The addresses of ours; none where an application was programmed in its place."""
        from spboot.builder.personal import target_of

        area = self.board.bootloader
        ours = target_of(twin.flash_read(area.address, area.size)) is not None
        return range(area.address, area.end) if ours else range(0)

    def reset(self) -> None:
        """A reset by the reset pin."""
        self._emulated("pull the reset pin", "press its reset button, or type what its application resets by").reset()

    def cut(self, at: int | str | Cut) -> None:
        """Cut the power at a flash operation to come, counted from 0, and give it back at once.

        *at* may be the id of a cut, as "40:torn:random=7" or "40:weak=7" (docs/faults.md), and of one more behind a
        "+", as "40:torn+12:after", whose operation is counted from when the power is back.  Raises TwinError where the
        chip cannot have its fault."""
        twin = self._emulated("cut the power at a flash operation", "pull its plug at some moment")
        from spboot.twin import Cut

        cuts = [at] if isinstance(at, Cut) else Cut.chain(str(at))
        for cut in reversed(cuts):  # a later one that the chip cannot have is refused now; the first one waits
            twin.arm(cut)
        self._cut, *self._cuts = cuts

    @property
    def waiting(self) -> Cut | None:
        """The cut that is still to come."""
        return self._cut

    def cut_again(self) -> None:
        """The power is back after a cut: the next one of its id waits from now on."""
        self._cut = self._cuts.pop(0) if self._cuts else None
        if self._cut is not None:
            self.twin.arm(self._cut)

    def fault(self, fault: str) -> None:
        """Let the flash have a fault that lasts, by its id: "worn:0x08040000=3", a page that is worn after three
        erases, "maximal", the longest times of the data sheet, "held", stores to RAM that a reset loses, or
        "swapped:0x90001000=1", external flash that shows something else once it was read (docs/faults.md).

        Raises TwinError."""
        twin = self._emulated("be given a fault of its flash", "try it on the twin")
        from spboot.device import lasting

        lasting.ask(twin, fault)

    def snapshot(self) -> Snapshot:
        """The twin as it is now, to come back to by `restore`."""
        return self._emulated("be remembered as it is", "program it again").snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Back to *snapshot* of this device; what was heard since is forgotten, and a cut that waits."""
        twin = self._emulated("go back to what it was", "program it again")
        twin.restore(snapshot)
        self._cut = twin.log.cut = None
        self._cuts.clear()
        self.port = self._at_twin(twin)
        self.heard.clear()

    def press(self, seconds: float = 0.3) -> None:
        """Press the button for *seconds*, which pass meanwhile."""
        self.hold()
        self.wait(seconds)
        self.release()

    def hold(self) -> None:
        """Press the button and keep it down, over resets too.  Raises DeviceError when the board has none."""
        twin = self._emulated("press the button", "press it yourself")
        if self.board.button is None:
            raise DeviceError(f"{self.board.name} has no button: `load` on the console enters the loader")
        twin.pins.set(*_driven(self.board.button, active=True))

    def release(self) -> None:
        """Let go of the button, if there is one."""
        twin = self._emulated("let go of the button", "let go of it yourself")
        if self.board.button is not None:
            twin.pins.set(*_driven(self.board.button, active=False))

    @property
    def lit(self) -> bool:
        """Whether the LED is lit.  Raises DeviceError when the board has none."""
        twin = self._emulated("look at the LED", "look at it yourself")
        if self.board.led is None:
            raise DeviceError(f"{self.board.name} has no LED: listen to its console")
        return bool(twin.pins.get(self.board.led.name)) == self.board.led.active_high

    # the console: the same on the twin and on silicon

    def type(self, text: str | bytes) -> None:
        """Send *text* to the console, without a line end that is not in it."""
        self.port.write(text.encode() if isinstance(text, str) else text)

    def hear(self, text: bytes) -> None:
        """Text that was read: it is kept in `heard` and handed on."""
        self.heard += text
        if text:
            self.on_text(text)

    def wait(self, seconds: float) -> bytes:
        """Let *seconds* pass; what is said meanwhile."""
        start, end = len(self.heard), self.port.now() + seconds
        while (left := end - self.port.now()) > 0:
            self.hear(self.port.read(256, left))
        return bytes(self.heard[start:])

    def read_until(self, words: str | bytes, seconds: float = 10.0) -> bytes:
        """What is said up to *words*, and with them; what comes behind is there for the next reader.

        Raises DeviceError when they are not said within *seconds*."""
        wanted = words.encode() if isinstance(words, str) else words
        start = len(self.heard)
        return self._read(
            lambda: self.heard.endswith(wanted) and len(self.heard) - start >= len(wanted), repr(words), seconds
        )

    def wait_for_start(self, seconds: float = START_S) -> str:
        """The version that the bootloader starts next.  Raises DeviceError when it starts none within *seconds*."""
        return self._started(len(self.heard), seconds)

    @property
    def version(self) -> str | None:
        """What runs, as "1.2.3", by what the console said of its last start; None for the loader, and while nothing of
        a start was heard."""
        return version_told(self.heard)

    # updates

    def call(self, through: Through = "loader", *, key: str | None = None, seconds: float = 10.0) -> None:
        """Make the device call for a file: type `load` until the loader does, which takes a reset meanwhile, or *key*,
        "u" when it is not given, until the application does.  Raises LinkError when nobody calls within *seconds*."""
        way = self._way(through, key, seconds)
        ymodem.wait_for_call(self.port, seconds, on_text=self.hear, poke=way.poke, key=way.key)

    def send(self, file: File, *, block: int = 1024, progress: Progress | None = None) -> None:
        """Give *file* to the device, which has just called, by YMODEM.  Raises LinkError, as RefusedError."""
        name, data = _opened(file)
        ymodem.send(self.port, name, data, block=block, progress=progress, on_text=self.hear)

    def update(
        self,
        file: File,
        *,
        through: Through = "loader",
        key: str | None = None,
        seconds: float = 60.0,
        progress: Progress | None = None,
    ) -> None:
        """Send an update, a second time where a power cut or reset lost the first, until its version was started.

        Through the loader, the twin is reset; a board at a port is reset by *key*, what its application does that at,
        or by you within *seconds*.  Through the application, *key* is its command for an update, "u" when not given.
        Raises DeviceError when the device refuses it or starts another version, LinkError when it cannot be reached."""
        name, data = _opened(file)
        wanted, ends = version_in(data), [0]

        def note_end(done: int, total: int) -> None:
            if done == total:
                ends.append(len(self.heard))
            if progress is not None:
                progress(done, total)

        for _ in range(_DELIVERIES):
            if through == "loader" and self._twin is not None:
                self.reset()
            way = self._way(through, key, seconds)
            verdict = way.run(self.port, name, data, on_text=self.hear, progress=note_end)
            if verdict is not None and not verdict.accepted:
                raise refused(name, verdict)
            found = self._started(ends[-1], START_S)
            if verdict is not None or found == wanted:
                break
        if wanted not in (None, found):
            raise DeviceError(f"{name}: the device started {found}, expected {wanted}: read what it said in `heard`")

    def upgrade(
        self,
        found: Sequence[Release] | str | os.PathLike[str],
        *,
        through: Through = "loader",
        key: str | None = None,
        reset: str = "",
        seconds: float = 60.0,
        progress: Progress | None = None,
    ) -> Route:
        """Bring it to the newest of the releases *found*, or in that folder, by patch, chain of patches or full image;
        what was sent.

        *through* and *key* as in `update`; *reset* is what its application resets at.  Raises what `Upgrade` raises."""
        typed = (key or _UPDATE_KEY).encode() if through == "application" else b""
        known = releases(Path(found)) if isinstance(found, (str, os.PathLike)) else found
        way = Way(update=typed, reset=reset.encode(), timeout_s=seconds)
        upgrade = Upgrade(self.port, known, way, on_text=self.hear, progress=progress)
        if self._twin is None or through == "application":
            return upgrade.run()
        self.reset()
        try:
            return upgrade.run()
        finally:
            if upgrade.in_loader:
                self.reset()

    def _way(self, through: Through, key: str | None, seconds: float) -> Delivery:
        if through == "application":
            return Delivery(key=(key or _UPDATE_KEY).encode(), timeout_s=seconds)
        typed = "" if self._twin is not None else key or ""
        return Delivery(poke=LOADER_WORD, key=typed.encode(), timeout_s=seconds)

    def _started(self, start: int, seconds: float) -> str:
        """The version that was or will be started after byte *start* of `heard`."""
        self._read(lambda: version_told(self.heard[start:]) is not None, "the start of an application", seconds)
        return version_told(self.heard[start:]) or ""

    def _read(self, met: Callable[[], bool], what: str, seconds: float) -> bytes:
        start, end = len(self.heard), self.port.now() + seconds
        while not met():
            left = end - self.port.now()
            if left <= 0:
                last = bytes(self.heard[start:][-_SHOWN:]).decode(errors="replace").replace("\r", "").strip()
                raise DeviceError(
                    f"{self.board.name} did not say {what} within {seconds:g} s, but: {last or 'nothing'}"
                )
            self.hear(self.port.read(1, left))
        return bytes(self.heard[start:])

    def _at_twin(self, twin: Twin) -> Port:
        from spboot.twin.host.port import TwinPort

        return TwinPort(twin, self.board.console.port, on_cut=self._lost_power)

    def _lost_power(self, cut: PowerCut) -> None:
        """Only a cut of ours gives the power back."""
        if self._cut is None:
            raise cut
        self.twin.power_on()
        self.cut_again()

    def _emulated(self, what: str, instead: str) -> Twin:
        if self._twin is None:
            assert self._serial is not None
            where = f"{self.board.name} at {self._serial.name}"
            raise DeviceError(f"{where}: no serial port can {what}: {instead}; without a port the device is a twin")
        return self._twin


def _driven(pin: Pin, *, active: bool) -> tuple[str, int]:
    return pin.name, int(pin.active_high == active)


def _opened(file: File) -> tuple[str, bytes]:
    """Name and bytes."""
    if isinstance(file, bytes):
        return "update.bin", file
    return Path(file).name, disk.read(Path(file))
