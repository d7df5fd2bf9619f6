"""An emulated STM32 that runs the very image that ships."""

from spboot.twin.cpu import Fault
from spboot.twin.errors import LockupError, PowerCut
from spboot.twin.machine import Twin
from spboot.twin.oplog import Cut, Operation, OperationLog
from spboot.twin.pty import LineBridge, PtyBridge
from spboot.twin.snapshot import Snapshot

__all__ = [
    "Cut",
    "Fault",
    "LineBridge",
    "LockupError",
    "Operation",
    "OperationLog",
    "PowerCut",
    "PtyBridge",
    "Snapshot",
    "Twin",
]
