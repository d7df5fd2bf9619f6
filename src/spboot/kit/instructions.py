"""What to do with a kit, for exactly one board: Markdown that is read as it stands, its facts those of the board.

What is typed stands in indented blocks; tests/system/test_kit.py types it, with the twin as the board."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version as package_version
from typing import Final

from spboot import trial
from spboot.boards import Board, Pin
from spboot.boards.layout import size_text
from spboot.boards.model import DEBUG_PINS
from spboot.builder.bootloader import boot_version
from spboot.programmer import by_hand

_WIDTH: Final = 120
_HEX: Final = "factory.hex"
_BIN: Final = "factory.bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the page tells of.  *named*: the board as commands call it, in the folder.  *rows*: file, what it is for."""

    board: Board
    named: str
    key: str
    rows: tuple[tuple[str, str], ...]

    @property
    def port(self) -> str:
        """An example of a port on Linux."""
        return "/dev/ttyACM0" if self.board.labels.probe else "/dev/ttyUSB0"

    @property
    def second(self) -> str:
        """The update to 1.2.0."""
        return "demo-1.2.0.sfb" if self.board.slot1 is None else "demo-1.2.0.sfbp"

    def has(self, file: str) -> bool:
        return any(name == file for name, _ in self.rows)


def text(facts: Facts) -> str:
    """The whole page."""
    parts = (
        _head(facts),
        _files(facts),
        _connect(facts),
        _program(facts),
        _listen(facts),
        _rehearse(facts),
        _first_update(facts),
        _second_update(facts),
        *_trial(facts),
        _own(facts),
        _empty(facts),
        _tell(),
    )
    numbered, number = [], 0
    for part in map(str.strip, parts):
        if part.startswith("## # "):
            number += 1
            part = part.replace("## # ", f"## {number}. ", 1)
        numbered.append(part)
    return "\n\n".join(_flowed(part) for part in numbered) + "\n"


def _flowed(part: str) -> str:
    """With paragraphs and items of lists in lines of one width, whatever the lengths of the facts in them."""
    return "\n\n".join(_block(block) for block in part.split("\n\n"))


