"""Words that a shell completes: names of boards, parts, serial ports.  See `spboot completion`."""

from __future__ import annotations

import contextlib

import click
from click.shell_completion import CompletionItem

from spboot import boards, chips
from spboot.errors import LinkError


def board(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Boards that come with spboot; or a file."""
    found = [CompletionItem(name) for name in boards.all_names() if name.startswith(incomplete.upper())]
    return found or [CompletionItem(incomplete, type="file")]


def part(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Parts that there are facts of."""
    return [CompletionItem(name) for name in chips.names() if name.startswith(incomplete.upper())]


def port(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Serial ports of this machine; or a path."""
    from spboot.link import ports  # every command imports this module, and few have a port

    found: list[CompletionItem] = []
    with contextlib.suppress(LinkError):
        found = [CompletionItem(each.name, help=each.description) for each in ports.listed()]
    mine = [each for each in found if str(each.value).startswith(incomplete)]
    return mine or [CompletionItem(incomplete, type="file")]
