"""The `spboot` command.  One module per command, each with a click command named `command`, loaded when asked for."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final

import click

from spboot.cli import failure
from spboot.cli.group import Group
from spboot.errors import ExtraError, SpbootError

_GROUPS: Final = {
    "Project": (
        "init",
        "example",
        "version",
        "prebuild",
        "postbuild",
        "publish",
        "cmake-dir",
        "zephyr-overlay",
        "completion",
    ),
    "Keys and bootloader": ("keys", "build", "merge"),
    "Images and patches": ("image", "patch", "explain", "inspect", "verify", "delta"),
    "Supply chain": ("sbom", "reproduce", "dossier", "page", "drill"),
    "Devices": ("demo", "twin", "rehearse", "flash", "ports", "send", "update", "web", "stick", "monitor"),
    "Boards and parts": ("boards", "board", "map", "chips", "chip"),
}
"""Heading in the help -> commands, each a module of this package."""


_SHORT: Final = 78
"""Letters of a sentence about a command, which has one line of a screen with 80."""


class _Commands(Group):
    """Commands by module name, so that `spboot keys` does not import the emulator."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for names in _GROUPS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        try:
            command = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}").command
        except ExtraError as error:
            return _absent(cmd_name, error)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(name) for name in self.list_commands(ctx))  # map is a command here
        for heading, names in _GROUPS.items():
            commands = {name: self.get_command(ctx, name) for name in names}
            rows = [(name.ljust(width), found.get_short_help_str(_SHORT)) for name, found in commands.items() if found]
            with formatter.section(heading):
                formatter.write_dl(rows)

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        with failure.told():  # --help and --version print here
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with failure.told():
            done = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
            return done


def _absent(name: str, error: ExtraError) -> click.Command:
    """A command whose extra is not installed, whatever is typed behind it."""

    def tell() -> None:
        raise error

    return click.Command(
        name,
        callback=tell,
        short_help=str(error),
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 something that you can mend, 2 the command line, 130 interrupted.",
)
@click.option(
    "--project",
    "project_file",
    envvar="SPBOOT_PROJECT",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Project file; else spboot.toml here or in a folder above.",
)
@click.version_option(package_name="spboot", message="%(prog)s %(version)s")
def root(project_file: str | None) -> None:
    """Secure patching bootloader and firmware updates for STM32.

    `spboot COMMAND --help` says more of a command, with examples.

    \b
    Examples:
      spboot demo
      spboot keys new keys --product demo --development
      spboot build NUCLEO-L476RG --keys keys -o boot
    """


def main() -> None:
    """Run the command line; see `failure` for how it ends."""
    failure.forgive_letters()
    try:
        code = root.main(prog_name="spboot", standalone_mode=False)
    except click.ClickException as error:
        failure.end_usage(error)
    except SpbootError as error:
        failure.end(f"error: {error}", failure.MENDABLE)
    except (click.Abort, KeyboardInterrupt):
        failure.end("interrupted", failure.INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
