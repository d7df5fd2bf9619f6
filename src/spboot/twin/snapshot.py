"""The state of a whole machine, to come back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class Part(Protocol):
    """What has a state."""

    def save(self) -> Any: ...
    def load(self, state: Any) -> None:
        """Back to what `save` returned, of this machine or of its like in another process."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of each part by its name.  Its repr shows none: keys are in the memories."""

    states: Mapping[str, Any] = field(repr=False)

    @classmethod
    def take(cls, parts: Mapping[str, Part]) -> Snapshot:
        """Between slices only."""
        return cls({name: part.save() for name, part in parts.items()})

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Put everything back, in the order of *parts*."""
        for name, part in parts.items():
            part.load(self.states[name])
