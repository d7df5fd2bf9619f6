"""How a flash drive differs from one that does all at once and as the book says; all of it is data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """Numbers of transfers count from 0, over control transfers and the stages of bulk-only transport, since the supply
    came.  -1 is never."""

    connect_s: float = 0.005
    """From the supply to the pull-up."""
    ready_s: float = 0.0
    """So long it is NOT READY, BECOMING READY (2/04/01)."""
    attentions: int = 1
    """So many commands after a reset fail with UNIT ATTENTION."""
    attention_code: int = 0x28
    """Its additional sense code: 28h medium may have changed, 29h reset."""
    resets: int = 1
    """So many resets of the bus until it answers."""
    naks: int = 0
    """NAKs before each packet of a bulk-only stage; -1: nothing else any more."""
    control_naks: int = 0
    """The same for the stages of control transfers."""
    max_lun_stalls: bool = True
    """GET_MAX_LUN is answered by STALL, as those with one unit may (Bulk-Only Transport 3.2)."""
    luns: int = 1
    empty_luns: int = 0
    """The first so many units have no medium."""
    inquiry_stalls: int = 0
    """So many INQUIRY fail, with a STALL in place of data."""
    short_csw: int = 0
    """So many CSW have 12 bytes."""
    long_csw: int = 0
    """So many CSW are followed by bytes A5h, up to a whole packet."""
    wrong_tag: int = 0
    """So many CSW have another tag than their CBW."""
    wrong_signature: int = 0
    phase_error: int = 0
    """So many READ commands end with status 2."""
    csw_stalls: int = 0
    """So many CSW are a STALL first, the CSW second."""
    read_stalls: int = 0
    """So many READ commands end with a STALL after half of their data; then status 1."""
    read_fails: int = 0
    """So many READ commands fail with a MEDIUM ERROR (3/11)."""
    late_fails: int = 0
    """So many READ commands deliver zeros, all of them, and then fail with a MEDIUM ERROR."""
    short_read: int = 0
    """So many READ commands deliver half of their data, end it by a short packet, and say so in the residue."""
    toggle_error_at: int = -1
    """The data of this transfer begin with the wrong DATA PID."""
    silent_at: int = -1
    """This transfer is not answered at all, once,"""
    silences: int = 1
    """for so many transactions."""
    babble_at: int = -1
    """This transfer sends more than was asked for."""
    pulled_at: int = -1
    """It is pulled out as this transfer begins."""
    halts_at: int = -1
    """A data stage of this number is a STALL, whatever the command."""
    low_speed: bool = False
    hub: bool = False
    removable: bool = True
    kind: int = 0
    """Peripheral device type of INQUIRY: 0 a disk, 5 a CD."""
    sector_size: int = 512
