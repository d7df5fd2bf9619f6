"""Everything that goes with a release of spboot, in one folder: `make release`.

    python tools/own_release.py out/release [BOARD ...]

Wheels; a folder for each board, or those named, by which a person with the board tries it; and what users get for their
own releases, made of the demo on one board: release folders, a page, a list of parts, a dossier.  The keys of these are
thrown away, so that nobody signs anything else with them.  SHA256SUMS has all files."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from spboot import boards, disk  # noqa: E402
from spboot.boards import Board  # noqa: E402
from spboot.builder.demo import build_demo  # noqa: E402
from spboot.kit import SUMS  # noqa: E402
from spboot.version import Version  # noqa: E402
from tools import board_files, wheels  # noqa: E402

VERSIONS: Final = ("1.0.0", "1.1.0", "1.2.0")
BOARD: Final = "NUCLEO-L476RG"


def spboot(*words: str | Path) -> None:
    """Run our own command.  Raises SystemExit when it fails; it has said why."""
    command = [sys.executable, "-c", "from spboot.cli import main; main()", *map(str, words)]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(f"spboot {' '.join(map(str, words))} failed: nothing is released")


def demo_releases(name: str, folder: Path) -> None:
    """Releases of the demo on board *name* in *folder*, and what is shown of them."""
    board = Board.load(name)
    with tempfile.TemporaryDirectory() as work:
        keys, boot = Path(work) / "keys", Path(work) / "boot"
        of = ("--board", name, "--keys", keys, "--bootloader", boot)
        spboot("keys", "new", keys, "--product", "demo")
        spboot("build", name, "--keys", keys, "-o", boot)
        for version in VERSIONS:
            elf = build_demo(board, Version.parse(version), Path(work))
            spboot("postbuild", elf, *of, "--version", version, "--name", "demo", "--release", "--releases", folder)
        newest = folder / f"demo_{name}_{VERSIONS[-1]}"
        spboot("page", folder, "--board", name)
        spboot("sbom", newest, "--bootloader", boot, "-o", newest / "parts.cdx.json")
        spboot("dossier", newest, *of)


def sums(folder: Path) -> str:
    """A line for each file below *folder*, as `sha256sum -c` reads them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / SUMS)
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    )


def main(output: Path, names: list[str]) -> int:
    """The exit code.  *output* is made whole or not at all."""
    if output.exists():
        print(f"{output} is there already: remove it, or name another folder", file=sys.stderr)
        return 1
    names = names or boards.names()
    with disk.new_folder(output) as part:
        demo_releases(BOARD if BOARD in names else names[0], part / "demo")
        wheels.main([str(part / "wheels")])
        if board_files.main(part / "boards", names):
            raise SystemExit("files of a board could not be made: nothing is released")
        disk.write(part / SUMS, sums(part).encode())
    print(f"{output}: it has all that goes with a release")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: own_release.py FOLDER [BOARD ...]")
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
