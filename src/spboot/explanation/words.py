"""What an explanation says in sentences, and its numbers as whole bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spboot.explanation import Explanation
    from spboot.explanation.hints import Hint


def whole(sizes: Sequence[float]) -> list[int]:
    """*sizes* as whole bytes with the same sum: those with the largest rests are the ones that are rounded up."""
    made = [floor(size) for size in sizes]
    missing = round(sum(sizes)) - sum(made)
    by_rest = sorted(range(len(sizes)), key=lambda at: (made[at] - sizes[at], at))
    for at in by_rest[:missing]:
        made[at] += 1
    return made


def costs(explanation: Explanation) -> Iterator[str]:
    """What the patch costs the board."""
    found = explanation.forecast
    if found is None:
        return
    slot = -(-explanation.new_size // found.page_size)
    inside = len(found.changed) - found.outside
    pages = f"{inside} page{'' if inside == 1 else 's'} of {found.page_size:,} bytes change"
    where = f"of some {slot}"
    if found.rest_page_size:
        where = f"and {found.outside} of {found.rest_page_size:,} bytes in external flash"
    yield f"On {explanation.board}: {pages}, {where}: {found.erases:,} erases, {found.programs:,} programs"
    if found.trial:
        yield "on trial: the pages before them are kept until the application confirms itself"
    if found.flash_s is None:
        yield 'seconds: `pip install "spboot[twin]"` brings the times of the flash'
    else:
        yield f"flash is busy for {found.flash_s:.2f} s, the console for {explanation.line_s or 0:.2f} s"


def hint_lines(explanation: Explanation) -> Iterator[str]:
    """The hints, the best first; nothing when nobody asked."""
    if explanation.hints is None:
        return
    if not explanation.hints:
        yield "No hint: nothing was found that a build could leave as it was."
        return
    yield "What would make it smaller, each measured on its own:"
    for hint in explanation.hints:
        yield f"  {saving(hint)}: {hint.title}: {hint.found}"
        yield f"      {hint.advice}"


def saving(hint: Hint) -> str:
    """What *hint* saves."""
    size = f"{hint.saves:,.0f} byte{'' if round(hint.saves) == 1 else 's'}"
    how = size if hint.exact else f"about {size}" if hint.measured else f"up to {size}, not measured"
    return f"{how} and {hint.pages} page{'' if hint.pages == 1 else 's'}" if hint.pages else how
