"""A transaction on USB: a token, at most one packet of data, a handshake (USB 2.0 8.4, 8.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Token = Literal["SETUP", "OUT", "IN"]
Outcome = Literal["ack", "nak", "stall", "silence", "babble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What a host sends: *data* and *toggle* (0 or 1, of DATA0 and DATA1) belong to SETUP and OUT."""

    token: Token
    address: int
    endpoint: int
    data: bytes = b""
    toggle: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a device makes of it.  With "ack" of an IN token come *data* and *toggle*."""

    outcome: Outcome
    data: bytes = b""
    toggle: int = 0


NAK, STALL, SILENCE, BABBLE, ACK = (
    Reply(outcome="nak"),
    Reply(outcome="stall"),
    Reply(outcome="silence"),
    Reply(outcome="babble"),
    Reply(outcome="ack"),
)


class HostError(Exception):
    """What no host may do: what was found, and what to do."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(f"{found}: {advice}")
        self.found, self.advice = found, advice


class Device(Protocol):
    """What can be plugged into a connector.  Times are picoseconds of the timeline."""

    @property
    def speed(self) -> Literal["full", "low"]: ...
    @property
    def connect_ps(self) -> int:
        """From its supply to the pull-up of its data line."""

    def power(self, now: int) -> None:
        """Its supply comes."""

    def bus_reset(self, now: int) -> None:
        """The host ended a reset of the bus."""

    def transact(self, packet: Packet, now: int) -> Reply:
        """Answer.  Raises HostError for what no host may do."""

    def gone(self) -> bool:
        """Whether it has just been pulled out."""
