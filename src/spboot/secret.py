"""Bytes that nobody may see in passing."""

from __future__ import annotations

from typing import Any


class Secret(bytes):
    """Bytes whose `repr`, `str` and format do not show them: logs, dataclasses and tracebacks with locals stay clean.

    They are plain bytes for everything that computes with them.  What is cut out of them or made of them is plain
    bytes again: wrap it, too, where it is kept."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} secret bytes>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Secret, (bytes(self),)
