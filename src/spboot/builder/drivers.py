"""Which driver files a chip needs: firmware/driver/drivers.toml, read strictly."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from spboot.errors import BuildError
from spboot.formats.spec import data_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """The table.  Files are names in firmware/driver."""

    always: list[str]
    """On every board."""
    core: dict[str, list[str]]
    """Core -> what it needs beyond the others."""
    external: dict[str, list[str]]
    """"always" or a core -> what boards with external flash need beside the driver of its controller."""
    usb: dict[str, list[str]]
    """"always" or an IP version of RCC -> what programs with a USB host need."""
    write_size: dict[str, int]
    """Flash IP version -> bytes an update gathers before it programs them, where that is more than a program unit."""
    production: dict[str, str]
    """Flash IP version -> the file that programs its option bytes, of a bootloader for production."""
    ip: dict[str, list[str]]
    """IP version -> the files that handle it; none where a header does."""

    def external_files(self, core: str, controller: str) -> list[str]:
        """What external flash needs at a controller of the IP version *controller*.

        Raises BuildError where that has no driver."""
        if controller not in self.ip:
            raise BuildError(f"there is no driver for external flash at {controller}")
        return [*self.external["always"], *self.external.get(core, ()), *self.ip[controller]]

    def usb_files(self, rcc: str) -> list[str]:
        """What a USB host needs where RCC has the IP version *rcc*.  Raises BuildError where that has no driver."""
        if rcc not in self.usb:
            raise BuildError(f"there is no driver for the clock of USB in {rcc}")
        return [*self.usb["always"], *self.usb[rcc]]


@cache
def drivers() -> Drivers:
    """The table of the firmware that comes with this package.  Raises BuildError when a file is missing."""
    folder = data_path("firmware") / "driver"
    table = Drivers(**tomllib.loads((folder / "drivers.toml").read_text(encoding="utf-8")))
    groups = (*table.core.values(), *table.external.values(), *table.usb.values(), *table.ip.values())
    named = {*table.always, *(file for files in groups for file in files)}
    named.update(table.production.values())
    if missing := sorted(name for name in named if not (folder / name).is_file()):
        raise BuildError(f"{folder / 'drivers.toml'}: there is no file {missing[0]}")
    if unknown := sorted(table.write_size.keys() - table.ip.keys()):
        raise BuildError(f"{folder / 'drivers.toml'}: write_size of {unknown[0]}, which has no driver")
    return table
