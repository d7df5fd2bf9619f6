"""`spboot explain`: where the bytes of a patch go, and what would make it smaller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from spboot import boards
from spboot.boards import Board
from spboot.cli import files, kinds, options, tables
from spboot.cli.progress import Tick, progress
from spboot.delta import meter
from spboot.errors import BoardError, FormatError
from spboot.explanation import GROUPS, Explanation, Row, explain, explain_delta, picture
from spboot.explanation.words import costs, hint_lines, whole
from spboot.formats.delta_file import is_delta_file
from spboot.formats.manifest import Manifest
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version

_ROWS = 20


@click.command("explain")
@click.argument("patch", type=options.PATH, required=False)
@click.option("--from", "old", required=True, type=options.PATH, metavar="OLD", help="Application the patch is from.")
@click.option("--to", "new", required=True, type=options.PATH, metavar="NEW", help="Application the patch makes.")
@click.option("--board", "board_name", metavar="BOARD", help="Board name or .toml file; a patch names one of ours.")
@click.option("--keys", "key_folder", type=options.PATH, metavar="DIR", help="Key folder: PATCH is encrypted.")
@click.option(
    "-n",
    "count",
    type=click.IntRange(1),
    default=_ROWS,
    show_default=True,
    metavar="N",
    help="Rows; the rest is a sum.",
)
@click.option("--no-hints", is_flag=True, help="Do not look for what would save bytes: each takes a patch's time.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, all rows unless -n is given.")
@click.option("--svg", "svg_file", type=options.PATH, metavar="FILE", help="Write a picture, too.")
@click.option("--html", "html_file", type=options.PATH, metavar="FILE", help="Write a page with tables, too.")
@click.pass_context
def command(
    context: click.Context,
    patch: Path | None,
    old: Path,
    new: Path,
    board_name: str | None,
    key_folder: Path | None,
    count: int,
    no_hints: bool,
    as_json: bool,
    svg_file: Path | None,
    html_file: Path | None,
) -> None:
    """Tell where the bytes of a patch go.

    By function, table, literal and reference, with what the patch costs the flash of the board, and hints that make it
    smaller.  Without PATCH (.sfbp) it is about the one that would be made.  Names come from .elf files.  PATCH may be a
    delta file, too, which knows no board.

    \b
    Examples:
      spboot explain app-1.2.0.sfbp --from app-1.1.0.elf --to app-1.2.0.elf \\
          --keys keys
      spboot explain --from app-1.1.0.elf --to app-1.2.0.elf \\
          --board NUCLEO-L476RG
      spboot explain change.spbd --from old.bin --to new.bin --html change.html
    """
    for output in filter(None, (svg_file, html_file)):
        files.check_output(output, old, new, *([patch] if patch else []))
    found = _explained(patch, old, new, board_name, key_folder, hints=not no_hints)
    title = f"{patch.name if patch else 'a patch'} from {old.name} to {new.name}"
    if svg_file:
        files.write(svg_file, picture.svg(title, found, count).encode())
    if html_file:
        files.write(html_file, picture.html(title, found, count).encode())
    if as_json:
        given = context.get_parameter_source("count") is not click.core.ParameterSource.DEFAULT
        click.echo(json.dumps(found.facts(count if given else None), indent=2))
        return
    _show(title, found, count)
    for path in filter(None, (svg_file, html_file)):
        click.echo(f"{path}: written")


def _explained(
    patch: Path | None, old: Path, new: Path, board_name: str | None, key_folder: Path | None, *, hints: bool
) -> Explanation:
    project = options.project()
    with progress("weighing hints") as tick:
        if patch is not None:
            data = kinds.read(patch, kinds.UPDATE, kinds.DELTA)
            if is_delta_file(data):
                if board_name or key_folder:
                    raise FormatError(
                        f"{patch} is a delta file, for no board and with no key: leave --board and --keys"
                    )
                with files.named(patch):
                    return explain_delta(files.read(old), files.read(new), data, with_hints=hints, progress=tick)
            key_folder = key_folder or (project.keys if project else None)
            return _of_patch(patch, data, old, new, board_name, key_folder, hints=hints, tick=tick)
        board_name = board_name or (project.board if project else None)
        if board_name is None:
            raise BoardError("without a patch nobody says which board it is for: name it with --board")
        board = Board.load(board_name)
        before, after = (Image.load(path, board, Version(0, 0, number)) for number, path in ((1, old), (2, new)))
        return explain(before, after, with_hints=hints, progress=tick)


def _of_patch(
    patch: Path,
    data: bytes,
    old: Path,
    new: Path,
    board_name: str | None,
    key_folder: Path | None,
    *,
    hints: bool,
    tick: Tick | None,
) -> Explanation:
    with files.named(patch):
        manifest = Manifest.parse(data)
    board = Board.load(board_name) if board_name else boards.by_id(manifest.target)
    if board is None:
        raise BoardError(f"{patch}: for a board that is not ours ({manifest.target:#010x}): name its file with --board")
    versions = manifest.base_version, manifest.version
    before, after = (
        Image.load(path, board, Version.unpack(number)) for path, number in zip((old, new), versions, strict=True)
    )
    keys = Keys.load(key_folder) if key_folder else None
    with files.named(patch):
        return explain(before, after, patch=data, keys=keys, with_hints=hints, progress=tick)


def _show(title: str, found: Explanation, count: int) -> None:
    what = "would have" if found.made else "has"
    click.secho(f"{title}: it {what} {found.file_size:,} bytes, for {found.new_size:,} of firmware", bold=True)
    click.echo()
    groups = {name: size for name, size in found.groups.items() if size}
    sizes = whole(list(groups.values()))
    cells = ((GROUPS[name], f"{size:,}", _share(size, found)) for name, size in zip(groups, sizes, strict=True))
    tables.show("What the bytes are for", ("", "bytes>", "%>"), cells)
    heads = ("where", "what", "bytes>", "%>", "new>", "refs>", "copies>", "")
    tables.show(f"The {min(count, len(found.rows))} dearest places", heads, _places(found, count))
    for line in costs(found):
        click.echo(line)
    click.echo()
    for line in hint_lines(found):
        click.echo(line)


def _share(size: float, found: Explanation) -> str:
    return f"{100 * size / found.file_size:.1f}"


def _places(found: Explanation, count: int) -> Iterator[tuple[str, ...]]:
    rows, rest = found.top(count)
    sizes = whole([*(row.bytes for row in rows), rest])
    for row, size in zip(rows, sizes, strict=False):
        yield row.name, row.kind, f"{size:,}", _share(row.bytes, found), *_costs(row), row.change
    if len(found.rows) > len(rows):
        yield f"{len(found.rows) - len(rows)} more", "", f"{sizes[-1]:,}", _share(rest, found), "", "", "", ""


def _costs(row: Row) -> Iterator[str]:
    for kinds_of in ((meter.NEW, meter.CHANGED), (meter.REFERENCE,), (meter.COPY, meter.SAME)):
        yield f"{row.of(*kinds_of):,.0f}" if row.of(*kinds_of) >= 0.5 else ""
