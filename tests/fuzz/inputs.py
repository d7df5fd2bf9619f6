"""What the fuzzers of payload, journal and YMODEM start from: bytes as their harnesses read them.  Each input comes to
a good end, which a test counts."""

from __future__ import annotations

import random
import struct

_NEXT, _AGAIN, _CUT, _CHANGED, _EOT, _QUIET, _SKIP, _PAUSE = 0, 4, 5, 6, 7, 9, 10, 11
_NAMED, _NAME_ONLY = 4, 8
_PAGE, _DONE, _MARK, _FINISHED, _ERASED, _BYTES = 0, 2, 4, 5, 6, 7


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
    """Committed journals: as commit leaves them, in the middle of an install, finished, torn, with a unit that cannot
    be read."""
    pages = [_PAGE] * 5
    mark = [*pages, _MARK]
    records = (
        mark,
        [*mark, _DONE, 0],
        [*mark, _DONE, 0, _DONE, 3, _BYTES, *range(8), _DONE, 5],
        [*mark, _DONE, 0, _FINISHED],
        [_PAGE] * 200 + [_MARK] + [_DONE, 1] * 55,
        [_MARK],
        [*mark, _ERASED, _ERASED, _DONE, 2],
    )
    return [
        struct.pack("<BBHH", unreadable, 0, page, step) + bytes(record)
        for record in records
        for unreadable, page, step in ((255, 3, 7), (255, 9, 2))
    ] + [struct.pack("<BBHH", 8, 0, 2, 1) + bytes(records[2])]


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
