"""CBMC over a harness of this folder and the sources of the firmware, as they are compiled for a board."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spboot.boards import Board
from spboot.builder import headers
from spboot.builder.bootloader import boot_version
from tests.edits import Edit, edited_firmware
from tests.proof.proofs import PROOFS

BOARD = "NUCLEO-L476RG"
HERE = Path(__file__).parent
CHECKS = (
    "--bounds-check", "--pointer-check", "--pointer-overflow-check", "--signed-overflow-check",
    "--unsigned-overflow-check", "--conversion-check", "--undefined-shift-check", "--div-by-zero-check",
    "--unwinding-assertions",
)  # fmt: skip
"""Said although some are on anyway: what is checked must not depend on CBMC's version."""
HOW = ("--slice-formula", "--object-bits", "12", "--json-ui", "--verbosity", "4")
_PRAGMAS = "".join(
    f"_Pragma({json.dumps('CPROVER check ' + what)}) "
    for what in ("push", 'disable "unsigned-overflow"', 'disable "conversion"')
)
_POP = ' _Pragma("CPROVER check pop")'
_FOLDERS = ("core", "crypto", "loader", "usb", "boot", "")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What CBMC says: how many properties were checked, none where it stopped at a planted bug, and what does not hold,
    each with where it is."""

    properties: int
    failed: tuple[str, ...]


def program() -> Path | None:
    """The cbmc of this machine, or the one that get_cbmc.sh unpacked."""
    found = shutil.which("cbmc")
    own = HERE.parents[1] / "build/cbmc/cbmc"
    return Path(found) if found else own if own.exists() else None


def prove(name: str, folder: Path, *, planted: str | None = None, seconds: int | None = None) -> Answer:
    """Run the proof of that *name* in *folder*; with a bug, up to the first property that it breaks.

    Raises TimeoutExpired, RuntimeError."""
    cbmc = program()
    if cbmc is None:
        raise RuntimeError("cbmc is missing: make proof-tools")
    proof = PROOFS[name]
    files = _preprocessed(name, folder, planted)
    command = [str(cbmc), "--i386-linux", *CHECKS, *HOW, "--unwind", str(proof.unwind)]
    command += [part for loop in proof.loops for part in ("--unwindset", loop)]
    command += ["--stop-on-fail"] if planted else []
    command += map(str, files)
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    return _answer(done.stdout, done.stderr)


def _answer(output: str, errors: str) -> Answer:
    try:
        parts = {key: value for part in json.loads(output) for key, value in part.items()}
        success = parts["cProverStatus"] == "success"
    except (json.JSONDecodeError, KeyError):
        raise RuntimeError(f"cbmc gave no result: {output[-3000:]}{errors[-3000:]}") from None
    results = parts.get("result", [])
    failed = [_said(one, one.get("sourceLocation", {})) for one in results if one["status"] == "FAILURE"]
    if "trace" in parts:
        failed = [_said(parts, parts["trace"][-1].get("sourceLocation", {}))]
    assert success == (not failed)
    return Answer(properties=len(results), failed=tuple(failed))


def _said(found: dict[str, Any], at: dict[str, str]) -> str:
    where = f"{Path(at.get('file', '')).name}:{at.get('line', '')} {at.get('function', '')}"
    return f"{where}: {found['description']}"


def firmware_of(name: str, folder: Path, *, planted: str | None = None) -> Path:
    """Our firmware as that proof looks at it, below *folder*."""
    proof = PROOFS[name]
    bugs = () if planted is None else (proof.planted[planted],)
    wraps = [_unchecked(file, text, bugs) for file, text in proof.wraps]
    firmware = edited_firmware(folder, [*bugs, *proof.edits, *wraps])
    for file in proof.modulo:
        path = firmware / file
        path.write_text(_PRAGMAS + path.read_text(encoding="utf-8") + _POP, encoding="utf-8")
    return firmware


def _preprocessed(name: str, folder: Path, planted: str | None) -> list[Path]:
    """The sources, with the compiler's own headers alone: CBMC looks at them as a compiler for 32 bits does."""
    proof = PROOFS[name]
    firmware = firmware_of(name, folder, planted=planted)
    headers.write(folder / "generated", Board.load(BOARD), boot_version())
    for number, value in proof.numbers.items():
        set_number(folder / "generated/core", number, value)
    includes = [HERE, *(firmware / each for each in _FOLDERS), firmware / "include/freestanding"]
    includes += [folder / "generated/core", folder / "generated/crypto"]
    command = ["gcc", "-m32", "-ffreestanding", "-std=c11", "-E", *(f"-I{path}" for path in includes)]
    command += ["-Dspb_text_of_the_words=(enum spb_text)sizeof"]  # any numbers will do (core/text.h)
    files = []
    for number, source in enumerate((HERE / f"{name}.c", *(firmware / each for each in proof.sources))):
        files.append(folder / f"{number}-{source.stem}.i")
        subprocess.run([*command, str(source), "-o", str(files[-1])], check=True)
    return files


def _unchecked(file: str, text: str, bugs: tuple[Edit, ...]) -> Edit:
    """Let numbers wrap in *text*, as it is with the bug."""
    for where, old, new in bugs:
        text = text.replace(old, new) if where == file else text
    return file, text, _PRAGMAS + text + _POP


def set_number(folder: Path, name: str, value: int) -> None:
    """Another number in the one of the generated headers that has it."""
    found = 0
    for path in folder.glob("*.h"):
        text, count = re.subn(rf"^(#define SPB_{name} ).*", rf"\g<1>{value}u", path.read_text(), flags=re.MULTILINE)
        path.write_text(text)
        found += count
    assert found == 1, name
