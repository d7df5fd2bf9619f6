"""A difference between two builds that no feature needs, and NEW as it would be without it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What was *found*, *what to do*, and NEW with that *undone*; None where only another build can show it.

    *exact*: a build that does it gives these very bytes; otherwise they are put together here, and nearly those.
    *at_most*: bytes of the patch that it can save, where nothing could be undone."""

    title: str
    found: str
    advice: str
    undone: bytes | None = None
    exact: bool = True
    at_most: float | None = None
