"""The streams of spec/patch-stream.json, decision by decision."""

from __future__ import annotations

from collections.abc import Callable

from spboot.delta.decoder import CALM, SECOND, SURE_UNIT
from spboot.delta.moves import MOVES
from spboot.delta.reference import B_COND, BL, CBZ, LDR, LDR_W, MOVW, B

from .code import AWAY, NAMES, every_kind, filler, instruction, noise, one_kind, plain, pointers, words
from .writer import BASE, Writer

OLD = plain(400)


def _overlapping() -> Writer:
    writer = Writer().literals(b"xyz").copy_new(3).predicted(CALM).announce(2).predicted(165).end()
    return writer.copy_new(1).predicted(5).end().copy_new(None).predicted(3)


def _distances() -> Writer:
    writer = Writer().literals(plain(75))
    for distance in (1, 2, 3, 4, 8, 20, 40, 75, 150):
        writer.copy_new(distance).predicted(75 if distance == 75 else 2).end().literals(bytes(distance % 11))
    return writer.copy_new(None).predicted(3)


def _announced() -> Writer:
    """And what follows an announcement: no other until the next surprise."""
    writer = Writer().literals(b"\x01").copy_new(1)
    for e in range(5):
        writer.predicted(CALM).announce((1 << e) - 1).predicted(((1 << e) - 1) * SURE_UNIT + CALM + 8).change(0)
    return writer.predicted(CALM).announce(0).predicted(5)


def _changes() -> Writer:
    """In operation codes of each class, of all kinds of value, after runs of each length, at both bytes."""
    codes = (9, 20, 21, 26, 28, 0, 31, 16, 23)
    old = bytes(byte for at, code in enumerate(codes * 6) for byte in (at, code << 3))
    writer = Writer(old).copy_old(1, "far")
    for more in (1, 0xFF, 0x35, 2, 0xF4, 0x80, 0x10, 0, 0, 0xFE, 4, 0x7F, 0xF0, 3):
        writer.change(more)
    writer.end().copy_old(11, "far")
    for run, more in ((1, 3), (3, 0xF0), (4, 9), (8, 2), (18, 8), (32, 1)):
        writer.predicted(run).change(more)
    writer.predicted(7).change(0x77).end().literals(b"\x01")
    return writer.copy_new(6).change(0xFE).predicted(9).change(0x42).predicted(3)


def _displacements() -> Writer:
    """far, same, near; then by the map, in which three copies of eight bytes and more are."""
    writer = Writer(OLD).copy_old(0, "same").predicted(12).end().literals(b"ab")
    writer.copy_old(14, "same").predicted(9).end()
    writer.copy_old(31, "near").predicted(9).end()
    writer.copy_old(101, "far").predicted(10).end()
    writer.copy_old(50, "far").predicted(20).end().literals(b"c")
    writer.copy_old(301, "far").predicted(3).end()
    return writer.copy_old(74, "mapped").predicted(8).end().literals(b"d").copy_old(313, "near").predicted(2)


def _near() -> Writer:
    writer = Writer(OLD).copy_old(0, "same").predicted(190).end()
    for away in (1, 2, 4, 8, 16, 32, 64, 128):
        writer.copy_old(len(writer.new) - away, "near").change(away).end()
        writer.copy_old(len(writer.new), "near").change(away).end()
    return writer


def _spaces() -> Writer:
    writer = Writer(OLD).literals(b"ab").copy_new(2).predicted(30).end().copy_old(7, "far").predicted(20).end()
    writer.copy_new(None).predicted(3).end().copy_old(27, "far").predicted(5).end().literals(b"\xff")
    return writer.copy_new(31).change(1).end().copy_old(399, "far").predicted(1).over().copy_new(1).predicted(4)


def _end_of_old() -> Writer:
    writer = Writer(OLD).copy_old(390, "far").predicted(10).over().literals(b"a").copy_old(399, "far")
    return writer.change(7).over().copy_old(0, "far").predicted(1)


