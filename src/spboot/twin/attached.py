"""What hangs at the chip on a board: external flash, what is in the USB connector, a display, the Ethernet cable."""

from __future__ import annotations

from spboot.chips import Chip
from spboot.errors import TwinError
from spboot.twin.block import Block
from spboot.twin.blocks.eth import Eth
from spboot.twin.blocks.ltdc import Ltdc
from spboot.twin.blocks.otg import Otg
from spboot.twin.display.frame import Frame
from spboot.twin.ethernet.cable import Cable
from spboot.twin.memory.cells import FlashArray
from spboot.twin.nor.cells import SparseCells
from spboot.twin.nor.package import Package
from spboot.twin.usb.packet import Device


class Attached:
    """What a machine has of it."""

    chip: Chip
    flash: FlashArray
    external: dict[str, Package]
    """Controller -> the flash chips at it."""
    blocks: dict[str, Block]
    usb: Otg | None
    """The core that the connector is at."""

    ethernet: Eth | None
    """The MAC that a PHY is at."""

    @property
    def cable(self) -> Cable:
        """That of Ethernet.  Raises TwinError where there is no PHY."""
        if self.ethernet is None:
            raise TwinError(
                f"{self.chip.name} has no Ethernet here: its board file has no [ethernet], or ETH is silent"
            )
        return self.ethernet.cable

    def plug(self, device: Device) -> None:
        """Put *device* into the USB connector; what was there is out.  Raises TwinError where there is none."""
        if self.usb is None:
            raise TwinError(
                f"{self.chip.name} has no USB connector here: its board file has no [usb], or its core is silent"
            )
        self.usb.plug(device)

    def pull(self) -> None:
        """Take out what is in the USB connector."""
        if self.usb is not None:
            self.usb.pull()

    @property
    def display(self) -> Ltdc:
        """The controller of a display.  Raises TwinError where there is none."""
        controller = self.blocks.get("LTDC")
        if not isinstance(controller, Ltdc):
            raise TwinError(f"{self.chip.name} has no LTDC here: the twin models that of STM32F4, unless it is silent")
        return controller

    def frame(self) -> Frame:
        """What the display shows now.  Raises TwinError: there is none, or nothing is shown, and why."""
        return self.display.frame()

    def flash_load(self, address: int, data: bytes) -> None:
        """Factory programming, of external flash by its window as well: no operation in the log."""
        self.cells(address).put(address, data)

    def flash_read(self, address: int, size: int) -> bytes:
        """What the flash cells hold."""
        return self.cells(address).get(address, size)

    def cells(self, address: int) -> FlashArray | SparseCells:
        """The flash that holds *address*: the one outside whose window it is in, or the one within."""
        return next((p.cells for p in self.external.values() if p.cells.holds(address)), self.flash)
