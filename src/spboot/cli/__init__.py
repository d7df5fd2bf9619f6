"""The `spboot` command.  One module per command, each with a click command named `command`, loaded when asked for."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import click

from spboot.errors import SpbootError

_NAMES = (
    *("keys", "build", "image", "patch", "merge", "send", "inspect", "verify", "twin", "delta"),
    *("boards", "board", "map", "chips", "chip"),
)


class _Commands(click.Group):
    """Commands by module name, so that `spboot keys` does not import the emulator."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in _NAMES if importlib.util.find_spec(f"{__name__}.{name}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"{__name__}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spboot", message="%(prog)s %(version)s")
def root() -> None:
    """Secure patching bootloader and firmware updates for STM32."""


def main() -> None:
    """Run the command line: exit 1 with one line on stderr for what a person can mend, 130 on Ctrl-C."""
    try:
        code = root.main(prog_name="spboot", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SpbootError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