def _block(block: str) -> str:
    if block.startswith(("#", "|", "    ", "      ")):
        return block
    items = re.split(r"\n(?=- )", block)
    return "\n".join(
        textwrap.fill(
            " ".join(item.split()),
            _WIDTH,
            subsequent_indent="  " if item.startswith("- ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for item in items
    )


def _head(facts: Facts) -> str:
    board = facts.board
    return f"""
# Trying spboot {package_version("spboot")} on {board.name}

This folder is for {board.name} with its {board.chip.name}, and for no other board: the files of another one are
refused by it.

**It was not tried on silicon.** The very files of such a folder run in the tests on an emulated chip. Take a
board that you can erase.

**The keys are development keys.** Whoever has this folder can sign updates for a board that was programmed from it (key
{facts.key}). Never ship a device with them; it says `DEVELOPMENT KEYS` at every start.

Commands are typed in this folder. Those that begin with `spboot` need spboot, the others do not. On Linux and
macOS, keys that were
unpacked for everybody to read are refused: `chmod -R go= development-keys` closes them."""


def _files(facts: Facts) -> str:
    rows = "\n".join(f"| `{name}` | {what} |" for name, what in facts.rows)
    return f"""
| file | what it is |
|---|---|
{rows}
| `development-keys/` | the keys of all of these: private, marked as development keys, to make further updates with |
| `SHA256SUMS` | hashes of the files above, for `sha256sum -c SHA256SUMS` |"""


def _connect(facts: Facts) -> str:
    board = facts.board
    labels, console = board.labels, board.console
    where = f"the {labels.console}" if labels.console else "a serial adapter"
    probe = f"The {labels.probe} of the board is the debug probe: one USB cable to it is all."
    if not labels.probe:
        pins = " and ".join(f"{signal} ({pin})" for pin, signal in DEBUG_PINS.items())
        probe = f"The board has no debug probe: connect one, an ST-LINK say, to {pins}, reset and ground."
    held = "; held at a reset, it opens the bootloader's loader" if board.button else ""
    manual = f" Connectors and jumpers stand in {labels.manual}." if labels.manual else ""
    return f"""
## # Connect

{probe}{manual}

- Console: {where}, that is {console.port} with {console.tx.name} (the board sends) and {console.rx.name} (it
  receives), at
  **{console.baud:,} baud, 8 data bits, no parity, 1 stop bit, no flow control**. On Linux the port is
  `{facts.port}` or alike, on Windows
  `COM3` or alike; `spboot ports` lists them.
- Button: {_switch(board.button, labels.button, "pressed")}{held}.
- LED: {_switch(board.led, labels.led, "lit")}. It changes with each page of an update, and blinks while the
  demo runs."""


def _switch(pin: Pin | None, label: str, when: str) -> str:
    if pin is None:
        return "none on this board"
    level = "high" if pin.active_high else "low"
    return f"{label}, {pin.name}, {level} when {when}" if label else f"{pin.name}, {level} when {when}"


def _program(facts: Facts) -> str:
    board = facts.board
    rows = by_hand(board, _HEX)
    lines = "\n".join(f"    {row.program}" for row in rows)
    names = ", ".join(row.programmer.title for row in rows[:-1])
    drive = ""
    if board.labels.probe and facts.has(_BIN):
        drive = f"\n\nWithout any of them: copy `{_BIN}` onto the drive that the {board.labels.probe} shows."
    part = board.chip.name.lower()
    return f"""
## # Program

The first line takes whichever of the programs is here, the others are for one of them: {names} and
{rows[-1].programmer.title}.

    spboot flash {_HEX} --board {facts.named}
{lines}

pyOCD wants to know the part, as `pyocd pack install {part}` tells it; then `spboot flash {_HEX} --board
{facts.named} --with pyocd`. OpenOCD's
line is for an ST-LINK. A version of OpenOCD or st-flash that is older than the part does not know it, and says
so.{drive}

Read the option bytes before, and write them down: nothing here changes one, and the bootloader says at its
start when one does not fit."""


def _listen(facts: Facts) -> str:
    board = facts.board
    slot1 = f"SLOT1 {board.slot1.address:08x}" if board.slot1 else "no SLOT1"
    name, boot = board.name, boot_version()
    return f"""
## # Listen

    spboot monitor {facts.port} --board {facts.named}

or any terminal program. At a reset the board says, with times in front, among other lines:

    spboot {boot} for {name}, {board.clock_hz // 1_000_000} MHz, reset by
    SLOT0 {board.slot0.address:08x}, {size_text(board.slot0.size)}, {slot1}
    self check good, product demo; type load for the loader
    DEVELOPMENT KEYS: anybody can sign
    SLOT0 holds 1.0.0
    starting 1.0.0
    demo 1.0.0 on {name}, installed as 1.0.0, bootloader {boot}

A line that begins with `option bytes:` may be among them, and says what could be set better. Anything else, or
nothing: write it down, see
the last section."""


def _rehearse(facts: Facts) -> str:
    return f"""
## # The same without the board

    spboot twin {facts.named} --image {_HEX} --state board.state --pty board

emulates it, on Linux or macOS. Its console is the port `board`, for another terminal in this folder: type
`board` for `{facts.port}` below.
Ctrl-] leaves it, `r` resets it."""


def _first_update(facts: Facts) -> str:
    held = ". Or hold the button at the reset" if facts.board.button else ""
    return f"""
## # An update through the loader: 1.0.0 to 1.1.0

    spboot verify demo-1.1.0.sfb --keys development-keys
    spboot send {facts.port} demo-1.1.0.sfb --load

and reset the board while `send` waits: it types `load`, for which the bootloader listens at its start. The
board then says `starting 1.1.0`.

Without spboot: reset the board and type `load` within a tenth of a second; a first letter gives you two seconds{held}.
The board says `loader: send a ` and then what it takes. Send the file by YMODEM:

- Tera Term: File, Transfer, YMODEM, Send; choose the file.
- lrzsz, with no terminal open on the port:

      stty -F {facts.port} {facts.board.console.baud} raw -echo
      sb demo-1.1.0.sfb < {facts.port} > {facts.port}

It says that the version was received and verified, resets, and starts it. {_cut(facts)}"""


def _cut(facts: Facts) -> str:
    if facts.board.slot1 is None:
        return (
            "Pull the plug while it is sent: this board has a single slot, so it stays in its loader then, says so, "
            "and takes the file again."
        )
    return (
        "Pull the plug in the middle of `installing`, as often as you like: at the next start it goes on where it was."
    )


def _second_update(facts: Facts) -> str:
    board = facts.board
    if board.slot1 is None:
        return f"""
## # Another one: 1.1.0 to 1.2.0

    spboot send {facts.port} {facts.second} --load

and reset the board meanwhile. With its single slot {board.name} takes no patches, and no updates by the application."""
    confirmed = "\n    demo: confirmed, this version stays" if trial.room(board) else ""
    return f"""
## # A patch through the application: 1.1.0 to 1.2.0

    spboot verify {facts.second} --keys development-keys --from apps/demo-1.1.0.elf
    spboot send {facts.port} {facts.second} --key u

The demo takes a file when it is sent a `u`; with another program type `u`, then send by YMODEM as above. It
holds only what changed. A board
that has another version refuses it, and says so. Then the board says:

    starting 1.2.0{confirmed}"""


def _trial(facts: Facts) -> Iterator[str]:
    """Nothing where there are no trials."""
    board = facts.board
    if not trial.room(board):
        return
    yield f"""
## # An update that nobody confirms goes back

An update is on trial until its application calls `SE_APP_ConfirmActiveFw`. The demo does so at once; 1.3.0
waits until you type `c`.

    spboot send {facts.port} trial-1.3.0.sfb --load

and reset the board meanwhile. It says:

    on trial
    starting 1.3.0
    trial: not confirmed; c keeps it, a reset goes back to the version before

Now press reset, or type `r`. The version before comes back{_starts(board)}, and tells of it:

    reverted
    starting 1.2.0
    demo: 1.3.0 was given up: update not confirmed

Send 1.3.0 again and type `c` to keep it: `trial: this version stays`."""


def _starts(board: Board) -> str:
    return "" if board.trial_starts == 1 else f" after {board.trial_starts} starts"


def _own(facts: Facts) -> str:
    options = f"--board {facts.named} --keys development-keys --version"
    patch, which = "", "Reset the board meanwhile."
    if facts.board.slot1 is not None:
        which = "The patch is for boards that run 1.2.0; reset the board meanwhile."
        change = "--from apps/demo-1.2.0.elf --from-version 1.2.0 --to apps/demo-1.1.0.elf"
        patch = f"\n    spboot patch {change} {options} 1.4.0 -o own-1.4.0.sfbp"
    return f"""
## # An update of your own

Link an application for {facts.board.image_address:#010x}, with the two linker files and the header of `boot`.
Any number above that of the
installed version will do; here the old demo stands for your application. {which}

    spboot image apps/demo-1.1.0.elf {options} 1.4.0 -o own-1.4.0.sfb{patch}
    spboot send {facts.port} own-1.4.0.sfb --load"""


def _empty(facts: Facts) -> str:
    rows = by_hand(facts.board, _HEX)
    lines = "\n".join(f"    {row.erase}" for row in rows)
    return f"""
## # Back to an empty chip

Any of these erases the whole flash, bootloader included; nothing else was changed:

{lines}"""


def _tell() -> str:
    return """
## # What to tell us

The board and its revision, the programmer and its version, what the console said from the reset on, what you
did, and at which of the steps
above it was otherwise. What the messages mean stands in `docs/troubleshooting.md` of spboot."""
