"""What a shared library says about itself: ELF, Mach-O and PE, as far as a wheel's inspection needs."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field

from elftools.elf.elffile import ELFFile


@dataclass(kw_only=True)
class Library:
    """*machine*: "x86_64" or "arm64".  *exports*: names that a program may call.  *needs*: libraries that it loads.
    *least*: the oldest system that it runs on, where it says so.  *name*: what it calls itself."""

    kind: str
    machine: str
    exports: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)
    least: tuple[int, ...] = ()
    name: str = ""
    signed: bool = False


def read(data: bytes) -> Library:
    """Whichever of the three *data* is."""
    if data[:4] == b"\x7fELF":
        return _elf(data)
    if data[:4] == b"\xcf\xfa\xed\xfe":
        return _mach(data)
    assert data[:2] == b"MZ", data[:4]
    return _pe(data)


def _elf(data: bytes) -> Library:
    file = ELFFile(io.BytesIO(data))
    found = Library(kind="ELF", machine={"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}[file["e_machine"]])
    for symbol in file.get_section_by_name(".dynsym").iter_symbols():
        if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["bind"] == "STB_GLOBAL":
            found.exports.add(symbol.name)
    for tag in file.get_section_by_name(".dynamic").iter_tags():
        if tag.entry.d_tag == "DT_NEEDED":
            found.needs.add(tag.needed)
    versions = file.get_section_by_name(".gnu.version_r")
    names = [each.name for _, aux in versions.iter_versions() for each in aux] if versions else []
    found.least = max((tuple(map(int, name.removeprefix("GLIBC_").split("."))) for name in names), default=())
    return found


def _mach(data: bytes) -> Library:
    processor, count = struct.unpack_from("<4xI8xI", data)
    found = Library(kind="Mach-O", machine={0x01000007: "x86_64", 0x0100000C: "arm64"}[processor])
    at = 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, at)
        if command in (0xC, 0xD):  # LC_LOAD_DYLIB, LC_ID_DYLIB
            start = at + struct.unpack_from("<I", data, at + 8)[0]
            name = data[start : data.index(b"\0", start)].decode()
            if command == 0xD:
                found.name = name
            else:
                found.needs.add(name)
        elif command == 0x32:  # LC_BUILD_VERSION
            least = struct.unpack_from("<I", data, at + 12)[0]
            found.least = (least >> 16, least >> 8 & 0xFF)
        elif command == 0x1D:  # LC_CODE_SIGNATURE
            found.signed = True
        elif command == 0x2:  # LC_SYMTAB
            found.exports = set(_mach_symbols(data, *struct.unpack_from("<IIII", data, at + 8)))
        at += size
    return found


def _mach_symbols(data: bytes, symbols: int, count: int, strings: int, _size: int) -> list[str]:
    names = []
    for number in range(count):
        start, kind = struct.unpack_from("<IB", data, symbols + 16 * number)
        if kind & 0x0F == 0x0F:  # N_EXT, and N_SECT: defined here
            start += strings
            names.append(data[start : data.index(b"\0", start)].decode().removeprefix("_"))
    return names


def _pe(data: bytes) -> Library:
    head = struct.unpack_from("<I", data, 0x3C)[0]
    assert data[head : head + 4] == b"PE\0\0"
    machine, sections, optional_size = struct.unpack_from("<HH12xH", data, head + 4)
    found = Library(kind="PE", machine={0x8664: "x86_64"}[machine])
    optional = head + 24
    assert struct.unpack_from("<H", data, optional)[0] == 0x20B
    table = [struct.unpack_from("<8xIIII", data, optional + optional_size + 40 * n) for n in range(sections)]

    def at(address: int) -> int:
        return next(raw + address - start for size, start, _, raw in table if start <= address < start + size)

    def text(address: int) -> str:
        return data[at(address) : data.index(b"\0", at(address))].decode()

    exports, imports = (struct.unpack_from("<I", data, optional + 112 + 8 * n)[0] for n in range(2))
    name, count, names = struct.unpack_from("<I8xI4xI", data, at(exports) + 12)
    found.name = text(name)
    found.exports = {text(struct.unpack_from("<I", data, at(names) + 4 * n)[0]) for n in range(count)}
    place = at(imports)
    while (library := struct.unpack_from("<I", data, place + 12)[0]) != 0:
        found.needs.add(text(library).lower())
        place += 20
    return found
