"""The command reference: a page for each command, from what `--help` says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from spboot import cli
from tools.site.pages import Tree

_OUTSIDE_CODE = re.compile(r"(`[^`]*`)")


def escaped(text: str) -> str:
    """*text* for Markdown, where it is not in backticks."""
    pieces = _OUTSIDE_CODE.split(text)
    pieces[::2] = [re.sub(r"([*_<>\[\]|#\\])", r"\\\1", piece) for piece in pieces[::2]]
    return "".join(pieces)


def write(tree: Tree) -> None:
    """All pages into the folder commands."""
    context = click.Context(cli.root, info_name="spboot")
    index = ["# Commands\n\nWhat `spboot COMMAND --help` says of each, with its examples.\n"]
    for heading, names in cli._GROUPS.items():
        index.append(f"\n## {heading}\n\n| command | what it does |\n|---|---|\n")
        for name in names:
            command = cli.root.get_command(context, name)
            assert command, name
            short = escaped(command.get_short_help_str(200))
            index.append(f"| [spboot {name}]({name}.md) | {short} |\n")
            tree.write(f"commands/{name}.md", "".join(_page(command, ("spboot", name), context, 1)))
    listed = "\n".join(name for names in cli._GROUPS.values() for name in names)
    index.append("\n## For all of them\n\n" + "".join(_options(cli.root, context)))
    index.append(f"\n{escaped(cli.root.epilog or '')} `spboot send` adds 3.\n")
    index.append(f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n")
    tree.write("commands/index.md", "".join(index))


def _page(command: click.Command, path: tuple[str, ...], parent: click.Context, level: int) -> Iterator[str]:
    """One command and, a level below, those in it."""
    context = click.Context(command, info_name=path[-1], parent=parent)
    yield f"{'#' * level} {' '.join(path)}\n\n"
    yield f"```none\n{' '.join((*path, *command.collect_usage_pieces(context)))}\n```\n\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield _paragraph(paragraph)
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found, name
            yield from _page(found, (*path, name), context, level + 1)


def _paragraph(text: str) -> str:
    """A paragraph of the help; one that begins with a mark of click keeps its lines, and is the examples."""
    if not text.startswith("\b"):
        return escaped(" ".join(text.split())) + "\n\n"
    head, *lines = text.removeprefix("\b").strip("\n").splitlines()
    return f"**{head.strip().rstrip(':')}**\n\n```none\n{inspect.cleandoc(chr(10).join(lines))}\n```\n\n"


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """A table of the options."""
    yield "| option | meaning |\n|---|---|\n"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or not record[1]:  # an argument, of which the usage line tells
            continue
        names = record[0].replace("|", "\\|")
        variable = f" Else `{parameter.envvar}`." if isinstance(parameter.envvar, str) else ""
        yield f"| `{names}` | {escaped(record[1])}{variable} |\n"
    yield "\n"
