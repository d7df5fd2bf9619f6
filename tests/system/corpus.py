"""Real firmware: images of the npm package @pybricks/firmware, fetched by npm into the ignored build folder."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[2] / "build" / "corpus"


def firmware(hub: str, version: str) -> bytes:
    """The image of *hub* ("technichub": STM32L431) in release *version* of the package."""
    kept = _CACHE / f"{hub}-{version}.bin"
    if not kept.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(_fetch(hub, version))
    return kept.read_bytes()


def _fetch(hub: str, version: str) -> bytes:
    npm = shutil.which("npm")
    assert npm, "npm is not installed: make tools"
    command = [npm, "pack", "--silent", f"@pybricks/firmware@{version}"]
    done = subprocess.run(command, cwd=_CACHE, check=True, capture_output=True, text=True)
    package = _CACHE / done.stdout.strip().splitlines()[-1]
    with tarfile.open(package) as tar:
        name = next(n for n in tar.getnames() if Path(n).stem == hub and n.endswith(".zip"))
        member = tar.extractfile(name)
        assert member
        inner = zipfile.ZipFile(BytesIO(member.read()))
    package.unlink()
    return inner.read(next(n for n in inner.namelist() if n.startswith("firmware") and n.endswith(".bin")))
