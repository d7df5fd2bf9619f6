"""Sphinx: how the site is built.  `make docs` runs it; a warning is an error."""

from __future__ import annotations

import inspect
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import spboot

_ROOT = Path(__file__).resolve().parents[2]

project = "spboot"
release = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
extensions = ["myst_parser", "sphinx.ext.autodoc"]
nitpicky = True
highlight_language = "none"
default_role = "literal"
smartquotes = False  # -- is an option here
myst_heading_anchors = 4
myst_links_external_new_tab = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
suppress_warnings = ["myst.header"]  # pages on a forge begin where they like

html_theme = "furo"
html_title = f"spboot {release}"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}

_PUBLIC = {f"spboot.{name}" for name in spboot.__all__}
_HOMES = {
    f"{getattr(spboot, name).__module__}.{name}": f"spboot.{name}"
    for name in spboot.__all__
    if inspect.isclass(getattr(spboot, name))
}
"""Where a public class is -> where it is documented."""


def _resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element) -> Any:
    """A type in a signature: a public one by its public name; what is not documented here stays text."""
    if node.get("refdomain") != "py":
        return None
    target = str(node["reftarget"])
    public = _HOMES.get(target) or next((name for name in _PUBLIC if name.rpartition(".")[2] == target), None)
    if public is None:
        return content
    return env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, "obj", public, node, content)


def setup(app: Sphinx) -> None:
    """What Sphinx calls."""
    app.connect("missing-reference", _resolve)
