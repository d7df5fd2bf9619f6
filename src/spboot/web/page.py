"""Joins the parts of the page to one HTML file that loads nothing and connects to nothing.

Each script is a module; joined, it is a function whose names are its own, called once, behind those that it imports."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from pathlib import Path
from typing import Final

from spboot.web.facts import Purpose, facts

_FOLDER: Final = Path(__file__).resolve().parent
_FACTS: Final = "facts"
"""The module that no file has: it is made."""
_IMPORT: Final = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def html(purpose: Purpose) -> str:
    """The page for *purpose*; the same bytes each time."""
    code, style = script(purpose, "main"), _read("page.css")
    values = {
        "policy": policy(code, style),
        "title": escape(f"Update of {purpose.name}" if purpose.name else "Firmware update"),
        "style": style,
        "script": code,
    }
    return re.sub(r"@(\w+)@", lambda found: values[found[1]], _read("page.html"))


def policy(code: str, style: str) -> str:
    """The content security policy: this script, this style, and no connection to anywhere."""
    return (
        f"default-src 'none'; script-src '{_hash(code)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def script(purpose: Purpose, *names: str) -> str:
    """The modules *names* and all that they import; each is a constant, `$` in front of its name, with what it
    exports."""
    done: dict[str, str] = {}
    for name in names:
        _join(name, purpose, done)
    return "\n".join(done.values())


def _join(name: str, purpose: Purpose, done: dict[str, str]) -> None:
    if name in done:
        return
    text = _made(purpose) if name == _FACTS else _read(f"{name}.js")
    for _, imported in _IMPORT.findall(text):
        _join(imported, purpose, done)
    exported = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(r"const {\1} = $\2;\n", text))
    done[name] = f"const ${name} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


def _made(purpose: Purpose) -> str:
    """As a script in HTML may have it: nothing in it ends the script."""
    text = json.dumps(facts(purpose), separators=(",", ":")).replace("<", "\\u003c")
    return f"export const FACTS = {text};\n"


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
