"""The far end of the Ethernet cable on this machine, without rights of an administrator: libslirp, by ctypes.

A connection to a port of 127.0.0.1 becomes one over the cable to a port of the device.  The device reaches nothing by
itself (libslirp's "restricted"); who asks by DHCP gets the address to which ports are forwarded.  Its clock is the
timeline of the twin, so time-outs at both ends of a connection go by the same time."""

from __future__ import annotations

import ctypes
import ctypes.util
import ipaddress
import re
import select
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spboot.errors import TwinError
from spboot.twin.ethernet.cable import LEAST, Cable

_HERE: Final = "127.0.0.1"
_DEVICE: Final = "192.168.0.10"
_PORT: Final = 80
_MASK: Final = 24
_FORWARD: Final = re.compile(r"(\d{1,5})(?:=([\d.]+)(?::(\d{1,5}))?)?")
_EVENTS: Final = (
    (1, select.POLLIN),
    (2, select.POLLOUT),
    (4, select.POLLPRI),
    (8, select.POLLERR),
    (16, select.POLLHUP),
)
"""Those of libslirp.h, and of this machine."""
_NAMES: Final = ("libslirp.so.0", "libslirp.0.dylib", "libslirp-0.dll")
_VERSION: Final = 1
"""Of the structure that configures it: what all from libslirp 4.1 on know."""

_Send = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
_Text = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p)
_Clock = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
_NewTimer = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_FreeTimer = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
_SetTimer = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
_Descriptor = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)
_Notify = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_AddPoll = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_GetEvents = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


class _Address(ctypes.Structure):
    """struct in_addr."""

    _fields_ = (("s_addr", ctypes.c_uint32),)

    @classmethod
    def of(cls, address: ipaddress.IPv4Address) -> _Address:
        return cls(int.from_bytes(address.packed, "little"))


class _Address6(ctypes.Structure):
    _fields_ = (("s6_addr", ctypes.c_uint8 * 16),)


class _Config(ctypes.Structure):
    """SlirpConfig, version 1."""

    _fields_ = (
        ("version", ctypes.c_uint32), ("restricted", ctypes.c_int), ("in_enabled", ctypes.c_bool),
        ("vnetwork", _Address), ("vnetmask", _Address), ("vhost", _Address), ("in6_enabled", ctypes.c_bool),
        ("vprefix_addr6", _Address6), ("vprefix_len", ctypes.c_uint8), ("vhost6", _Address6),
        ("vhostname", ctypes.c_char_p), ("tftp_server_name", ctypes.c_char_p), ("tftp_path", ctypes.c_char_p),
        ("bootfile", ctypes.c_char_p), ("vdhcp_start", _Address), ("vnameserver", _Address),
        ("vnameserver6", _Address6), ("vdnssearch", ctypes.c_void_p), ("vdomainname", ctypes.c_char_p),
        ("if_mtu", ctypes.c_size_t), ("if_mru", ctypes.c_size_t), ("disable_host_loopback", ctypes.c_bool),
        ("enable_emu", ctypes.c_bool),
    )  # fmt: skip


