"""The imports of all of `src` as a graph, those under TYPE_CHECKING, inside functions and by name included: no circle,
and no arrow that runs up against the layers of pyproject.toml."""

from __future__ import annotations

import ast
import re
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}

Graph = dict[str, set[str]]


def imports(folder: Path) -> Graph:
    """Module -> the modules that it imports, of those in *folder*.  A name from a package is its submodule, if any."""
    files = {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): path
        for path in folder.rglob("*.py")
    }
    graph: Graph = {}
    for module, path in files.items():
        found = graph[module] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{path}: a relative import"
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                found.update(name if name in files else str(node.module) for name in names)
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                found.update(str(each.value) for each in node.args if isinstance(each, ast.Constant))
        found &= files.keys() - {module}
    return graph


def upwards(graph: Graph, layers: list[str], container: str = "") -> list[str]:
    """Arrows from a layer to a higher one or to one beside it; and modules that are in none."""
    floors = {
        f"{container}.{room.strip()}".strip("."): floor for floor, row in enumerate(layers) for room in row.split("|")
    }

    def room(module: str) -> str:
        depth = container.count(".") + 2 if container else 2
        return ".".join(module.split(".")[:depth])

    inside = {module for module in graph if module.startswith(f"{container or 'spboot'}.")}
    found = [f"{module} is in no layer" for module in inside if room(module) not in floors]
    for module in inside:
        here = room(module)
        found += [
            f"{module} -> {other}"
            for other in graph[module] & inside
            if here != room(other) and floors.get(room(other), -1) <= floors.get(here, -1)
        ]
    return sorted(found)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return imports(ROOT / "src")


def test_no_circle(graph: Graph) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"a circle of imports: {' <- '.join(circle.args[1])}")


@pytest.mark.parametrize("name", CONTRACTS)
def test_no_arrow_runs_up(graph: Graph, name: str) -> None:
    contract = CONTRACTS[name]
    assert contract["type"] == "layers"
    for container in contract.get("containers", [""]):
        assert upwards(graph, contract["layers"], container) == []


def test_no_model_of_the_twin_knows_the_machine(graph: Graph) -> None:
    """It asks its Die."""
    knows = {module for module, others in graph.items() if "spboot.twin.machine" in others}
    assert {module for module in knows if module.startswith("spboot.twin")} == {
        "spboot.twin",
        *(f"spboot.twin.host.{name}" for name in ("images", "port", "probe", "pty", "state")),
        *(
            f"spboot.twin.host.gdb_{name}"
            for name in ("debugger", "memory", "monitor", "registers", "server", "session")
        ),
    }


def test_the_graph_sees_what_is_hidden(tmp_path: Path) -> None:
    """Else the other tests would see nothing."""
    for name, text in {
        "spboot/__init__.py": "",
        "spboot/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from spboot.b import B\n",
        "spboot/b/__init__.py": "from spboot.b import c\n",
        "spboot/b/c.py": "def f():\n    import spboot.a\n",
        "spboot/d.py": "import importlib\nimportlib.import_module('spboot.a')\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    graph = imports(tmp_path)
    assert graph.pop("spboot.d") == {"spboot.a"}
    assert graph == {"spboot": set(), "spboot.a": {"spboot.b"}, "spboot.b": {"spboot.b.c"}, "spboot.b.c": {"spboot.a"}}
    with pytest.raises(CycleError):
        TopologicalSorter(graph).prepare()
    assert upwards(graph, ["spboot.b", "spboot.a"]) == ["spboot.a -> spboot.b"]
    assert upwards(graph, ["spboot.a", "spboot.b"]) == ["spboot.b.c -> spboot.a"]
    assert upwards(graph, ["spboot.a | spboot.b"]) == ["spboot.a -> spboot.b", "spboot.b.c -> spboot.a"]
    assert "spboot.a is in no layer" in upwards(graph, ["spboot.b"])


def test_one_reader_opens_each_format() -> None:
    """Whoever needs bytes or symbols of an ELF or HEX file asks spboot.formats, so that there is one set of rules."""
    users = {
        path.relative_to(ROOT / "src" / "spboot").as_posix()
        for path in (ROOT / "src").rglob("*.py")
        if re.search(
            r"^\s*(?:from|import) (?:elftools|intelhex)|import_module\(.*(?:elftools|intelhex)|\\x7fELF",
            path.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    }
    assert users == {"formats/elf.py", "formats/intel_hex.py", "formats/content.py"}
