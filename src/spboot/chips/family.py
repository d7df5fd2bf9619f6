"""What is true of a whole family and is in no part's facts: families/FAMILY.toml, read strictly.

The folder is also the list of families.  Its tables `memory`, `block`, `other`, `field` and `register` correct the part
facts and are for tools/make_chips.py alone.  Addresses are bus addresses; each number cites the family's manual."""

from __future__ import annotations

import fnmatch
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from spboot.errors import BoardError

FOLDER: Final = Path(__file__).resolve().parent / "families"
_CORRECTIONS: Final = frozenset({"memory", "block", "other", "field", "register"})
_REQUIRED: Final = frozenset({"manual", "vector_size", "clock", "identity", "ports", "revisions", "exti"})
_OPTIONAL: Final = frozenset(
    {"system_memory", "flash_alias", "priority_bits", "second_address", "mpu_regions", "ram_words", "beyond"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How fast parts may run whose name fits the pattern *parts*, and what a new board of them gets, in MHz."""

    parts: str
    limit_mhz: int
    usual_mhz: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Addresses of the unique id, of the flash size in KB and of the package code, which is 0 where there is none."""

    unique_id: int
    flash_size: int
    package: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Ports after a reset: *reset* has port, or "others", -> registers that are not 0.  *brr*: they have the register
    BRR, which the facts lack.  *vddio2*: the register and the bit of PWR that connect the supply of PG2 to PG15."""

    brr: bool
    reset: dict[str, dict[str, int]]
    vddio2: list[str] | None = None

    def vddio2_supplies(self, port: str, pin: int) -> bool:
        """Whether a pin has no supply until that bit is set."""
        return self.vddio2 is not None and port == "G" and pin >= 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of EXTI.  By words of 32 lines: *edges* are those of the configurable type, *masks* is the interrupt
    mask after a reset.  *lines* has block, or block.signal, -> the line that it drives; *ports* has the ports whose
    number in EXTICR is not their place in the alphabet."""

    edges: tuple[int, ...]
    masks: tuple[int, ...]
    lines: dict[str, int]
    ports: dict[str, int]

    @classmethod
    def of(cls, table: dict[str, Any]) -> Lines:
        """Out of the table of a file.  Raises TypeError for a key that is missing or unknown."""
        filled = {"lines": {}, "ports": {}} | table
        return cls(**filled | {name: tuple(filled[name]) for name in ("edges", "masks") if name in filled})

    def port(self, letter: str) -> int:
        """The number of a port, as "C", in EXTICR."""
        return self.ports.get(letter, ord(letter) - ord("A"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family.

    *vector_size* is the alignment of a vector table; *priority_bits* are those that an interrupt priority has;
    *ram_words* has a RAM whose ECC loses a part of a word at a reset -> the bytes of a word;
    *mpu_regions* are those of the memory protection unit that non-secure code sees;
    *flash_alias* is where the core sees flash as well, None if nowhere; *second_address* maps a RAM to its name at its
    first address; *revisions* has a device id -> REV_ID in DBGMCU."""

    name: str
    manual: str
    vector_size: int
    priority_bits: int
    mpu_regions: int
    ram_words: dict[str, int]
    clocks: tuple[Clock, ...]
    identity: Identity
    ports: Ports
    flash_alias: int | None
    second_address: dict[str, str]
    exti: Lines
    revisions: dict[int, int]
    beyond: dict[str, tuple[str, ...]]
    """DMA controller, or another bus master -> memories that it does not reach, "flash" for all of it."""
    system_memory: tuple[tuple[int, int], ...]
    """First and next address of option bytes, OTP and the like, where they are not where other families have them."""

    def clock(self, part: str) -> Clock:
        """The clocks of *part*: the first pattern that fits.  Raises BoardError when none does."""
        for clock in self.clocks:
            if fnmatch.fnmatchcase(part, clock.parts):
                return clock
        raise BoardError(f"{part}: its clocks are not known; add [[clock]] to {_path(self.name)}")


def names() -> tuple[str, ...]:
    """Every family we know, as "STM32L4", sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def load(name: str) -> Family:
    """The family *name*, as "STM32L4".  Raises BoardError when its file is missing or is not as expected."""
    path = _path(name)
    if not path.is_file():
        raise BoardError(f"{path}: there is no such file; it describes family {name}")
    return parse(name, path.read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Family:
    """The family in the text of a file.  Raises BoardError with the file and the key that is wrong."""
    table = tomllib.loads(text)
    _check_keys(name, "", table, _REQUIRED, _OPTIONAL | _CORRECTIONS)
    try:
        return Family(
            name=name,
            manual=table["manual"],
            vector_size=table["vector_size"],
            priority_bits=table.get("priority_bits", 4),
            mpu_regions=table.get("mpu_regions", 8),
            ram_words=table.get("ram_words", {}),
            clocks=tuple(Clock(**row) for row in table["clock"]),
            identity=Identity(**table["identity"]),
            ports=Ports(**table["ports"]),
            flash_alias=table.get("flash_alias"),
            second_address=table.get("second_address", {}),
            exti=Lines.of(table["exti"]),
            beyond={master: tuple(memories) for master, memories in table.get("beyond", {}).items()},
            revisions={int(device, 16): revision for device, revision in table["revisions"].items()},
            system_memory=tuple((first, end) for first, end in table.get("system_memory", ())),
        )
    except TypeError as error:  # a key of a table within that is missing or unknown
        raise BoardError(f"{_path(name)}: {str(error).removeprefix('Clock.').replace('__init__() ', '')}") from None


def _check_keys(name: str, where: str, table: dict[str, Any], required: frozenset[str], more: frozenset[str]) -> None:
    if missing := sorted(required - table.keys()):
        raise BoardError(f"{_path(name)}: {where}{missing[0]} is missing")
    if unknown := sorted(table.keys() - required - more):
        known = ", ".join(sorted(required | more))
        raise BoardError(f"{_path(name)}: unknown key {where}{unknown[0]}; expected some of {known}")


def _path(name: str) -> Path:
    return FOLDER / f"{name}.toml"
