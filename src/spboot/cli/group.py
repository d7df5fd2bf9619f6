"""Groups of commands that know what was meant."""

from __future__ import annotations

import difflib

import click


class Group(click.Group):
    """A mistyped command is answered with the ones that it resembles; without any, with all there are."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known = str(args[0]), self.list_commands(ctx)
        if name in known or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name.lower(), known, n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known)}"
        raise click.UsageError(f"no such command {name!r}; {hint}", ctx)
