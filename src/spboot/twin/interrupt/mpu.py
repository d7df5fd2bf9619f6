"""The memory protection unit: its registers, and what its regions allow (PMSAv6 and v7: DDI0419 B3.5, DDI0403 B3.5,
PM0223, PM0214 4.2, PM0253; PMSAv8: DDI0553, PM0264).  `guard.Guard` puts that to the core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, Literal

from spboot.twin.die import Die

Access = Literal["read", "write", "fetch"]
Caching = Literal["none", "through", "back"]

_BASE: Final = 0xD90
"""Of its registers in the system control space."""
_ENABLE, _HFNMIENA, _PRIVDEFENA = 1, 2, 4
_FIXED: Final = range(0xE0000000, 0xE0100000)
"""The private peripheral bus, which has the default map whatever the regions say (DDI0403 B3.5)."""
_NEVER_RUN: Final = (range(0x40000000, 0x60000000), range(0xA0000000, 1 << 32))
"""Where the default map forbids to run code (DDI0403 B3.1)."""
_LEAST_SPLIT: Final = 8
"""log2 of the smallest region that has subregions."""


_PERMISSIONS: Final = {True: (0b1110_1110, 0b0000_1110), False: (0b1100_1100, 0b0000_1000)}
"""Whether privileged -> the values of AP that let read and that let write, as bits (DDI0403, MPU_RASR, AP)."""
_POLICIES: Final[dict[tuple[int, int], Caching]] = {(0, 2): "through", (0, 3): "back", (1, 3): "back"}
"""TEX below 4, and C with B -> what of normal memory is cached (DDI0403, MPU_RASR, TEX); bit 0 is B."""

_INNER: Final[tuple[Caching, ...]] = ("none", "back", "through", "back")
"""The same by C and B where TEX is 4 or more: the policy of the inner caches."""


class Mpu:
    """Base of both kinds.  *changed* is called when what it allows may have changed."""

    REGISTERS: ClassVar[dict[str, int]] = {
        "MPU_TYPE": 0xD90, "MPU_CTRL": 0xD94, "MPU_RNR": 0xD98, "MPU_RBAR": 0xD9C, "MPU_RASR": 0xDA0
    }  # fmt: skip

    def __init__(self, die: Die) -> None:
        self.die = die
        self.count = die.chip.of_family.mpu_regions
        self.changed: Callable[[], None] = lambda: None
        self.reset()

    def reset(self) -> None:
        """Off; silicon leaves what the regions hold undefined, here they are empty."""
        self.control = self.number = 0
        self.regions = [(0, 0)] * self.count
        """The two words of each: address, and the rest."""
        self.changed()

    @property
    def on(self) -> bool:
        return bool(self.control & _ENABLE)

    @property
    def in_fault_handlers(self) -> bool:
        """Whether it stays on in HardFault, in NMI and with FAULTMASK set."""
        return bool(self.control & _HFNMIENA)

    # registers

    def read(self, offset: int) -> int:
        """A register, by its offset in the system control space."""
        word = offset - _BASE >> 2
        if word < 3:
            return (self.count << 8, self.control, self.number)[word]
        region = self._region(word)
        return self._readable(region)[(word - 3) % 2]

    def write(self, offset: int, value: int) -> None:
        """Write a register.  Raises TwinError for what the architecture leaves unpredictable."""
        word = offset - _BASE >> 2
        if word == 0:
            self.die.forbid(f"MPU_TYPE is read-only, {value:#x} was written", "do not write it; it is ignored")
        elif word == 1:
            self._control(value & 7)
        elif word == 2:
            self._choose(value & 0xFF)
        else:
            self._set(word, value)
        self.changed()

    def _control(self, value: int) -> None:
        if value & _HFNMIENA and not value & _ENABLE:
            self.die.forbid("MPU_CTRL.HFNMIENA was set with ENABLE clear", "it has no meaning while the MPU is off")
        self.control = value

    def _choose(self, number: int) -> None:
        if number >= self.count:
            self.die.refuse(f"MPU region {number} was chosen, there are {self.count}", "read MPU_TYPE.DREGION first")
        self.number = number

    def _region(self, word: int) -> int:
        """The region that a register is of."""
        raise NotImplementedError

    def _readable(self, region: int) -> tuple[int, int]:
        raise NotImplementedError

    def _set(self, word: int, value: int) -> None:
        raise NotImplementedError

    # what they allow

    def allows(self, address: int, access: Access, *, privileged: bool) -> bool:
        """Whether one may, while it is on."""
        if address in _FIXED:
            return access != "fetch"
        found = list(self._matching(address))
        if not found:
            default = access != "fetch" or not any(address in space for space in _NEVER_RUN)
            return bool(self.control & _PRIVDEFENA) and privileged and default
        return self._permits(found, access, privileged=privileged)

    def _matching(self, address: int) -> Iterator[tuple[int, int]]:
        """The enabled regions that hold *address*, the most important first."""
        raise NotImplementedError

    def _permits(self, found: list[tuple[int, int]], access: Access, *, privileged: bool) -> bool:
        raise NotImplementedError

    def edges(self) -> Iterator[int]:
        """The addresses where what it allows may change."""
        raise NotImplementedError

    def caching(self, address: int, default: Caching) -> Caching:
        """How the data cache of the core treats *address*, which the default map has as *default*."""
        del address
        return default

    def read_ahead(self, span: range) -> int | None:
        """The first address in *span* that a core which reads ahead may read before the program asks for it: in normal
        memory that it may read.  None where there is none."""
        places = {span.start, *(edge for edge in self.edges() if edge in span)}
        return next((place for place in sorted(places) if self._normal(place)), None)

    def _normal(self, address: int) -> bool:
        del address
        return False

    def save(self) -> Any:
        return self.control, self.number, list(self.regions)

    def load(self, state: Any) -> None:
        self.control, self.number, self.regions = state[0], state[1], list(state[2])
        self.changed()


class MpuV7(Mpu):
    """Regions of a power of two, with eight parts that can be left out; the highest number decides where they overlap.
    PMSAv6 has no types beyond C and B, no aliases, and no region below 256 bytes."""

    ALIASES: ClassVar[dict[str, int]] = {
        f"MPU_{name}_A{n}": _BASE + 0xC + 8 * n + at for n in (1, 2, 3) for name, at in (("RBAR", 0), ("RASR", 4))
    }

    def __init__(self, die: Die) -> None:
        small = die.chip.core == "cm0p"
        self._least = 8 if small else 5
        self._mask = 0x1707FF3F if small else 0x173FFF3F
        super().__init__(die)

    def _region(self, word: int) -> int:
        return self.number

    def _readable(self, region: int) -> tuple[int, int]:
        address, rest = self.regions[region]
        return address | region, rest

    def _set(self, word: int, value: int) -> None:
        if word % 2:
            if value & 0x10:  # VALID: REGION chooses
                self._choose(value & 0xF)
            self.regions[self.number] = value & -(1 << self._least) & 0xFFFFFFFF, self.regions[self.number][1]
        else:
            self.regions[self.number] = self.regions[self.number][0], value & self._mask
        address, rest = self.regions[self.number]
        if rest & 1:
            self._check(self.number, address, rest)

    def _check(self, number: int, address: int, rest: int) -> None:
        power = (rest >> 1 & 31) + 1
        if power < self._least or (power < _LEAST_SPLIT and rest & 0xFF00) or rest >> 24 & 7 == 4:
            self.die.refuse(
                f"MPU region {number} was enabled with RASR {rest:#010x}",
                f"take a SIZE of {self._least - 1} or more, no SRD below 256 bytes, and no AP of 4 (DDI0403, MPU_RASR)",
            )
        if address & (1 << power) - 1:
            self.die.forbid(
                f"MPU region {number} of {1 << power:#x} bytes at {address:#010x}",
                "align it to its size: bits are lost",
            )

    def _parts(self, region: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """First address and end of what an enabled region covers."""
        address, rest = region
        if not rest & 1:
            return
        power = (rest >> 1 & 31) + 1
        base = address & -(1 << power) & 0xFFFFFFFF
        if not rest & 0xFF00:
            yield base, base + (1 << power)
            return
        step = (1 << power) // 8
        for part in range(8):
            if not rest >> 8 + part & 1:
                yield base + part * step, base + (part + 1) * step

    def _matching(self, address: int) -> Iterator[tuple[int, int]]:
        for region in reversed(self.regions):
            if any(first <= address < end for first, end in self._parts(region)):
                yield region

    def _permits(self, found: list[tuple[int, int]], access: Access, *, privileged: bool) -> bool:
        rest = found[0][1]
        may_read, may_write = _PERMISSIONS[privileged]
        permission = 1 << (rest >> 24 & 7)
        if access == "write":
            return bool(may_write & permission)
        return bool(may_read & permission) and not (access == "fetch" and rest >> 28 & 1)

    def edges(self) -> Iterator[int]:
        for region in self.regions:
            for first, end in self._parts(region):
                yield from (first, end)

    def caching(self, address: int, default: Caching) -> Caching:
        region = next(self._matching(address), None) if self.on else None
        if region is None:
            return default
        rest = region[1]
        kind, shared = rest >> 19 & 7, rest >> 18 & 1
        low = rest >> 16 & 3
        policy: Caching = _INNER[low] if kind & 4 else _POLICIES.get((kind, low), "none")
        return "none" if shared else policy  # the M7 keeps nothing of what is shared (PM0253)

    def _normal(self, address: int) -> bool:
        region = next(self._matching(address), None) if self.on else None
        if region is None:
            normal = not any(address in space for space in _NEVER_RUN)
            return normal and (not self.on or bool(self.control & _PRIVDEFENA))
        rest = region[1]
        kind, low = rest >> 19 & 7, rest >> 16 & 3
        device = (kind == 0 and low < 2) or (kind == 2 and low == 0)
        return not device and self._permits([region], "read", privileged=True)


class MpuV8(Mpu):
    """Regions from a first to a last granule of 32 bytes.  Where two of them overlap nothing is allowed."""

    REGISTERS: ClassVar[dict[str, int]] = {
        "MPU_TYPE": 0xD90, "MPU_CTRL": 0xD94, "MPU_RNR": 0xD98, "MPU_RBAR": 0xD9C, "MPU_RLAR": 0xDA0,
        "MPU_MAIR0": 0xDC0, "MPU_MAIR1": 0xDC4,
    }  # fmt: skip
    ALIASES: ClassVar[dict[str, int]] = {
        f"MPU_{name}_A{n}": _BASE + 0xC + 8 * n + at for n in (1, 2, 3) for name, at in (("RBAR", 0), ("RLAR", 4))
    }

    def reset(self) -> None:
        self.attributes = [0, 0]
        super().reset()

    def read(self, offset: int) -> int:
        if offset >= self.REGISTERS["MPU_MAIR0"]:
            return self.attributes[offset >> 2 & 1]
        return super().read(offset)

    def write(self, offset: int, value: int) -> None:
        if offset >= self.REGISTERS["MPU_MAIR0"]:
            self.attributes[offset >> 2 & 1] = value
        else:
            super().write(offset, value)

    def _region(self, word: int) -> int:
        alias = (word - 3) // 2
        return self.number & ~3 | alias if alias else self.number

    def _readable(self, region: int) -> tuple[int, int]:
        return self.regions[region]

    def _set(self, word: int, value: int) -> None:
        region = self._region(word)
        address, limit = self.regions[region]
        self.regions[region] = (value, limit) if word % 2 else (address, value & ~0x10)

    def _matching(self, address: int) -> Iterator[tuple[int, int]]:
        for first, last in self.regions:
            if last & 1 and first & ~0x1F <= address <= last | 0x1F:
                yield first, last

    def _permits(self, found: list[tuple[int, int]], access: Access, *, privileged: bool) -> bool:
        if len(found) > 1:
            return False
        first = found[0][0]
        if not privileged and not first & 2:
            return False
        return not (access == "write" and first & 4) and not (access == "fetch" and first & 1)

    def edges(self) -> Iterator[int]:
        for first, last in self.regions:
            if last & 1:
                yield from (first & ~0x1F, (last | 0x1F) + 1)

    def save(self) -> Any:
        return *super().save(), list(self.attributes)

    def load(self, state: Any) -> None:
        self.attributes = list(state[3])
        super().load(state)


def of(die: Die) -> Mpu:
    """The one that the core of *die* has."""
    return MpuV8(die) if die.chip.core == "cm33" else MpuV7(die)


def registers(core: str) -> dict[str, int]:
    """The registers of the one that *core* has -> their offsets."""
    if core == "cm33":
        return MpuV8.REGISTERS | MpuV8.ALIASES
    return MpuV7.REGISTERS if core == "cm0p" else MpuV7.REGISTERS | MpuV7.ALIASES
