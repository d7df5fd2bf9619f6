"""Bytes that nobody may see in passing."""

from __future__ import annotations

from typing import Any, SupportsIndex, overload


class Secret(bytes):
    """Bytes whose `repr`, `str` and format do not show them: logs, dataclasses and tracebacks with locals stay clean.

    They are plain bytes for everything that computes with them.  A slice is a Secret as well, as rich cuts what it
    shows; what else is made of them is plain bytes again: wrap it where it is kept."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} secret bytes>"

    __str__ = __repr__

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...

    @overload
    def __getitem__(self, key: slice[Any, Any, Any]) -> Secret: ...

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        return Secret(part) if isinstance(part, bytes) else part

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Secret, (bytes(self),)