def _announced_beyond_old() -> Writer:
    """The end of OLD comes behind announced bytes; the copy behind it has to ask again."""
    writer = Writer(OLD, 600).copy_old(300, "far").predicted(CALM).announce(1).predicted(68).over().literals(b"a")
    return writer.copy_new(40).predicted(CALM).announce(2).predicted(467)


def _all_kinds(further: int, *, announced: bool = False) -> Writer:
    """Every kind as guessed, *further* bytes on."""
    old = filler(48) + every_kind()
    writer = Writer(old).literals(plain(further)).copy_old(0, "far").predicted(CALM)
    writer.announce(3 if announced else 0).predicted(len(old) - CALM).over()
    return writer.copy_new(len(old)).predicted(CALM).announce(2 if announced else 0).predicted(len(old) - CALM)


def _missed(kind: int, how: str) -> Writer:
    """One reference of *kind*, not as guessed, in a copy from OLD and in one from NEW."""
    old, at = one_kind(kind)
    writer = Writer(old).literals(plain(4)).copy_old(0, "far").predicted(at).missed(how, 3)
    writer.predicted(len(old) - writer.decoder.source).over()
    return writer.copy_new(len(old)).predicted(at).missed(how, -2).predicted(2).change(1).predicted(4)


def _out_of_reach() -> Writer:
    """Guesses that cannot be written leave the bytes as they are: pointers tell that the targets moved far."""
    kinds = (LDR, B_COND, B, CBZ, LDR_W)
    code = b"".join((instruction(kind, 28 + 4 * at) + filler(2))[:4] for at, kind in enumerate(kinds))
    targets = [BASE + 28 + 4 * at + 4 + AWAY[kind] for at, kind in enumerate(kinds)]
    old = words(*targets, 0x4321, 0xF000) + code + filler(6)
    writer = Writer(old).copy_old(0, "same")
    for _ in kinds:
        writer.missed("told", 5000)
    return writer.missed("told", 0xB000).predicted(len(old) - 24).over()


def _exponents(kind: int, count: int) -> Writer:
    """Targets told with Golomb exponents from 0 on, up and down again."""
    old, at = one_kind(kind)
    writer = Writer(old).copy_old(0, "same").predicted(at)
    for e in range(count):
        more = (1 << e) + (1 << e) // 3
        writer.missed("told", more).end().copy_old(at, "far").missed("told", -more).end().copy_old(at, "far")
    return writer.predicted(4)


