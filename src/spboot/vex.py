"""Statements about weaknesses of a release, from a TOML file into a CycloneDX document (VEX).

    [[vulnerability]]
    id = "CVE-2026-0001"
    source = "NVD"                        # who numbers it
    component = "application"             # "bootloader", "application", or the name of a component
    state = "not_affected"                # exploitable, in_triage, resolved, false_positive, resolved_with_pedigree
    justification = "code_not_present"    # has to be there for not_affected
    detail = "The parser of this CVE is not linked: see the map."    # has to be there, too
    response = ["update"]                 # workaround_available, will_not_fix, can_not_fix, rollback

Nothing is said of a weakness that is not in the file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from spboot import disk
from spboot.errors import FormatError

STATES: Final = (
    "exploitable",
    "false_positive",
    "in_triage",
    "not_affected",
    "resolved",
    "resolved_with_pedigree",
)
JUSTIFICATIONS: Final = (
    "code_not_present",
    "code_not_reachable",
    "protected_at_perimeter",
    "protected_at_runtime",
    "protected_by_compiler",
    "protected_by_mitigating_control",
    "requires_configuration",
    "requires_dependency",
    "requires_environment",
)
RESPONSES: Final = ("can_not_fix", "rollback", "update", "will_not_fix", "workaround_available")
_KEYS: Final = ("id", "source", "component", "state", "justification", "detail", "response")


def load(path: Path, components: Mapping[str, str]) -> list[dict[str, Any]]:
    """The CycloneDX vulnerabilities of the file *path*.  *components*: name -> bom-ref of what they may be about.

    Raises FormatError: which statement, what was found, what was expected; DiskError."""
    try:
        table = tomllib.loads(disk.read(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not a TOML file: {error}") from None
    if unknown := sorted(table.keys() - {"vulnerability"}):
        raise FormatError(f"{path}: unknown key {unknown[0]!r}, expected tables [[vulnerability]]")
    found = table.get("vulnerability", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise FormatError(f"{path}: vulnerability is no list of tables, expected [[vulnerability]]")
    made = [_statement(f"{path}: vulnerability {number}", each, components) for number, each in enumerate(found, 1)]
    return sorted(made, key=lambda each: (each["id"], each["affects"][0]["ref"]))


def _statement(where: str, table: dict[str, Any], components: Mapping[str, str]) -> dict[str, Any]:
    if unknown := sorted(table.keys() - set(_KEYS)):
        raise FormatError(f"{where}: unknown key {unknown[0]!r}, expected {', '.join(_KEYS)}")
    for key in ("id", "component", "state"):
        _text(where, table, key)
    _one_of(where, table, "state", STATES)
    _one_of(where, table, "component", tuple(sorted(components)))
    if table["state"] == "not_affected" or "justification" in table:
        _one_of(where, table, "justification", JUSTIFICATIONS)
        _text(where, table, "detail")
    analysis = {"state": table["state"]}
    analysis |= {key: table[key] for key in ("justification", "detail") if key in table}
    response = table.get("response", [])
    if not isinstance(response, list) or any(each not in RESPONSES for each in response):
        raise FormatError(f"{where}: response is {response!r}, expected a list of {', '.join(RESPONSES)}")
    made: dict[str, Any] = {"id": table["id"]}
    if "source" in table:
        made["source"] = {"name": _text(where, table, "source")}
    made["analysis"] = analysis | ({"response": response} if response else {})
    made["affects"] = [{"ref": components[table["component"]]}]
    return made


def _text(where: str, table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise FormatError(f"{where}: {key} is {value!r}, expected text: a statement has to say why it is true")
    return value


def _one_of(where: str, table: dict[str, Any], key: str, known: tuple[str, ...]) -> None:
    if table.get(key) not in known:
        raise FormatError(f"{where}: {key} is {table.get(key)!r}, expected one of {', '.join(known)}")
