"""The page of what `import spboot` gives: Sphinx takes it from the docstrings."""

from __future__ import annotations

import inspect

import spboot
from tools.site.pages import Tree

_HEAD = """# Python API

What `import spboot` gives, from its docstrings. How they go together, with scripts and tests that run:
[python.md](../docs/python.md).
"""


def write(tree: Tree) -> None:
    """The page reference/python.md."""
    kinds: dict[str, list[str]] = {"Functions": [], "Classes": [], "Errors": []}
    for name in spboot.__all__:
        found = getattr(spboot, name)
        if not inspect.isclass(found):
            kinds["Functions"].append(f".. autofunction:: spboot.{name}\n")
        elif issubclass(found, Exception):
            kinds["Errors"].append(f".. autoexception:: spboot.{name}\n")
        else:
            kinds["Classes"].append(f".. autoclass:: spboot.{name}\n   :members:\n   :inherited-members:\n")
    lines = [_HEAD]
    for heading, directives in kinds.items():
        lines.append(f"\n## {heading}\n\n```{{eval-rst}}\n" + "\n".join(directives) + "```\n")
    tree.write("reference/python.md", "".join(lines))