def _told_words() -> Writer:
    writer = Writer(words(*[BASE + 0x41] * 64)).copy_old(0, "same")
    for e in range(32):
        writer.missed("told", (1 << e) + (1 << e) // 3).missed("told", -(1 << e) - (1 << e) // 2)
    return writer


def _map() -> Writer:
    """More moves than the map takes, more than its clock counts; what is left of them tells the last copies."""
    count = MOVES // 2 + 10
    old = pointers(2 * count, 8)
    old = old[: 4 * count] + filler(4) + old[4 * count :]
    second = 4 * count + 4
    writer = Writer(old)
    for source in (0, second, second, 0, second):
        writer.copy_old(source, "far")
        for _ in range(count):
            writer.missed("told", 3)
        _ = writer.over() if source else writer.end()
    return writer.copy_old(second, "far").predicted(4 * count).over().copy_old(0, "far").predicted(4 * count).end()


def _oldest() -> Writer:
    """A full map: a move that was of use stays, the next one goes."""
    rest = pointers(MOVES + 3, 16)
    old = words(BASE + 0x404 + 16 * MOVES + 80) + filler(4) + rest
    writer = Writer(old).copy_old(0, "same").missed("told", 5).predicted(4).missed("told", 7)
    for _ in range(MOVES - 1):
        writer.missed("told", 4)
    writer.predicted(12).over().copy_old(0, "far").predicted(4).end().copy_old(len(old) - 12, "far")
    for _ in range(3):
        writer.missed("told", 2)
    return writer.over().copy_old(0, "far").predicted(len(old)).over()


def _neighbours() -> Writer:
    """Guesses by one neighbour, by two that agree, by the nearer of two, by one far away, in each kind of place."""
    code = [BASE + place for place in (0x41, 0x841, 0x45, 0x843, 0x441, 0x443, 0x1141, 0x41)]
    data = [0x20000000 + place for place in (0x100, 0x180, 0x140, 0xFFFF0, 0x110)] + [0x90000004, 0x10000104]
    small = [0x1234, 0x2234, 0x1734, 0x20, 0xFFF0, 0x1C34]
    writer = Writer(words(*code, *data, *small)).copy_old(0, "same")
    writer.missed("told", 4).missed("told", 4).predicted(4).missed("second").predicted(16)
    writer.missed("told", 8).missed("told", -8).predicted(20)
    return writer.missed("told", 2).missed("raw").missed("second").predicted(12).over()


def _content(more: int) -> Writer:
    """NEW begins like OLD where the second guess leads, not where the first one does: they change places.

    Not so when the first one leads where nothing is written yet."""
    old = plain(64) + words(BASE + 8, BASE + 16, BASE + 0x21, BASE + 0x30, BASE + 0x3C, BASE + 0x1001)
    writer = Writer(old).literals(plain(8)).copy_old(0, "far").predicted(64)
    return writer.missed("told", more).predicted(20).over()


def _history() -> Writer:
    """Hits and misses of a kind follow each other, in copies from OLD and from NEW."""
    old = words(*[0x20000104] * 12) + filler(4)
    writer = Writer(old).copy_old(0, "same")
    for hit in (0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1):
        _ = writer.predicted(4) if hit else writer.missed("raw")
    writer.predicted(4).over().copy_new(len(old)).missed("raw").predicted(44).end()
    return writer.copy_old(4, "far").predicted(48).over()


def _odd_places() -> Writer:
    """From even to odd there is no reference, from a multiple of 4 to another even place no word."""
    old = every_kind()
    writer = Writer(old).copy_old(1, "far").predicted(60).end().copy_old(2, "far").predicted(120).end()
    return writer.literals(b"ab").copy_old(3, "far").predicted(len(old) - 3).over()


def _cut_off() -> Writer:
    """References of four bytes of which OLD, what is written of NEW, or NEW has only two."""
    old, at = one_kind(BL)
    writer = Writer(old[: at + 2], 2 * at + 8).copy_old(0, "same").predicted(at + 2).over()
    return writer.copy_new(2).predicted(4).end().copy_old(2, "far").predicted(at)


def _as_it_is() -> Writer:
    """References that an announcement takes as they are: none is written, none is learnt."""
    old = words(*[BASE + 0x41] * 8) + every_kind() + filler(200)
    writer = Writer(old).literals(plain(16)).copy_old(0, "far").predicted(32).as_it_is(3).predicted(CALM).as_it_is(1)
    writer.change(1).end().copy_new(40).predicted(CALM).as_it_is(2).predicted(3).end()
    return writer.copy_old(0, "far").predicted(CALM).as_it_is(1).predicted(4)


def _rest(count: int) -> bytes:
    """A second part: *count* pointers into both parts, two that are none, and code that is not looked at."""
    inside = [0x90000000 + 8 * at for at in range(count)] + [BASE + 0x41 + 2 * at for at in range(count)]
    return words(*inside, 0x91000000, 0x1234) + instruction(BL, 12) + filler(40)


def _two_parts() -> Writer:
    """The code grew by a byte, the second part at its start by 8."""
    old, rest = plain(41), _rest(6)
    writer = Writer(old, 42, old_rest=rest, new_rest_len=len(rest) + 8 + 20)
    writer.copy_old(0, "same").predicted(41).over().literals(b"!").literals(b"new: 8 b")
    writer.copy_old(SECOND, "near").missed("told", 8).missed("told", 8).predicted(16).missed("second").predicted(20)
    writer.predicted(len(rest) - 48).over()
    writer.copy_new(SECOND + len(writer.new) - 5).predicted(4).end().copy_new(4).predicted(8).end()
    return writer.copy_old(3, "far").predicted(5).end().copy_old(SECOND + 4, "far").predicted(3)


def _rest_stays() -> Writer:
    """Pointers into what stays; the second part is announced at once."""
    old, rest = words(*[0x90000004 + 16 * at for at in range(8)]) + filler(8), _rest(20)
    writer = Writer(old, 36, old_rest=rest, new_rest_len=len(rest)).copy_old(0, "same").predicted(CALM).announce(0)
    return writer.predicted(4).copy_old(SECOND, "same").predicted(CALM).as_it_is(2).predicted(len(rest) - CALM - 128)


def _rest_alone() -> Writer:
    """Without a first part; what is stored is so to the end of its part."""
    return Writer(b"", 9, new_rest_len=12).stored(noise(9, "stored")).stored(noise(12, "stored"))


def _rest_from_the_first() -> Writer:
    """Copies from the first part of NEW end where that does."""
    writer = Writer(b"", 40, new_rest_len=90).literals(plain(40)).literals(b"a").copy_new(SECOND + 1 - 4)
    return writer.predicted(CALM).announce(0).predicted(4).over().copy_new(20).predicted(53)


_OF_TWO_PARTS: dict[str, Callable[[], Writer]] = {
    "two parts": _two_parts,
    "two parts: the second stays": _rest_stays,
    "two parts: stored": _rest_alone,
    "two parts: copies from the first": _rest_from_the_first,
}


def valid() -> dict[str, Callable[[], Writer]]:
    """What a decoder must accept."""
    made: dict[str, Callable[[], Writer]] = {
        "empty NEW": lambda: Writer(),
        "empty NEW from OLD": lambda: Writer(OLD),
        "one zero byte": lambda: Writer().literals(b"\0"),
        "two bytes": lambda: Writer().literals(b"\x01\xfe"),
        "text": lambda: Writer().literals(b"The quick brown fox jumps over the lazy dog."),
        "every byte": lambda: Writer().literals(bytes(range(256))),
        "all zero": lambda: Writer().literals(bytes(64)),
        "stored": lambda: Writer().stored(noise(20, "stored") + bytes(8)),
        "stored, with an OLD": lambda: Writer(b"A").stored(b"\xff" * 9 + noise(9, "stored")),
        "overlapping copies": _overlapping,
        "distances with every exponent": _distances,
        "announcements with every exponent": _announced,
        "changed bytes": _changes,
        "OLD of one byte": lambda: (
            Writer(b"A").copy_old(0, "same").predicted(1).over().literals(b"B").copy_old(0, "far").predicted(1)
        ),
        "whole OLD": lambda: Writer(OLD).copy_old(0, "same").predicted(CALM).announce(5).predicted(368),
        "displacements": _displacements,
        "displacements with every exponent": _near,
        "displacement by an empty map": lambda: Writer(OLD).copy_old(0, "mapped").predicted(4),
        "both spaces": _spaces,
        "as they are": _as_it_is,
        **_OF_TWO_PARTS,
        "end of OLD": _end_of_old,
        "end of OLD behind announced bytes": _announced_beyond_old,
        "every kind of reference in its place": lambda: _all_kinds(0),
        "every kind of reference, moved": lambda: _all_kinds(16),
        "every kind of reference, moved by 2": lambda: _all_kinds(18),
        "every kind of reference, announced": lambda: _all_kinds(16, announced=True),
        "guesses out of reach": _out_of_reach,
        "BL told with every exponent": lambda: _exponents(BL, 23),
        "MOVW told with every exponent": lambda: _exponents(MOVW, 15),
        "pointers told with every exponent": _told_words,
        "map: full, and its clock": _map,
        "map: the oldest goes": _oldest,
        "map: neighbours": _neighbours,
        "guess by content": lambda: _content(20),
        "guess by content that is not there yet": lambda: _content(2000),
        "history": _history,
        "odd places": _odd_places,
        "references cut off": _cut_off,
    }
    for kind, name in NAMES.items():
        for how in ("raw", "bytewise", "second", "told"):
            made[f"{name}: {how}"] = lambda kind=kind, how=how: _missed(kind, how)  # type: ignore[misc]
    return made


_BEYOND = {"BL": 1 << 24, "small number": 0xF000, "LDR": 256, "B<c>": 150, "B": 1100, "CBZ": 60, "B<c>.W": 1 << 20}
_BEYOND |= {"LDR.W": 3800, "MOVW": 0xC000}


def _nothing(writer: Writer) -> Writer:
    """End a copy that has no byte yet; but for that, what follows is valid."""
    writer.decoder.wrote = True
    return writer.end().literals(b"c" * (writer.decoder.new_len - len(writer.new)))


def _beyond(kind: int, more: int) -> Writer:
    old, at = one_kind(kind)
    return Writer(old, 60).copy_old(0, "same").predicted(at).refused(lambda w: w.missed("told", more))


def _refused_of_two_parts() -> dict[str, Callable[[], Writer]]:
    return {
        "OLD: copy begins between its parts": lambda: (
            Writer(OLD, 60, old_rest=OLD).literals(b"ab").refused(lambda w: w.copy_old(402, "near"))
        ),
        "OLD: copy begins behind its second part": lambda: (
            Writer(OLD, 2, old_rest=b"b", new_rest_len=60)
            .literals(b"abc")
            .refused(lambda w: w.copy_old(SECOND + 1, "same"))
        ),
        "distance: between the parts": lambda: (
            Writer(b"", 2, new_rest_len=60).literals(b"abc").refused(lambda w: w.copy_new(SECOND - 2))
        ),
        "distance: before the first part": lambda: (
            Writer(b"", 2, new_rest_len=60).literals(b"abc").refused(lambda w: w.copy_new(SECOND + 2))
        ),
        "announced: more than the first part has": lambda: (
            Writer(b"", 70, new_rest_len=300)
            .literals(plain(70))
            .literals(b"a")
            .copy_new(SECOND + 1)
            .predicted(CALM)
            .refused(lambda w: w.announce(1))
        ),
    }


def invalid() -> dict[str, Callable[[], Writer]]:
    """What a decoder must refuse in the last step.  The word before the colon stands for the rule."""

    def fresh(old: bytes = b"") -> Writer:
        return Writer(old, 60).literals(b"ab")

    made: dict[str, Callable[[], Writer]] = {
        "OLD: copy begins before it": lambda: fresh(OLD).refused(lambda w: w.copy_old(-1, "near")),
        "OLD: copy begins at its end": lambda: fresh(OLD).refused(lambda w: w.copy_old(400, "far")),
        "OLD: copy begins behind its end": lambda: fresh(OLD).refused(lambda w: w.copy_old(450, "near")),
        "OLD: the same displacement leads behind it": lambda: (
            Writer(b"A", 60).copy_old(0, "same").predicted(1).over().refused(lambda w: w.copy_old(1, "same"))
        ),
        "distance: before the start of NEW": lambda: fresh().refused(lambda w: w.copy_new(3)),
        "distance: none before": lambda: fresh().refused(lambda w: w.copy_new(None)),
        "distance: the largest": lambda: fresh().refused(lambda w: w.copy_new(0xFFFFFFFF)),
        "announced: more than is left": lambda: (
            Writer(OLD, 223).copy_old(0, "same").predicted(CALM).refused(lambda w: w.announce(3))
        ),
        "announced: the most": lambda: (
            Writer(OLD, 223).copy_old(0, "same").predicted(CALM).refused(lambda w: w.announce(0xFFFFFFFE))
        ),
        "announced: more than OLD has": lambda: (
            Writer(OLD, 600).copy_old(300, "far").predicted(CALM).refused(lambda w: w.announce(2))
        ),
        **_refused_of_two_parts(),
        "nothing: a copy from OLD without a byte": lambda: _nothing(fresh(OLD).copy_old(5, "far")),
        "nothing: a copy from NEW without a byte": lambda: _nothing(fresh().copy_new(1)),
    }
    for kind, name in NAMES.items():
        for sign in ("", "-") if name in _BEYOND else ():
            more = int(f"{sign}{_BEYOND[name]}")
            made[f"reach: {name} told {more:+}"] = lambda kind=kind, more=more: _beyond(kind, more)  # type: ignore[misc]
    return made
