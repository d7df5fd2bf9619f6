"""The cells of external flash, sparse: blocks that are erased cost nothing, in memory or in files."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any, Final

from spboot.errors import TwinError
from spboot.twin.memory.ageing import Ageing, Worn
from spboot.twin.memory.change import Change
from spboot.twin.memory.frail import FrailCells
from spboot.twin.memory.oplog import Cut, Kind, OperationLog
from spboot.twin.nor.swap import Swap, Swaps

BLOCK: Final = 0x10000
_ERASED: Final = 0xFF
_UNIT: Final = 16
"""Bytes whose marginal bits are kept together; NOR cells have no ECC and no other unit."""


class NorChange(Change):
    """One operation, for the log."""

    def tear(self, address: int, new: bytes, cut: Cut) -> None:
        """Raises TwinError for a fault that needs an ECC."""
        if cut.fault == "single":
            raise TwinError(
                f"cut {cut}: its operation is of external flash, at {address:#010x}, without an ECC: take another fault"
            )
        Change.tear(self, address, new, cut)


class SparseCells:
    """*size* bytes that the core sees at *address*; its operations are in *log* with those of other flash."""

    def __init__(self, log: OperationLog, address: int, size: int, sector: int, seed: int) -> None:
        self._log = log
        self.address = address
        self.size = size
        self.sector = sector
        """What wear is counted by."""
        self.unit = _UNIT
        self.erased = _ERASED
        self.ecc = False
        self.poisoned: set[int] = set()
        """Stays empty, as nothing here fails an ECC."""
        self.frail = FrailCells(_UNIT, _ERASED, seed ^ address)
        self.ageing = Ageing()
        self.swaps = Swaps(seed)
        self.wear: dict[int, int] = {}
        """Address of a sector -> how often it was erased."""
        self.blocks: dict[int, ctypes.Array[ctypes.c_ubyte]] = {}
        """Offset -> the block, of those that are not erased all over."""
        self.on_change: Callable[[int, int], None] = lambda _address, _size: None
        """Called with address and size of what will change;"""
        self.on_sense: Callable[[int, int], None] = lambda _address, _size: None
        """with those of what a chip reads for a frame."""

    @property
    def bases(self) -> list[int]:
        """Where the core sees them."""
        return [self.address]

    def offset(self, address: int) -> int:
        """Offset of a bus address."""
        return address - self.address

    def _offset(self, address: int, size: int) -> int:
        start = self.offset(address)
        if not 0 <= start <= self.size or size > self.size - start:
            end = self.address + self.size
            raise TwinError(
                f"{size} bytes at {address:#010x} are outside of external flash, {self.address:#010x}..{end:#010x}"
            )
        return start

    def holds(self, address: int) -> bool:
        """Whether *address* is one of them."""
        return 0 <= address - self.address < self.size

    def get(self, address: int, size: int) -> bytes:
        """What the cells hold.  Raises TwinError outside of them."""
        start, found = self._offset(address, size), bytearray()
        while len(found) < size:
            place = start + len(found)
            base, within = place - place % BLOCK, place % BLOCK
            count = min(BLOCK - within, size - len(found))
            block = self.blocks.get(base)
            found += bytes([_ERASED]) * count if block is None else bytes(block[within : within + count])
        return bytes(found)

    def sense(self, address: int, size: int) -> bytes:
        """What a read finds: marginal bits are what they are this time."""
        self.on_sense(address, size)
        for unit in range(address - address % _UNIT, address + size, _UNIT) if self.frail.marginal else ():
            if unit in self.frail.marginal:
                value, _ = self.frail.read(unit, int.from_bytes(self.get(unit, _UNIT), "little"))
                self._write(unit, value.to_bytes(_UNIT, "little"))
        found = self.get(address, size)
        return self.swaps.answer(address, found) if self.swaps.meets(address, size) else found

    def unsteady_in(self, address: int, size: int) -> bool:
        """Whether a read of these bytes may come out otherwise the next time."""
        marginal = any(address - _UNIT < unit < address + size for unit in self.frail.marginal)
        return marginal or self.swaps.meets(address, size)

    def put(self, address: int, data: bytes) -> None:
        """Change them without an operation.  Raises TwinError outside of them."""
        self._offset(address, len(data))
        self.frail.heal(range(address - address % _UNIT, address + len(data), _UNIT))
        self.store(address, data)

    def store(self, address: int, data: bytes) -> None:
        """Change them and nothing of what is known of them."""
        self.on_change(address, len(data))
        self.swaps.changed(address, len(data))
        self._write(address, data)

    def _write(self, address: int, data: bytes) -> None:
        start, done = self._offset(address, len(data)), 0
        while done < len(data):
            base, within = start + done - (start + done) % BLOCK, (start + done) % BLOCK
            part = data[done : done + BLOCK - within]
            done += len(part)
            blank = not part.strip(bytes([_ERASED]))
            if blank and len(part) == min(BLOCK, self.size):
                self.blocks.pop(base, None)
            elif not blank or base in self.blocks:
                block = self.blocks.get(base)
                if block is None:
                    block = self.blocks[base] = (ctypes.c_ubyte * BLOCK)()
                    ctypes.memset(block, _ERASED, BLOCK)
                ctypes.memmove(ctypes.addressof(block) + within, part, len(part))

    def ask(self, fault: Worn | Swap) -> None:
        """*fault* is of one of its sectors.  Raises TwinError for one that is not there."""
        low = fault.page - (fault.page - self.address) % self.sector
        self._offset(low, self.sector)
        if isinstance(fault, Worn):
            self.ageing.wear(fault, low, low + self.sector)
        else:
            self.swaps.ask(fault, range(low, low + self.sector))
            self.on_change(low, self.sector)

    def perform(self, kind: Kind, address: int, new: bytes) -> bool:
        """An erase or a program that leaves *new*; False where the sector is too worn for it.  Raises PowerCut."""
        worn = self.ageing.meets(address, address + len(new))
        if kind == "erase":
            self.ageing.erased(address, address + len(new))
            for sector in range(address, address + len(new), self.sector):
                self.wear[sector] = self.wear.get(sector, 0) + 1
        self._log.perform(kind, NorChange(self, kind, worn), address, new)
        return worn is None or not worn.fails

    def tear(self, kind: Kind, address: int, old: bytes, new: bytes) -> None:
        """An operation from *old* to *new* that had begun did not come to its end."""
        seed = self.frail.chance().getrandbits(30)
        self.put(address, old)
        cut = Cut(at=0, when="torn", pattern=("random", seed), fault="marginal")
        NorChange(self, kind, None).tear(address, new, cut)

    def contents(self) -> dict[int, bytes]:
        """What is not erased: offset -> block."""
        return {base: bytes(block) for base, block in sorted(self.blocks.items())}

    def fill(self, contents: Mapping[int, bytes]) -> None:
        """Hold *contents*, and are erased elsewhere."""
        for base in self.blocks.keys() - contents.keys():
            self.store(self.address + base, bytes([_ERASED]) * BLOCK)
        for base, content in contents.items():
            if base not in self.blocks or bytes(self.blocks[base]) != content:
                self.store(self.address + base, content)

    def save(self) -> Any:
        return self.contents(), self.frail.save(), self.ageing.save(), dict(self.wear), self.swaps.save()

    def load(self, state: Any) -> None:
        contents, frail, ageing, wear, swaps = state
        self.fill(contents)
        self.frail.load(frail)
        self.ageing.load(ageing)
        self.wear = dict(wear)
        self.swaps.load(swaps)
