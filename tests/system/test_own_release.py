"""`make release`: what goes with a release of spboot itself, made by its own commands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from spboot.releases import Release
from tools import own_release
from tools.wheels import PLATFORMS

BOARD = "NUCLEO-L476RG"


@pytest.mark.soak
def test_all_that_goes_with_a_release(tmp_path: Path) -> None:
    folder = tmp_path / "release"
    assert own_release.main(folder, [BOARD]) == 0
    done = subprocess.run(["sha256sum", "-c", "--quiet", own_release.SUMS], cwd=folder, check=False)
    assert done.returncode == 0
    listed = {line.split("  ")[1] for line in (folder / own_release.SUMS).read_text().splitlines()}
    assert listed == {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {
        own_release.SUMS
    }
    assert len([*(folder / "wheels").glob("*.whl")]) == len(PLATFORMS) + 1
    assert (folder / "boards" / BOARD / "README.md").exists()
    newest = Release.load(folder / "demo" / f"demo_{BOARD}_1.2.0")
    assert not newest.development and [str(item.base) for item in newest.patches] == ["1.0.0", "1.1.0"]
    claims = json.loads((newest.folder / "dossier.json").read_text())["claims"]
    assert len(claims) >= 30 and all(claim["result"] == "holds" for claim in claims)
    page = (folder / "demo" / "releases.html").read_text()
    assert all(f"demo_{BOARD}_{version}.sfb" in page for version in own_release.VERSIONS)
    assert not [*folder.rglob("demo/**/*.key"), *folder.rglob("demo/**/*.pem")], "its keys are thrown away"


def test_a_release_replaces_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert own_release.main(tmp_path, [BOARD]) == 1
    assert "is there already" in capsys.readouterr().err
