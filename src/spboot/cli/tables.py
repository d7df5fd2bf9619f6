"""Tables as people see them."""

from __future__ import annotations

from collections.abc import Iterable

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

_NARROW = 100


def say(line: str, style: str) -> None:
    """Print *line*, bold and in the colour *style* on a terminal, unless NO_COLOR is set."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(Text(line, style=f"bold {style}"), soft_wrap=True)
    else:
        click.echo(line)


def show(title: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table; a head that ends in ">" aligns right.  On a pipe it is as wide as a screen usually is."""
    table = Table(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for head in heads:
        table.add_column(
            head.removesuffix(">"),
            justify="right" if head.endswith(">") else "left",
            overflow="fold",
            header_style="underline",
        )
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_NARROW)
    with console.capture() as text:
        console.print(table)
        console.print()
    click.echo(text.get(), nl=False)
