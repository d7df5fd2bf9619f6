# SPDX-License-Identifier: MIT
"""west spboot: what spboot does for this application, from anywhere in the workspace."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from west.commands import WestCommand

APPLICATION = Path(__file__).resolve().parent
ELF = Path("zephyr") / "zephyr.elf"
TEXT = """\
west spboot overlay BOARD          write boards/BOARD.overlay, for Zephyr's name of the board
west spboot release [-d BUILD] ..  keep what BUILD has as a release, for patches from it
west spboot COMMAND ...            any other command of spboot, in the folder of the application

`west build` runs spboot by itself, `west flash` programs bootloader and application.
"""


class Spboot(WestCommand):
    def __init__(self):
        super().__init__("spboot", "commands of spboot for this application", TEXT, accepts_unknown_args=True)

    def do_add_parser(self, parser_adder):
        parser = parser_adder.add_parser(
            self.name, description=self.description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("command", help="overlay, release, or a command of spboot")
        return parser

    def do_run(self, args, unknown_args):
        words = {"overlay": self._overlay, "release": self._release}.get(args.command, self._other)(args, unknown_args)
        beside = Path(sys.executable).parent
        program = shutil.which("spboot") or shutil.which("spboot", path=str(beside))
        if program is None:
            self.die('spboot is not on PATH: pip install "spboot[build]"')
        sys.stdout.flush()
        code = subprocess.run((program, *words), cwd=APPLICATION).returncode
        if code:
            sys.exit(code)

    def _overlay(self, args, rest):
        if not rest or rest[0].startswith("-"):
            self.die("west spboot overlay BOARD: Zephyr's name of the board is missing, as nucleo_l476rg")
        return ["zephyr-overlay", "-o", str(Path("boards") / f"{rest[0].replace('/', '_')}.overlay"), *rest[1:]]

    def _release(self, args, rest):
        build = Path("build")
        if rest[:1] == ["-d"] and len(rest) > 1:
            build, rest = Path(rest[1]), rest[2:]
        elf = build.resolve() / ELF
        if not elf.is_file():
            self.die(f"{elf}: there is no such file: west build, or say -d BUILD")
        return ["postbuild", str(elf), "--release", *rest]

    def _other(self, args, rest):
        return [args.command, *rest]
