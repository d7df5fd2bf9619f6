"""LTDC, the display controller of STM32F429, F439, F469 and F479 (RM0090 16, RM0386): two layers over a background.

Pixels leave in no time and by no pins: `frame` has the picture that a panel would show of what memory holds now."""

# ruff: noqa: N802 - handlers are named after their registers
from __future__ import annotations

from typing import ClassVar, Final

from spboot.chips import Block as Facts
from spboot.errors import TwinError
from spboot.twin.block import Block
from spboot.twin.die import Die
from spboot.twin.display.frame import Frame
from spboot.twin.display.layer import FORMATS, Layer
from spboot.twin.master import Master, Unreachable
from spboot.twin.timeline import PS_PER_S

_LAYERS: Final = (1, 2)
_GLOBAL: Final[dict[str, tuple[int, dict[str, tuple[int, int]]]]] = {
    "SSCR": (0x08, {"HSW": (16, 12), "VSH": (0, 11)}),
    "BPCR": (0x0C, {"AHBP": (16, 12), "AVBP": (0, 11)}),
    "AWCR": (0x10, {"AAW": (16, 12), "AAH": (0, 11)}),
    "TWCR": (0x14, {"TOTALW": (16, 12), "TOTALH": (0, 11)}),
    "GCR": (0x18, {"LTDCEN": (0, 1), "DBW": (4, 3), "DGW": (8, 3), "DRW": (12, 3), "DEN": (16, 1), "POL": (28, 4)}),
    "SRCR": (0x24, {"IMR": (0, 1), "VBR": (1, 1)}),
    "BCCR": (0x2C, {"BC": (0, 24)}),
    "IER": (0x34, {"LIE": (0, 1), "FUIE": (1, 1), "TERRIE": (2, 1), "RRIE": (3, 1)}),
    "ISR": (0x38, {"LIF": (0, 1), "FUIF": (1, 1), "TERRIF": (2, 1), "RRIF": (3, 1)}),
    "ICR": (0x3C, {"CLIF": (0, 1), "CFUIF": (1, 1), "CTERRIF": (2, 1), "CRRIF": (3, 1)}),
    "LIPCR": (0x40, {"LIPOS": (0, 11)}),
    "CPSR": (0x44, {"CYPOS": (0, 16), "CXPOS": (16, 16)}),
    "CDSR": (0x48, {"VDES": (0, 1), "HDES": (1, 1), "VSYNCS": (2, 1), "HSYNCS": (3, 1)}),
}
"""Register -> offset and fields (RM0090 16.7)."""
_LAYER: Final[dict[str, tuple[int, dict[str, tuple[int, int]]]]] = {
    "CR": (0x84, {"LEN": (0, 1), "COLKEN": (1, 1), "CLUTEN": (4, 1)}),
    "WHPCR": (0x88, {"START": (0, 12), "STOP": (16, 12)}),
    "WVPCR": (0x8C, {"START": (0, 11), "STOP": (16, 11)}),
    "CKCR": (0x90, {"KEY": (0, 24)}),
    "PFCR": (0x94, {"PF": (0, 3)}),
    "CACR": (0x98, {"CONSTA": (0, 8)}),
    "DCCR": (0x9C, {"DC": (0, 32)}),
    "BFCR": (0xA0, {"BF2": (0, 3), "BF1": (8, 3)}),
    "CFBAR": (0xAC, {"CFBADD": (0, 32)}),
    "CFBLR": (0xB0, {"CFBLL": (0, 13), "CFBP": (16, 13)}),
    "CFBLNR": (0xB4, {"CFBLNBR": (0, 11)}),
}
_SHADOWED: Final = frozenset(f"L{n}{name}" for n in _LAYERS for name in _LAYER)
_CLUT: Final = {f"L{n}CLUTWR": 0x44 + 0x80 * n for n in _LAYERS}
_TIMING: Final = ("SSCR", "BPCR", "AWCR", "TWCR")
_LINE, _RELOADED = 1, 8
_PLAIN, _BY_PIXEL = ({"BF1": 4, "BF2": 5}, {"BF1": 6, "BF2": 7})
_VECTOR: Final = 88
"""Of the global interrupt; the facts have no vectors of blocks without an IP version (RM0090 Table 63)."""


