"""What the source of a handler says: which sections of manuals it cites, and in which words it refuses."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from spboot.twin.block import Block

_MANUAL: Final = re.compile(
    r"\b(?:RM|PM|DDI|DS|ES)\d{4,5}\b(?: (?:chapter |table )?\d+(?:\.\d+)*)?|\bARMv\d-M [A-Z]\d+(?:\.\d+)*"
)
_UNMODELLED: Final = re.compile(r"does not model|not modelled|models it without")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One call of `refuse`, `forbid` or `doubt`, in words; what is known only at run time is an ellipsis."""

    found: str
    advice: str

    @property
    def unmodelled(self) -> bool:
        """Silicon has it, the twin does not."""
        return bool(_UNMODELLED.search(self.found + self.advice))


def manuals(text: str) -> list[str]:
    """The sections of manuals that *text* cites, each once."""
    return list(dict.fromkeys(_MANUAL.findall(text)))


def cited(handler: Callable[..., Any]) -> list[str]:
    """Sections that a handler, or a method that it calls on its own block, cites."""
    return list(dict.fromkeys(section for text, _ in _methods(handler) for section in manuals(text)))


def refusals(handler: Callable[..., Any]) -> list[Refusal]:
    """What a handler, or a method that it calls on its own block, refuses."""
    found: list[Refusal] = []
    for _, tree in _methods(handler):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in ("refuse", "refuse_later", "forbid", "doubt") and len(node.args) == 2:
                found.append(Refusal(*map(_words, node.args)))
    return list(dict.fromkeys(found))


def of_class(kind: type) -> str:
    """Docstrings of a class and of its module."""
    return f"{inspect.getmodule(kind).__doc__ or ''} {kind.__doc__ or ''}"


def _words(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_words, node.values))
    if isinstance(node, ast.FormattedValue) and ast.unparse(node.value) == "self.name":
        return "<name>"
    return "…"


def _methods(handler: Callable[..., Any]) -> Iterator[tuple[str, ast.AST]]:
    """Source and tree of *handler* and of the methods that it calls through self or super()."""
    bound = handler.func if isinstance(handler, partial) else handler
    function, block = bound.__func__, bound.__self__  # type: ignore[attr-defined]
    waiting, seen = [function], set()
    while waiting:
        function = waiting.pop(0)
        if function in seen:
            continue
        seen.add(function)
        text, tree = _parsed(function)
        yield text, tree
        for name, above in _called(tree):
            found = _resolved(type(block), function, name, above)
            if found is not None:
                waiting.append(found)


@cache
def _parsed(function: Any) -> tuple[str, ast.AST]:
    text = inspect.getsource(function)
    return text, ast.parse(textwrap.dedent(text))


def _called(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """(name, whether by super()) of methods called on the own block."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            if owner in ("self", "super()"):
                yield node.func.attr, owner == "super()"


def _resolved(kind: type, function: Any, name: str, above: bool) -> Any:
    """The function that *name* is, of *kind*, or of what stands above the class that has *function*."""
    line = list(kind.__mro__)
    if above:
        line = line[next(i for i, each in enumerate(line) if function in vars(each).values()) + 1 :]
    found = next((vars(each)[name] for each in line if name in vars(each) and each is not Block), None)
    return found if inspect.isfunction(found) else None
