"""No file above 400 lines and no function above 50, in Python, in C and in the scripts of the page."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "examples", "firmware", "sdk", "tests", "tools", "bench")
FILE, FUNCTION = 400, 50


def sources(folder: str, *kinds: str) -> list[Path]:
    """Of a folder, without what is not ours."""
    found = (path for path in (ROOT / folder).rglob("*") if path.suffix in kinds)
    return sorted(path for path in found if not {".venv", "corpus", "__pycache__"} & set(path.parts))


def python_functions(text: str) -> Iterator[tuple[str, int]]:
    """(name, lines with head and docstring)."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


def c_functions(text: str) -> Iterator[tuple[str, int]]:
    """(first line, lines up to the closing brace); nothing within begins in the first column."""
    head = 0, ""
    for number, line in enumerate(text.splitlines()):
        if line == "}" and "naked" not in head[1].lower():  # assembly, which cannot be cut in functions
            yield head[1], number - head[0] + 1
        elif line[:1].isalpha() or line[:1] == "_":
            head = number, line


def script_functions(text: str) -> Iterator[tuple[str, int]]:
    """(first line, lines up to the closing brace) of functions in the first column, and of the methods of classes."""
    lines = text.splitlines()
    for indent in ("", "    "):
        head = 0, ""
        for number, line in enumerate(lines):
            if line.rstrip(";") == f"{indent}}}" and "class " not in head[1]:
                yield head[1].strip(), number - head[0] + 1
            elif line.startswith(indent) and line[len(indent) : len(indent) + 1].isalpha() and line.endswith("{"):
                head = number, line


def too_long(path: Path) -> list[str]:
    """What is too long in a file, and the file itself if it is."""
    text = path.read_text(encoding="utf-8")
    functions = {".py": python_functions, ".js": script_functions}.get(path.suffix, c_functions)(text)
    found = [f"{name} has {lines} lines, at most {FUNCTION}" for name, lines in functions if lines > FUNCTION]
    lines = len(text.splitlines())
    return [f"{lines} lines, at most {FILE}: split it by noun"] * (lines > FILE) + found


@pytest.mark.parametrize("folder", FOLDERS)
def test_files_and_functions_are_short(folder: str) -> None:
    paths = sources(folder, ".py", ".c", ".h", ".js")
    assert paths
    wrong = {str(path.relative_to(ROOT)): found for path in paths if (found := too_long(path))}
    assert wrong == {}


def test_what_is_too_long_is_seen(tmp_path: Path) -> None:
    """Else the other test would see nothing."""
    body = "    x = 1\n"
    for name, text, found in (
        ("a.py", "def f():\n" + body * 49, 0),
        ("b.py", "class A:\n    async def f(self):\n" + f"    {body}" * 50, 1),
        ("c.py", "x = 1\n" * 401, 1),
        ("d.c", "int f(void) {\n" + body * 48 + "}\n", 0),
        ("e.c", "static int f(int a,\n             int b) {\n" + body * 50 + "}\n", 1),
        ("g.js", "export function f() {\n" + "    x();\n" * 48 + "}\n", 0),
        ("h.js", "async function f() {\n" + "    x();\n" * 49 + "}\n", 1),
        ("i.js", "class A {\n    f(x) {\n" + "        x();\n" * 49 + "    }\n    g() {\n    }\n}\n", 1),
        ("f.h", "\n" * 400 + "int f(void) {\n" + body * 50 + "}\n", 2),
    ):
        path = tmp_path / name
        path.write_text(text)
        assert len(too_long(path)) == found, name


def test_c_functions_are_found() -> None:
    """By the form that all of them have."""
    heads = [head for path in sources("firmware", ".c") for head, _ in c_functions(path.read_text(encoding="utf-8"))]
    assert any("spb_main" in head for head in heads)
    assert len(heads) > 300