class _Callbacks(ctypes.Structure):
    """SlirpCb, without what came with version 4."""

    _fields_ = (
        ("send_packet", _Send), ("guest_error", _Text), ("clock_get_ns", _Clock), ("timer_new", _NewTimer),
        ("timer_free", _FreeTimer), ("timer_mod", _SetTimer), ("register_poll_fd", _Descriptor),
        ("unregister_poll_fd", _Descriptor), ("notify", _Notify),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A port of 127.0.0.1, 0 for any that is free, and where it leads."""

    here: int
    device: ipaddress.IPv4Address
    port: int

    @classmethod
    def parse(cls, text: str) -> Forward:
        """As "8080", or "8080=192.168.0.10:80".  Raises TwinError."""
        found = _FORWARD.fullmatch(text)
        try:
            if found is None:
                raise ValueError
            here, port = int(found[1]), int(found[3] or _PORT)
            device = ipaddress.IPv4Address(found[2] or _DEVICE)
            if here > 0xFFFF or not 0 < port <= 0xFFFF:
                raise ValueError
        except ValueError:
            raise TwinError(
                f"{text!r} is not PORT, a port of this machine that leads to port {_PORT} of {_DEVICE}, nor "
                f"PORT=ADDRESS:PORT, as 8080={_DEVICE}:{_PORT}"
            ) from None
        return cls(here=here, device=device, port=port)


def _library() -> Any:
    """libslirp.  Raises TwinError where there is none."""
    for name in (*_NAMES, ctypes.util.find_library("slirp")):
        try:
            if name:
                return ctypes.CDLL(name)
        except OSError:
            continue
    raise TwinError(
        "libslirp is not installed, which connects the twin's Ethernet: `apt install libslirp0` on Debian and Ubuntu, "
        "`brew install libslirp` on macOS; on Windows use WSL"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HERE, 0))
        return int(probe.getsockname()[1])


class Slirp:
    """A network of *cable* and this machine.  *now* gives the twin's time in nanoseconds.  A context manager.

    Raises TwinError where the library is missing, or a port is taken."""

    def __init__(self, cable: Cable, now: Callable[[], int], forward: Forward) -> None:
        self._cable = cable
        self._lib = _library()
        self._moved = False
        self._polled: list[tuple[int, int]] = []
        self._happened: list[int] = []
        self._functions = self._callbacks(now)
        self._slirp = self._open(forward.device)
        self.port = forward.here or _free_port()
        done = self._lib.slirp_add_hostfwd(
            self._slirp,
            0,
            _Address.of(ipaddress.IPv4Address(_HERE)),
            self.port,
            _Address.of(forward.device),
            forward.port,
        )
        if done < 0:
            self._lib.slirp_cleanup(self._slirp)
            raise TwinError(f"port {self.port} of {_HERE} cannot be had: choose another one")
        cable.plug()

    def _callbacks(self, now: Callable[[], int]) -> _Callbacks:
        def send(data: int, size: int, _opaque: int) -> int:
            self._cable.send(ctypes.string_at(data, size))
            self._moved = True
            return size

        return _Callbacks(
            _Send(send), _Text(lambda _text, _opaque: None), _Clock(lambda _opaque: now()),
            _NewTimer(lambda _call, _context, _opaque: 1),  # for IPv6 alone, which is off
            _FreeTimer(lambda _timer, _opaque: None), _SetTimer(lambda _timer, _when, _opaque: None),
            _Descriptor(lambda _fd, _opaque: None), _Descriptor(lambda _fd, _opaque: None),
            _Notify(lambda _opaque: None),
        )  # fmt: skip

    def _open(self, device: ipaddress.IPv4Address) -> ctypes.c_void_p:
        lib, network = self._lib, ipaddress.IPv4Network(f"{device}/{_MASK}", strict=False)
        hosts = [each for each in (network[1], network[2], network[3]) if each != device]
        config = _Config(
            version=_VERSION, restricted=1, in_enabled=True, vnetwork=_Address.of(network.network_address),
            vnetmask=_Address.of(network.netmask), vhost=_Address.of(hosts[0]), vdhcp_start=_Address.of(device),
            vnameserver=_Address.of(hosts[1]), vhostname=b"spboot",
        )  # fmt: skip
        lib.slirp_new.restype = ctypes.c_void_p
        lib.slirp_new.argtypes = [ctypes.POINTER(_Config), ctypes.POINTER(_Callbacks), ctypes.c_void_p]
        lib.slirp_cleanup.argtypes = [ctypes.c_void_p]
        lib.slirp_input.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        lib.slirp_add_hostfwd.argtypes = [
            ctypes.c_void_p, ctypes.c_int, _Address, ctypes.c_int, _Address, ctypes.c_int,
        ]  # fmt: skip
        lib.slirp_pollfds_fill.argtypes = [
            ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32), _AddPoll, ctypes.c_void_p,
        ]  # fmt: skip
        lib.slirp_pollfds_poll.argtypes = [ctypes.c_void_p, ctypes.c_int, _GetEvents, ctypes.c_void_p]
        made = lib.slirp_new(ctypes.byref(config), ctypes.byref(self._functions), None)
        if not made:
            raise TwinError("libslirp refuses its configuration: it is not of version 4, install one that is")
        return ctypes.c_void_p(made)

    # a LineBridge's neighbour (pty.py)

    @property
    def waiting(self) -> bool:
        """Whether the chip has sent something that is not taken yet."""
        return bool(self._cable.sent)

    def exchange(self) -> bool:
        """Take and give what is there; whether anything was."""
        self._moved = False
        for frame in self._cable.take():
            self._lib.slirp_input(self._slirp, frame.ljust(LEAST, b"\0"), len(frame))
            self._moved = True
        self._fill()
        poll = select.poll()
        for fd, events in self._polled:
            poll.register(fd, sum(theirs for ours, theirs in _EVENTS if events & ours))
        found = dict(poll.poll(0))
        self._happened = [sum(ours for ours, theirs in _EVENTS if found.get(fd, 0) & theirs) for fd, _ in self._polled]
        self._lib.slirp_pollfds_poll(self._slirp, 0, _GetEvents(lambda n, _opaque: self._happened[n]), None)
        return self._moved

    def _fill(self) -> None:
        self._polled = []

        def add(fd: int, events: int, _opaque: int) -> int:
            self._polled.append((fd, events))
            return len(self._polled) - 1

        self._lib.slirp_pollfds_fill(self._slirp, ctypes.byref(ctypes.c_uint32(0)), _AddPoll(add), None)

    def readers(self) -> Sequence[int]:
        """Descriptors at which something may come."""
        self._fill()
        return [fd for fd, events in self._polled if events & 1]

    def close(self) -> None:
        """Pull the cable."""
        self._cable.pull()
        if self._slirp:
            self._lib.slirp_cleanup(self._slirp)
        self._slirp = ctypes.c_void_p()

    def __enter__(self) -> Slirp:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
