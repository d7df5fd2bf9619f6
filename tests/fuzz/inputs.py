"""What the fuzzers of payload, journal, YMODEM and storage start from: bytes as their harnesses read them.  Each input
comes to a good end, which a test counts."""

from __future__ import annotations

import random
import struct

from spboot.twin.usb import descriptors

_NEXT, _AGAIN, _CUT, _CHANGED, _EOT, _QUIET, _SKIP, _PAUSE = 0, 4, 5, 6, 7, 9, 10, 11
_NAMED, _NAME_ONLY = 4, 8
_PAGE, _MARK, _ERASED, _BYTES = 0, 3, 4, 5
_INSTALLED, _SAVED, _FAILED, _TRIED, _FINISHED, _REVERTED = range(6, 12)
_APPEND, _CONFIRM, _FAIL, _END, _COMMIT = (4 * act for act in range(5))


def payload_seeds() -> list[bytes]:
    """Sizes around those of a chunk, whole and divided, nothing changed."""
    rnd = random.Random(7)
    sizes = (1, 15, 511, 512, 513, 528, 1024, 1025, 2000, 4096)
    return [
        struct.pack("<HBBHB", size - 1, division, unread, 0, 0) + rnd.randbytes(size)
        for size in sizes
        for division, unread in ((0, 0), (1, 32), (77, 9))
    ]


def journal_seeds() -> list[bytes]:
    """Committed journals: as commit leaves them, in the middle of an install with and without a trial, on trial,
    finished, given up, torn, full, with a unit that cannot be read."""
    mark = [*[_PAGE] * 5, _MARK]
    on_trial = [*mark, _SAVED, 0, _SAVED, 5, _INSTALLED, 5]
    many = [*[_PAGE] * 80, _MARK, _SAVED, 0]
    records = (
        mark,
        [*mark, _INSTALLED, 0],
        [*mark, _INSTALLED, 0, _INSTALLED, 3, _BYTES, *range(8), _INSTALLED, 5],
        [*mark, _INSTALLED, 0, _FINISHED, 0],
        [*mark, _SAVED, 0, _SAVED, 5],
        [*many, _SAVED, 32, _INSTALLED, 32, _SAVED, 64],
        on_trial,
        [*on_trial, _TRIED, 1],
        [*on_trial, _TRIED, 1, _FINISHED, 0],
        [*on_trial, _TRIED, 1, _REVERTED, 12],
        [*[_PAGE] * 210, _MARK, *[_INSTALLED, 1] * 45],
        [*mark, _SAVED, 0, *[_SAVED, 5] * 248, _INSTALLED, 5],
        [_MARK],
        [*mark, _ERASED, _ERASED, _INSTALLED, 2],
    )
    heads = (
        (255, _APPEND, 3, 7),
        (255, _APPEND, 15, 0x6300),
        (255, _CONFIRM, 40, 2),
        (255, _FAIL, 5, 3),
        (255, _END, 1, 4),
        (255, _COMMIT, 9, 0),
    )
    return [struct.pack("<BBHH", *head) + bytes(record) for record in records for head in heads] + [
        struct.pack("<BBHH", 8, _APPEND, 2, 1) + bytes(records[2])
    ]


def install_seeds() -> list[bytes]:
    """Updates for good, given up and confirmed, cut and not, small and large, with room for a trial or none; and some
    whose journal is another one."""
    boot, before, after, torn, readable, confirm, following, records, damage = range(9)
    acts = (
        [],
        [boot, confirm, boot],
        [boot, confirm, boot, boot, following, boot],
        [boot, confirm, boot, following, torn, 1, boot],
        [torn, *struct.pack("<H", 700), readable, *struct.pack("<H", 300), boot, boot],
        [before, *struct.pack("<H", 1), after, *struct.pack("<H", 1500), boot, confirm, torn, 0, boot],
    )
    sizes = ((6000, 6500, 0x0115), (9000, 9700, 0x7FFF), (9700, 7000, 0x0FFF), (2000, 9000, 0xF0F1))
    wild = (
        [records, 40, 0],
        [boot, records, 8, 2, _SAVED, 3, _INSTALLED, 3],
        [torn, *struct.pack("<H", 300), damage, *struct.pack("<H", 0x2800 + 600), 2, boot],
        [torn, *struct.pack("<H", 900), records, 9, 3, _SAVED, 0, _SAVED, 3, _SAVED, 6, damage, 0, 60, 1],
    )
    return [
        struct.pack("<BBHHHH", flags, starts, *size, number) + bytes(act)
        for number, act in enumerate(acts)
        for size in sizes
        for flags, starts in ((0, 0), (1, 0), (1, 2), (4 * 12 + 1, 1))
    ] + [struct.pack("<BBHHHH", 3, 0, *sizes[0], number) + bytes(act) for number, act in enumerate(wild)]


def ymodem_seeds() -> list[bytes]:
    """Whole files: long and short blocks, padded and not, a block lost, changed, cut or heard twice."""
    acts = (
        [_NEXT] * 12,
        [_NEXT, _NEXT, _AGAIN, _NEXT, *[_NEXT] * 10],
        [_NEXT, _NEXT, _CHANGED, 40, 0, 5, _AGAIN, *[_NEXT] * 10],
        [_NEXT, _CUT, 50, 0, _AGAIN, *[_NEXT] * 10],
        [_PAUSE, _NEXT, _NEXT, _QUIET, 1, _AGAIN, *[_NEXT] * 10, _EOT, _EOT],
    )
    cases = ((1, 0), (127, 0), (128, 0), (1000, 0), (1024, 255), (3000, 0b101), (5000, 255))
    return [
        struct.pack("<BHBB", flags, size - 1, lengths, 0) + bytes(act)
        for act in acts
        for size, lengths in cases
        for flags in (0, _NAMED, _NAME_ONLY)
    ]


def storage_seeds() -> list[bytes]:
    """Devices with their descriptors, all of them good flash drives in the end, and some with oddities on the way."""
    short = (descriptors.Interface(extra=bytes([3, 5, 0x81])),)
    whole = [
        descriptors.configuration(each) for each in (descriptors.ONE, descriptors.WITH_UAS, descriptors.SECOND, short)
    ]
    plain = [len(each).to_bytes(2, "little") + each for each in whole]
    acts = {
        20: (b"\1", b"\2", b"\5\3\0"),
        26: (b"\1", b"\2", b"\5\3\0", b"\6\0\xff"),
        30: (b"\1", b"\2", b"\6\0\xff"),
        27: (b"\7\7\7",),
    }
    odd = [bytes(2 + at) + act for at, several in acts.items() for act in several]
    return [bytes(2), *plain, *odd]
