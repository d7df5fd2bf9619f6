"""`spboot delta`: raw patches, neither signed nor encrypted."""

from __future__ import annotations

from pathlib import Path

import click

from spboot import delta
from spboot.cli import files, kinds, options
from spboot.cli.group import Group
from spboot.cli.progress import progress
from spboot.cli.telling import Telling, telling
from spboot.delta.linkage import find_base
from spboot.errors import FormatError
from spboot.formats.delta_file import is_delta_file


@click.group("delta", cls=Group)
def command() -> None:
    """Make and apply raw patches between any two files.

    They are neither signed nor encrypted.

    \b
    Examples:
      spboot delta encode old.bin new.bin -o change.spbd
      spboot delta apply old.bin change.spbd -o new-again.bin
    """


def address(text: str) -> int:
    """A number as 0x8008200 or decimal."""
    try:
        return int(text, 0)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not an address, as 0x8008200") from None


@command.command("encode")
@click.argument("old", type=options.PATH)
@click.argument("new", type=options.PATH)
@options.output
@click.option(
    "--base",
    type=address,
    metavar="ADDR",
    help="Address both are linked at, when they are code: a multiple of 256.  Found in OLD when it is not given.",
)
@telling
def encode(old: Path, new: Path, output: Path, base: int | None, tell: Telling) -> None:
    """Write the patch that makes NEW from OLD.

    \b
    Examples:
      spboot delta encode old.bin new.bin -o change.spbd
      spboot delta encode old.bin new.bin --base 0x8008200 -o change.spbd
    """
    files.check_output(output, old, new)
    before, after = files.read(old), files.read(new)
    if base is None and (base := find_base(before)) is not None:
        tell.say(f"{old}: linked at {base:#010x}, as its pointers say; --base tells another address")
    base = base or 0
    with progress("comparing") as tick:
        packed = delta.encode_file(before, after, base=base, progress=tick)
    files.write(output, packed)
    tell.facts(file=output, bytes=len(packed), new_bytes=len(after), base=base)
    tell.say(f"{output}: {len(packed)} bytes for {len(after)}")


@command.command("apply")
@click.argument("old", type=options.PATH)
@click.argument("patch", type=options.PATH)
@options.output
@telling
def apply(old: Path, patch: Path, output: Path, tell: Telling) -> None:
    """Make NEW from OLD and PATCH.

    \b
    Examples:
      spboot delta apply old.bin change.spbd -o new-again.bin
    """
    files.check_output(output, old, patch)
    before, change = files.read(old), files.read(patch)
    if is_delta_file(before) and not is_delta_file(change):
        raise FormatError(f"{old} is the delta file, and {patch} is none: swap the two, OLD comes first")
    change = kinds.read(patch, kinds.DELTA)
    with files.named(patch):
        new = delta.apply_file(before, change)
    files.write(output, new)
    tell.facts(file=output, bytes=len(new))
    tell.say(f"{output}: {len(new)} bytes")
