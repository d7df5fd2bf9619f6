"""What a command says: sentences for people, or one JSON object for a program."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from typing import Any

import click

from spboot.cli import tables


class Telling:
    """Where a command's sentences go; its facts are printed at its end, with --json."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False, as_json: bool = False) -> None:
        self.verbose = verbose and not as_json
        self.as_json = as_json
        self._quiet = quiet
        self._silent = quiet or as_json
        self._facts: dict[str, Any] = {}

    @property
    def talks(self) -> bool:
        """Whether it says its sentences."""
        return not self._silent

    def say(self, text: str, colour: str = "") -> None:
        """A sentence for everybody who did not ask for silence; *colour* on a terminal."""
        if self._silent:
            return
        if colour:
            tables.say(text, colour)
        else:
            click.echo(text)

    def warn(self, warnings: Iterable[str]) -> None:
        """Sentences on what is seldom meant: on stderr, unless silence was asked for, and among the facts."""
        told = list(warnings)
        for text in told if not self._quiet else ():
            click.echo(f"warning: {text}", err=True)
        if told:
            self._facts["warnings"] = [*self._facts.get("warnings", []), *told]

    def more(self, text: str) -> None:
        """A sentence for who asked for more."""
        if self.verbose:
            click.echo(text)

    def facts(self, **facts: Any) -> None:
        """Numbers, texts, paths and lists of them, by their names."""
        self._facts |= facts

    def end(self) -> None:
        """Print what was asked for as JSON."""
        if self.as_json:
            click.echo(json.dumps(self._facts, indent=2, default=str))


def telling(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options -q, -v and --json, and a `Telling` as its argument *tell*."""

    @click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
    @click.option("-v", "--verbose", is_flag=True, help="Say more.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @functools.wraps(command)
    def wrapped(*args: Any, quiet: bool, verbose: bool, as_json: bool, **options: Any) -> Any:
        tell = Telling(quiet=quiet, verbose=verbose, as_json=as_json)
        done = command(*args, tell=tell, **options)
        tell.end()
        return done

    return wrapped
