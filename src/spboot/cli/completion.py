"""`spboot completion`: what a shell needs to complete the words of our commands."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from spboot.errors import SpbootError

_WHERE: Final = {
    "bash": 'eval "$(spboot completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(spboot completion zsh)"   in ~/.zshrc',
    "fish": "spboot completion fish > ~/.config/fish/completions/spboot.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice([*_WHERE]), metavar="SHELL")
def command(shell: str) -> None:
    """Print what a shell completes our commands by.

    SHELL is bash (4.4 or later), zsh or fish.  Commands, options, files, boards, parts and ports are completed.

    \b
    Examples:
      spboot completion bash    # eval "$(spboot completion bash)" in ~/.bashrc
      spboot completion fish > ~/.config/fish/completions/spboot.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise SpbootError(f"no completion for {shell}: use {' or '.join(_WHERE)}")
    root = click.get_current_context().find_root()
    click.echo(found(root.command, {}, "spboot", "_SPBOOT_COMPLETE").source())
