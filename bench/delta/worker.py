"""One patch by one tool in a process of its own, so that time and memory are its own: worker TOOL OLD NEW BASE.

Prints JSON: what came out, or why the tool cannot run here.  Runs in the peers' venv, and for us in spboot's."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.delta.peers import PEERS, tool_version

OURS = "spboot"


def _cost() -> tuple[float, int]:
    """CPU seconds so far, and the peak of memory in bytes, of this process or a child, whichever is larger.

    Our own peak comes from /proc: the one of getrusage is never below that of the process that started us."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    status = Path("/proc/self/status").read_text(encoding="ascii")
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return sum(u.ru_utime + u.ru_stime for u in used), max(own, used[1].ru_maxrss) * 1024


def _ours(old: bytes, new: bytes, base: int) -> dict[str, int]:
    from dataclasses import asdict  # the peers' venv does not have spboot

    from bench.delta.ours import sizes

    return asdict(sizes(old, new, base))


def _measured(run: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    before, wall = _cost()[0], time.monotonic()
    made = run()
    after, memory = _cost()
    return made, {"cpu_s": after - before, "wall_s": time.monotonic() - wall, "memory": memory}


def run(tool: str, old: bytes, new: bytes, base: int) -> dict[str, Any]:
    """What *tool* gives.  Raises AssertionError when a peer's patch does not give *new* back."""
    if tool == OURS:
        sizes, costs = _measured(lambda: _ours(old, new, base))
        return {"version": OURS, "sizes": sizes, **costs}
    peer = next(peer for peer in PEERS if peer.name == tool)
    try:
        version = tool_version(peer.package)
    except (ImportError, FileNotFoundError) as error:
        return {"missing": f"{peer.package.strip('$')} is not installed ({error})"}
    patch, costs = _measured(lambda: peer.make(old, new))
    if peer.apply(old, patch) != new:
        raise AssertionError(f"{tool}: its patch does not give NEW back")
    return {"version": version, "sizes": {"file": len(patch)}, **costs}


if __name__ == "__main__":
    old_path, new_path = sys.argv[2:4]
    old_image = Path(old_path).read_bytes() if old_path != "-" else b""
    print(json.dumps(run(sys.argv[1], old_image, Path(new_path).read_bytes(), int(sys.argv[4]))))