class Ltdc(Block):
    """The block.  Registers of layers are shadowed: what is read is what is shown (RM0090 16.7.6)."""

    FOR = ("LTDC",)
    FAMILIES = ("STM32F4",)
    REGISTERS: ClassVar[dict[str, int]] = {
        **{name: offset for name, (offset, _) in _GLOBAL.items()},
        **{f"L{n}{name}": offset + 0x80 * (n - 1) for n in _LAYERS for name, (offset, _) in _LAYER.items()},
        **_CLUT,
    }
    RESET: ClassVar[dict[str, int]] = {
        "GCR": 0x2220, "CDSR": 0xF, **{f"L{n}CACR": 0xFF for n in _LAYERS}, **{f"L{n}BFCR": 0x0607 for n in _LAYERS},
    }  # fmt: skip
    READ_ONLY = frozenset({"ISR", "CPSR", "CDSR"})
    SERVED = _SHADOWED
    QUIET: ClassVar[frozenset[int]] = frozenset({0x44, 0x48})
    STATE: ClassVar[tuple[str, ...]] = ("_shadow", "_clut", "_began", "_looked")

    def __init__(self, die: Die, facts: Facts) -> None:
        super().__init__(die, facts)
        tables = {**_GLOBAL, **{f"L{n}{name}": found for n in _LAYERS for name, found in _LAYER.items()}}
        for name, (_, fields) in tables.items():
            self._declare(name, self.REGISTERS[name], fields)
        self._master = Master(die, self.name)
        self._clut: dict[int, dict[int, int]] = {n: {} for n in _LAYERS}
        """Layer -> what its CLUT holds; a reset leaves it."""
        die.timeline.on(f"{self.name}.line", lambda _when: self._tell())
        die.timeline.on(f"{self.name}.blank", lambda _when: self._reload())

    def reset(self) -> None:
        super().reset()
        self._shadow = {name: self.registers[name] for name in _SHADOWED}
        """What was written to registers of layers, for the next reload."""
        self._began: int | None = None
        """When the first line of a frame began, while pixels are clocked out,"""
        self._looked = 0
        """and up to when lines were looked at."""
        for what in ("line", "blank"):
            self.die.timeline.cancel(f"{self.name}.{what}")
        self._drive()

    def power_on(self) -> None:
        self._clut = {n: {} for n in _LAYERS}

    # registers

    def write(self, offset: int, size: int, value: int) -> None:
        name = self.names.get(offset & ~3, "")
        if name in _SHADOWED or name in _CLUT:
            if size != 4:
                self.die.refuse(f"{self.name}_{name} written with {size} bytes", "write words (RM0090 16.7)")
            if name in _SHADOWED:
                self._shadow[name] = value & self.masks[name]
                return
        super().write(offset, size, value)

    def write_L1CLUTWR(self, value: int) -> None:
        self._clut[1][value >> 24] = value & 0xFFFFFF

    def write_L2CLUTWR(self, value: int) -> None:
        self._clut[2][value >> 24] = value & 0xFFFFFF

    def write_SSCR(self, value: int) -> None:
        self._set_timing("SSCR", value)

    def write_BPCR(self, value: int) -> None:
        self._set_timing("BPCR", value)

    def write_AWCR(self, value: int) -> None:
        self._set_timing("AWCR", value)

    def write_TWCR(self, value: int) -> None:
        self._set_timing("TWCR", value)

    def _set_timing(self, name: str, value: int) -> None:
        value &= self.masks[name]
        if self.field("GCR", "LTDCEN") and value != self.registers[name]:
            self.die.forbid(f"{self.name}_{name} changed while LTDCEN is set", "clear LTDCEN first")
        self.registers[name] = value

    def write_GCR(self, value: int) -> None:
        """LTDCEN starts the pixels (RM0090 16.6); DBW, DGW and DRW are read-only."""
        before, keep = self.field("GCR", "LTDCEN"), 0x7770
        self.registers["GCR"] = value & self.masks["GCR"] & ~keep | self.RESET["GCR"] & keep
        if self.field("GCR", "LTDCEN") and not before:
            self._check_timing()
            for n in _LAYERS:
                self._check_layer(n)
        self._follow()

    def write_SRCR(self, value: int) -> None:
        """IMR reloads at once, VBR at the next vertical blanking (RM0090 16.7.6)."""
        if value & 1:
            self.registers.update(self._shadow)
            self._check_shown()
        self.registers["SRCR"] |= value & 2
        self._schedule()

    def write_IER(self, value: int) -> None:
        self.registers["IER"] = value & self.masks["IER"]
        self._tell()

    def read_ISR(self) -> int:
        self._tell()
        return self.registers["ISR"]

    def read_ICR(self) -> int:
        return 0

    def write_ICR(self, value: int) -> None:
        self._tell()
        self.registers["ISR"] &= ~value
        self._drive()

    def write_LIPCR(self, value: int) -> None:
        self._tell()
        self.registers["LIPCR"] = value & self.masks["LIPCR"]
        self._schedule()

    def read_CPSR(self) -> int:
        x, y = self._position()
        return x << 16 | y

    def read_CDSR(self) -> int:
        """Which signals are active, whatever their polarity (RM0090 16.7.13)."""
        x, y = self._position()
        in_line = self._value("AHBP") < x <= self._value("AAW")
        in_frame = self._value("AVBP") < y <= self._value("AAH")
        return (x <= self._value("HSW")) << 3 | (y <= self._value("VSH")) << 2 | in_line << 1 | in_frame

    def read_L1CLUTWR(self) -> int:
        return 0

    def read_L2CLUTWR(self) -> int:
        return 0

    # time

    def _value(self, field: str) -> int:
        return next(self.field(name, field) for name in _TIMING if field in self.fields[name])

    def _spans(self) -> tuple[int, int]:
        """Picoseconds of a pixel and of a line."""
        pixel = PS_PER_S // max(self.die.rcc.pixel_hz(), 1)
        return pixel, pixel * (self._value("TOTALW") + 1)

    def _next(self, line: int) -> int:
        """When *line*, counted from the first one of the vertical synchronisation, begins next."""
        assert self._began is not None
        _, span = self._spans()
        frame, first = span * (self._value("TOTALH") + 1), self._began + span * line
        return first + max(0, (self.die.timeline.now - first) // frame + 1) * frame

    def _position(self) -> tuple[int, int]:
        if self._began is None:
            return 0, 0
        pixel, line = self._spans()
        lines, rest = divmod(self.die.timeline.now - self._began, line)
        return rest // pixel, lines % (self._value("TOTALH") + 1)

    def clocks_changed(self) -> None:
        self._follow()

    def _follow(self) -> None:
        """Pixels begin and end with LTDCEN and their clock."""
        runs = bool(self.field("GCR", "LTDCEN") and self.clocked and self.die.rcc.pixel_hz())
        if runs != (self._began is not None):
            self._began = self._looked = self.die.timeline.now if runs else 0
            self._began = self._began if runs else None
        self._schedule()

    def _schedule(self) -> None:
        timeline = self.die.timeline
        blank = self._began is not None and self.field("SRCR", "VBR")
        if self._began is None:
            timeline.cancel(f"{self.name}.line")
        else:
            timeline.at(f"{self.name}.line", self._next(self.registers["LIPCR"]))
        if blank:
            timeline.at(f"{self.name}.blank", self._next(self._value("AAH") + 1))
        else:
            timeline.cancel(f"{self.name}.blank")

    def _tell(self) -> None:
        """Set LIF when the line of LIPCR was reached since the last look."""
        now = self.die.timeline.now
        if self._began is not None:
            _, span = self._spans()
            frame, first = span * (self._value("TOTALH") + 1), self._began + span * self.registers["LIPCR"]
            if (now - first) // frame > (self._looked - first) // frame:
                self.registers["ISR"] |= _LINE
            self._looked = now
        self._schedule()
        self._drive()

    def _reload(self) -> None:
        """Vertical blanking, with VBR set."""
        self.registers.update(self._shadow)
        self.registers["SRCR"] &= ~2
        self.registers["ISR"] |= _RELOADED
        self._check_shown()
        self._schedule()
        self._drive()

    def _drive(self) -> None:
        asked = self.registers["ISR"] & self.registers["IER"] & (_LINE | _RELOADED)
        self.die.nvic.set_line(_VECTOR, bool(asked), (self.name, self.name))

    # what a program forgot

    def _refuse(self, found: str, advice: str) -> None:
        self.die.refuse(f"{self.name}: {found}", advice)

    def _check_timing(self) -> None:
        if not self.die.rcc.pixel_hz():
            self._refuse(
                "LTDCEN set without a pixel clock", "start PLLSAI with PLLSAIR and set PLLSAIDIVR first (RM0090 6.3)"
            )
        for way in (("HSW", "AHBP", "AAW", "TOTALW"), ("VSH", "AVBP", "AAH", "TOTALH")):
            values = [self._value(field) for field in way]
            if sorted(values) != values or values[1] == values[2]:
                told = ", ".join(f"{field} {value}" for field, value in zip(way, values, strict=True))
                self._refuse(
                    f"LTDCEN set with {told}",
                    "each includes those before it and is one less than its sum: set SSCR, BPCR, AWCR and TWCR first",
                )

    def _check_shown(self) -> None:
        if self.field("GCR", "LTDCEN"):
            for n in _LAYERS:
                self._check_layer(n)

    def _check_layer(self, n: int) -> None:
        """Of a layer that is on (RM0090 16.7.14 to 16.7.24)."""
        if not self.field(f"L{n}CR", "LEN"):
            return
        layer = self._layer(n)
        for name, back, active in (("WHPCR", "AHBP", "AAW"), ("WVPCR", "AVBP", "AAH")):
            first, last = (self.field(f"L{n}{name}", field) for field in ("START", "STOP"))
            low, high = self._value(back) + 1, self._value(active)
            if not low <= first <= last <= high:
                self._refuse(
                    f"layer {n} from {first} to {last} in L{n}{name}",
                    f"the active area is {low} to {high}: positions count from the synchronisation on",
                )
        row = len(layer.columns) * layer.format.size
        given = self.field(f"L{n}CFBLR", "CFBLL"), self.field(f"L{n}CFBLNR", "CFBLNBR")
        if given[0] < row + 3 or given[1] < len(layer.lines):
            self._refuse(
                f"layer {n} has {given[1]} lines of CFBLL {given[0]}, its window {len(layer.lines)} of {row} bytes",
                "its FIFO would run empty: CFBLL is the bytes of a line and 3, CFBLNBR the lines",
            )
        if layer.format.index and not self.field(f"L{n}CR", "CLUTEN"):
            self._refuse(f"layer {n} has {layer.format.name} with CLUTEN clear", "load its CLUT and set CLUTEN")
        for line in (0, len(layer.lines) - 1):
            try:
                self._read(layer.address + line * layer.pitch, row)
            except Unreachable as error:
                self._refuse(f"layer {n}: {error}", "put its frame buffer into memory that LTDC reaches")

    # the picture

    def _read(self, address: int, size: int) -> bytes:
        return self._master.read(address, size).to_bytes(size, "little")

    def _layer(self, n: int) -> Layer:
        def value(name: str, field: str) -> int:
            return self.field(f"L{n}{name}", field)

        factors = {name: value("BFCR", name) for name in ("BF1", "BF2")}
        if any(factors[name] not in (_PLAIN[name], _BY_PIXEL[name]) for name in factors):
            self._refuse(f"L{n}BFCR with {factors}", "BF1 is 4 or 6, BF2 is 5 or 7 (RM0090 16.7.21)")
        format_ = FORMATS[value("PFCR", "PF")]
        keyed = value("CR", "COLKEN")
        if keyed and format_.index:
            self._refuse(f"colour keying of layer {n} in {format_.name}", "the twin does not model it with a CLUT")
        left, top = self._value("AHBP") + 1, self._value("AVBP") + 1
        return Layer(
            name=f"layer {n}",
            shown=bool(value("CR", "LEN")),
            format=format_,
            columns=range(value("WHPCR", "START") - left, value("WHPCR", "STOP") + 1 - left),
            lines=range(value("WVPCR", "START") - top, value("WVPCR", "STOP") + 1 - top),
            address=value("CFBAR", "CFBADD"),
            pitch=value("CFBLR", "CFBP"),
            default=value("DCCR", "DC"),
            constant=value("CACR", "CONSTA"),
            own=factors["BF1"] == _BY_PIXEL["BF1"],
            below=factors["BF2"] == _BY_PIXEL["BF2"],
            key=value("CKCR", "KEY") if keyed else None,
            clut=self._clut[n],
        )

    def frame(self) -> Frame:
        """The picture that is shown now, before dithering.  Raises TwinError: nothing is shown, and why."""
        if self._began is None:
            why = "LTDCEN is clear" if not self.field("GCR", "LTDCEN") else "it has no pixel clock"
            raise TwinError(f"{self.name} shows nothing: {why}")
        waiting = [n for n in _LAYERS if self._shadow[f"L{n}CR"] & ~self.registers[f"L{n}CR"] & 1]
        if waiting and not self.field("SRCR", "VBR"):
            raise TwinError(
                f"{self.name}: layer {waiting[0]} was enabled and not reloaded: IMR or VBR of SRCR makes it shown"
            )
        width, height = self._value("AAW") - self._value("AHBP"), self._value("AAH") - self._value("AVBP")
        picture = [self.field("BCCR", "BC")] * (width * height)
        for n in _LAYERS:
            try:
                self._layer(n).over(picture, width, self._read)
            except Unreachable as error:
                raise TwinError(f"{self.name} cannot read layer {n}: {error}") from None
        return Frame(width=width, height=height, rgb=b"".join(pixel.to_bytes(3, "big") for pixel in picture))
