"""An emulated STM32 that runs the very image that ships."""

from spboot.twin.errors import LockupError, PowerCut
from spboot.twin.host.pty import LineBridge, PtyBridge
from spboot.twin.interrupt.exceptions import Fault
from spboot.twin.machine import Twin
from spboot.twin.memory.oplog import Cut, Operation, OperationLog
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
