"""Every sentence that a device says, found in spec and sources, for docs/troubleshooting.md.

`python -m tools.site.messages` prints a row for each that the page does not have; a test holds that there is none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from spboot.builder import headers
from spboot.formats.spec import spec
from tools.site.pages import ROOT

PAGE: Final = ROOT / "docs" / "troubleshooting.md"
GAP: Final = "…"
"""Stands on the page for what differs each time."""
PARTS: Final = {
    "": "nothing",
    "idle": "stage of the line of SE_PATCH_PrintStatus",
    "update": "the same",
    "verified": "the same",
    "on": "write protection, in the banner",
    "off": "the same",
    " or .sfbp": "in the loader's invitation",
    "SLOT0": "in `… is write protected`",
    "SLOT1": "the same",
    "the journal": "the same",
    "other/options/pin/power on/software/watchdog/wwdg/low power/Standby/": "causes of a reset, told under the banner",
}
"""Words that are only ever part of another sentence -> of which one."""
_ROOMS: Final = ("boot", "core", "driver", "loader", "usb")
_LITERAL: Final = r'"(?:[^"\\\n]|\\.)*"'
SAID: Final = re.compile(rf"\b(?:TEXT|LOG|spb_console_(?:log|print))\(\s*((?:{_LITERAL}|[A-Z][A-Z_0-9]+|\s)+)[,)]")
_DEFINED: Final = re.compile(rf"^#define ([A-Z][A-Z_0-9]+)\s+((?:{_LITERAL}\s*)+)$", re.MULTILINE)
_CONVERSION: Final = re.compile("%[a-z]")


def sources() -> Iterator[str]:
    """The C files that may say something, without comments."""
    for room in _ROOMS:
        for path in sorted((ROOT / "firmware" / room).rglob("*.[ch]")):
            text = path.read_text(encoding="utf-8").replace("\\\n", " ")
            yield re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)


def _literals(text: str) -> str:
    return "".join(ast.literal_eval(each) for each in re.findall(_LITERAL, text))


def console() -> list[str]:
    """Sentences of bootloader and loader, with GAP for their arguments, in the order of the sources."""
    texts = list(sources())
    defined = {name: _literals(text) for source in texts for name, text in _DEFINED.findall(source)}
    defined["SPB_WRONG_BANKS"] = headers._WRONG_BANKS.format(banks=GAP, s=GAP)
    found: dict[str, None] = {}
    for source in texts:
        for said in SAID.findall(source):
            pieces = re.findall(rf"{_LITERAL}|[A-Z][A-Z_0-9]+", said)
            if unknown := [each for each in pieces if each[0] != '"' and each not in defined]:
                raise ValueError(f"{said!r}: {unknown[0]} is no #define of words")
            words = "".join(_literals(each) if each[0] == '"' else defined[each] for each in pieces)
            found[_CONVERSION.sub(GAP, words).replace("%%", "%").strip("\r\n")] = None
    return [words for words in found if words not in PARTS and re.search("[a-z]", words)]


def statuses() -> dict[int, str]:
    """Code -> sentence, of those that are used."""
    codes = enumerate(spec()["status"]["codes"])
    return {code: words for code, (_, words) in codes if words != "not used"}


def explained() -> set[str]:
    """What stands in the first cell of a row of the page, or behind its code."""
    page = PAGE.read_text(encoding="utf-8")
    return {cell for row in re.findall(r"^\| (.*?) \|", page, re.MULTILINE) for cell in re.findall(r"`([^`]+)`", row)}


def missing() -> list[str]:
    """Sentences that the page does not explain."""
    there = explained()
    said = [f"{code}: {words}" for code, words in statuses().items()] + console()
    return [words.strip() for words in said if words.strip() not in there]


if __name__ == "__main__":
    print("\n".join(f"| `{words}` | | |" for words in missing()))
