"""The pictures of docs/gui.md: `python -m tests.integrations.gui_pictures`, some minutes.  Its figures are those of the
assets that are shown; what 7 MB beside them cost says test_gui.py (soak)."""

from __future__ import annotations

import tempfile
from pathlib import Path

from spboot import disk
from tests.integrations.gui import CHANGES, first_release, next_release, updated

DOCS = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """Build the example, update it, and keep what the twin shows."""
    with tempfile.TemporaryDirectory() as folder:
        first = first_release(Path(folder) / "lamp")
        device = first.started()
        running = device.snapshot()
        disk.write(DOCS / "gui-before.png", device.twin.frame().png())
        for name in ("code", "picture", "font"):
            edits, shown = CHANGES[name]
            release = next_release(first, edits, shown.version)
            device.restore(running)
            print(updated(device, name, release), flush=True)
            disk.write(DOCS / f"gui-{name}.png", device.twin.frame().png())


if __name__ == "__main__":
    main()
