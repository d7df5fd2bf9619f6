"""Flash chips with serial NOR cells, beside the microcontroller: nor/NAME.toml, or a file of a user in the same form.

A chip understands commands in its *protocol*: "spi" (the command comes on one line), "qpi" (on four), "opi" (on eight)
and "dopi" (on eight, two bits a clock).  A *shape* says on how many lines command, address and data travel, as
"1-1-4"; 0 where there is none, "8d" with two bits a clock.

Keys of a file: `id`, `size` and `address` (bytes of an address after power-on); `register` with the value that each has
after power-on, *kept* where it is not volatile; `protocol`, the field of a register that chooses it; `protect`, the
bits that protect blocks; `flags`, bits of the register FLAGS; `quad`, the bit that commands with data on four lines
need; `four_bytes`, the bit that shows addresses of four bytes; `continuous`, how a read says that the next one comes
without its command; `choice`, numbers that a field of a register chooses; `times` in microseconds; `command`, and in
short form `plain`, `get` and `set`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from spboot.errors import BoardError

FOLDER: Final = Path(__file__).resolve().parent / "nor"
Protocol = Literal["spi", "qpi", "opi", "dopi"]
Choice = int | tuple[int, ...] | str
"""A number, several of which each will do, or the name of a `Field` with values."""
BLOCK: Final = 0x1_0000
"""Bytes of flash, of all chips, that are erased at once at most: as many as a batch of an install has (`step_every` of
the journal)."""
_PROTOCOLS: Final[dict[str, Protocol]] = {"1": "spi", "4": "qpi", "8": "opi", "8d": "dopi"}
DOES: Final = frozenset(
    [
        *("read", "program", "erase", "read-id", "get", "set", "get-addressed", "set-addressed", "protocol"),
        *("four-bytes", "three-bytes", "write-enable", "write-disable", "clear-flags", "suspend", "resume"),
        *("sleep", "wake", "reset-enable", "reset", "end-continuous"),
    ]
)
"""What commands do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """One register of a chip: its value as shipped, and after each power-on unless it is *kept*."""

    value: int
    bytes: int = 1
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Bits of a register from *low* on, and what each of their values stands for."""

    register: str
    low: int
    values: tuple[Any, ...]

    def of(self, registers: Mapping[str, int]) -> Any:
        """What the registers say."""
        return self.values[registers[self.register] >> self.low & (1 << (len(self.values) - 1).bit_length()) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """*bits* of a register, the lowest first, that protect 2^(n-1) blocks of 64 KB of the chip, the upper ones unless
    the bit *bottom* is set."""

    register: str
    bits: tuple[int, ...]
    bottom: tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command in one shape.  *op* has two bytes in the protocols on eight lines.

    *address* is its bytes, or "mode" where the chip chooses; *dummy* its clocks without data, those of a mode byte
    included, which it takes where *mode* is set.  *mhz* is the fastest clock."""

    does: str
    op: int
    shape: str
    address: int | str = 0
    dummy: Choice = 0
    mhz: Choice = 0
    mode: bool = False
    repeat: int = 1
    """How often each byte of the answer comes."""
    size: int = 0
    us: tuple[int, int] = (0, 0)
    """Typical and maximal time of an erase of *size* bytes."""
    to: str = ""
    registers: tuple[str, ...] = ()
    enable: bool = False
    """WREN has to come first."""

    @property
    def protocol(self) -> Protocol:
        """In which it is understood."""
        return _PROTOCOLS[self.shape.partition("-")[0]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Microseconds, typical and maximal: a program of 256 bytes, a write of kept registers, until a suspend is done,
    after a reset, after one that cut an erase, after a wake-up.  *resume*: less than that between a resume and the next
    suspend, and the operation gets nowhere."""

    program: tuple[int, int]
    register: tuple[int, int]
    suspend: tuple[int, int]
    reset: tuple[int, int]
    reset_from_erase: tuple[int, int]
    wake: tuple[int, int]
    resume: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NorFlash:
    """One kind of chip.  *page* is what a program wraps in."""

    name: str
    id: bytes
    size: int
    address: int
    times: Times
    commands: tuple[Command, ...]
    registers: dict[str, Register]
    page: int = 256
    sector: int = 0x1000
    choices: dict[str, Field] = field(default_factory=dict)
    protocol: Field | None = None
    protect: Protection | None = None
    flags: dict[str, int] = field(default_factory=dict)
    quad: tuple[str, int] | None = None
    four_bytes: tuple[str, int] | None = None
    addressed: dict[int, str] = field(default_factory=dict)
    """Address -> register, for the commands that choose one by an address."""
    continuous: str = ""

    def block(self, count: int) -> int:
        """Bytes that each of *count* chips in parallel erases at once, in less time than as many sectors take: the most
        that make up to `BLOCK` together; 0 where there is no such command on one line."""
        sizes = {command.size for command in self.commands if command.does == "erase" and command.shape == "1-1-0"}
        return max((n for n in sizes if self.sector < n <= BLOCK // count and self.block_gain(n) > 1), default=0)

    def block_gain(self, size: int) -> float:
        """How often the time of an erase of *size* bytes at once goes into that of as many sectors."""
        return self.erase_us(self.sector)[0] * (size // self.sector) / self.erase_us(size)[0]

    def erase_us(self, size: int) -> tuple[int, int]:
        """Typical and maximal time of an erase of *size* bytes at once; where it has none, of as many sectors."""
        times = {command.size: command.us for command in self.commands if command.does == "erase"}
        many = 1 if size in times else size // self.sector
        typical, most = times[size if size in times else self.sector]
        return typical * many, most * many

    def program_us(self, size: int) -> float:
        """Typical time of a program of *size* bytes: an eighth of that of a page, and the rest in proportion (decision
        0080)."""
        return self.times.program[0] * (1 + 7 * size / self.page) / 8


def _pair(numbers: list[int]) -> tuple[int, int]:
    typical, maximal = numbers
    return typical, maximal


def _commands(table: dict[str, Any]) -> Iterator[Command]:
    """Those of a file, in all their forms."""
    for row in table.pop("command"):
        rest = {key: value for key, value in row.items() if key not in ("forms", "register", "us")}
        names = tuple(row["register"].split()) if "register" in row else ()
        for form in row["forms"]:
            given: dict[str, Any] = {
                key: tuple(v) if isinstance(v, list) else v for key, v in form.items() if key != "shapes"
            }
            for shape in form["shapes"]:
                us = _pair(row.get("us", [0, 0]))
                yield Command(**rest, **given, shape=shape, registers=names, us=us)
    for kind in ("plain", "get", "set"):
        short = table.pop(kind)
        shapes = short.pop("shapes")
        for name, ops in short.items():
            does, names = (name, ()) if kind == "plain" else (kind, tuple(name.split()))
            for op, shape in ((op, shape) for op in ops for shape in shapes):
                whole = op << 8 | op ^ 0xFF if shape.startswith("8") else op
                yield Command(does=does, op=whole, shape=shape, registers=names)


def parse(name: str, table: dict[str, Any]) -> NorFlash:
    """The chip *name*, as its file says.  Raises BoardError for a key that is missing, unknown or of another form."""
    table = dict(table)
    try:
        commands = tuple(_commands(table))
        times: dict[str, Any] = {key: v if key == "resume" else _pair(v) for key, v in table.pop("times").items()}
        registers = {key: Register(**value) for key, value in table.pop("register").items()}
        choices = {k: Field(**{**v, "values": tuple(v["values"])}) for k, v in table.pop("choice", {}).items()}
        if "protocol" in table:
            table["protocol"] = Field(**{**table["protocol"], "values": tuple(table["protocol"]["values"])})
        if "protect" in table:
            given = table["protect"]
            bits, (register, bit) = tuple(given["bits"]), given["bottom"]
            table["protect"] = Protection(**{**given, "bits": bits, "bottom": (register, bit)})
        for key in ("quad", "four_bytes"):
            if key in table:
                table[key] = tuple(table[key])
        addressed = {int(key, 0): register for key, register in table.pop("addressed", {}).items()}
        found = NorFlash(
            name=name, id=bytes(table.pop("id")), times=Times(**times), commands=commands, registers=registers,
            choices=choices, addressed=addressed, **table,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise BoardError(f"flash chip {name}: {error}; expected the keys that nor_flash.py names") from None
    _check(found)
    return found


def _check(chip: NorFlash) -> None:
    """Raise BoardError where a file does not fit itself."""
    known = {*chip.registers, "FLAGS"}
    for command in chip.commands:
        parts = command.shape.split("-")
        names = {value for value in (command.dummy, command.mhz) if isinstance(value, str)}
        wrong = (
            (f"does {command.does!r}, expected one of {', '.join(sorted(DOES))}" if command.does not in DOES else "")
            or (f"shape {command.shape!r}, expected one as 1-1-4" if len(parts) != 3 or parts[0] == "0" else "")
            or (f"no choice {', '.join(sorted(names - chip.choices.keys()))}" if names - chip.choices.keys() else "")
            or (f"no register {', '.join(set(command.registers) - known)}" if set(command.registers) - known else "")
        )
        if wrong:
            raise BoardError(f"flash chip {chip.name}: command {command.op:#04x}: {wrong}")
    if chip.size & chip.size - 1 or len(chip.id) != 3:
        raise BoardError(f"flash chip {chip.name}: expected a size that is a power of two, and three bytes of id")


def names() -> tuple[str, ...]:
    """The chips that come with spboot."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def load(name: str, folder: Path | None = None) -> NorFlash:
    """The chip *name*, as "N25Q128A"; one whose name ends in .toml is a file, in *folder* where it says no other.

    Raises BoardError when there is none, or when its file is not in form."""
    path = (folder or Path()) / name if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(names())
        raise BoardError(f"no flash chip {name!r}: expected {known}, or a file of your own that ends in .toml")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BoardError(f"flash chip {path}: no TOML ({error})") from None
    return parse(path.stem, table)
