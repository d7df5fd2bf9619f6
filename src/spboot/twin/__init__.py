"""An emulated STM32 that runs the very image that ships.  Importing it without the extra `twin` is an ExtraError."""

from importlib.util import find_spec

from spboot.errors import not_installed

if find_spec("unicorn") is None or find_spec("capstone") is None:
    raise not_installed("the emulated chip", "twin")

from spboot.twin.errors import LockupError, PowerCut
from spboot.twin.host.gdb_debugger import Halted
from spboot.twin.host.gdb_server import GdbServer
from spboot.twin.host.pty import LineBridge, PtyBridge
from spboot.twin.host.slirp import Forward, Slirp
from spboot.twin.interrupt.exceptions import Fault
from spboot.twin.machine import Twin
from spboot.twin.memory.oplog import Cut, Operation, OperationLog
from spboot.twin.refusals import STRICT, Strict
from spboot.twin.snapshot import Snapshot

__all__ = [
    "STRICT",
    "Cut",
    "Fault",
    "Forward",
    "GdbServer",
    "Halted",
    "LineBridge",
    "LockupError",
    "Operation",
    "OperationLog",
    "PowerCut",
    "PtyBridge",
    "Slirp",
    "Snapshot",
    "Strict",
    "Twin",
]
