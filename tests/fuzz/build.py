"""The fuzzers as programs, and their first inputs."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from spboot.boards import Board
from spboot.builder import headers
from spboot.builder.bootloader import boot_version
from spboot.formats.spec import data_path
from tests.fuzz import inputs, seeds, signed, volumes
from tests.proof.cbmc import set_number

BOARD = "NUCLEO-L476RG"
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
MEMORY_SANITIZER = ("-fsanitize=memory", "-fno-sanitize-recover=all")
_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Harness:
    """Sources beside the harness itself: of this folder, and of the firmware.  *numbers*: of the generated headers,
    without SPB_.  *max_len* of an input, in bytes."""

    own: tuple[str, ...] = ()
    firmware: tuple[str, ...] = ()
    numbers: dict[str, int] = field(default_factory=dict)
    max_len: int


_DECODER = ("core/delta.c", "core/moves.c", "core/reference.c")
_JOURNAL = ("core/journal.c", "core/pages.c", "core/flash.c")
_SMALL = {
    "SLOT_SIZE": 0x2800, "PART_SIZE": 0x2800, "PAGE_SIZE": 0x280, "REST_PAGE_SIZE": 0x280, "REST_ADDRESS": 0x90000000,
    "JOURNAL_SIZE": 320, "JOURNAL_STEPS": 5,
}  # fmt: skip
"""Slots of 16 pages, batches of 3, and a journal of 40 records: an image is hashed in no time, and the room there is
for trials ends below the number of pages."""
_SHA = ("crypto/sha256.c", "crypto/sha256_block.c")
_P256 = ("crypto/p256.c", "crypto/p256_field.c", "crypto/p256_limbs.c")
HARNESSES = {
    "decisions": Harness(own=("case.c",), firmware=_DECODER, max_len=16384),  # includes prior.c and range.c
    "stream": Harness(own=("case.c",), firmware=(*_DECODER, "core/prior.c", "core/range.c"), max_len=4096),
    "manifest": Harness(firmware=("core/manifest.c", *_SHA, *_P256), max_len=160),
    "payload": Harness(firmware=("core/payload.c", "crypto/aes.c", *_SHA), max_len=4200),
    "journal": Harness(firmware=("core/trial.c", *_JOURNAL), max_len=2400),
    "install": Harness(
        firmware=("core/install.c", "core/trial.c", "core/slot.c", "core/manifest.c", *_JOURNAL, *_SHA),
        numbers=_SMALL,
        max_len=256,
    ),
    "ymodem": Harness(max_len=2048),  # includes ymodem.c
    "stick": Harness(max_len=2048),  # includes all of usb
    "storage": Harness(firmware=("usb/usb.c",), max_len=1024),  # includes storage.c
}
_RECORD = Harness(own=("case.c",), firmware=_DECODER, max_len=0)


def fuzzer(
    folder: Path, harness: str, *, firmware: Path | None = None, sanitizers: tuple[str, ...] = SANITIZERS
) -> Path:
    """*harness* with libFuzzer, by clang.  *firmware* is another tree than ours."""
    return _program(folder, harness, ("clang", "-fsanitize=fuzzer", *sanitizers), firmware=firmware)


def replayer(folder: Path, harness: str) -> Path:
    """*harness* driven by replay.c, by gcc."""
    return _program(folder, harness, ("gcc", *SANITIZERS), "replay.c")


def fuzz(program: Path, corpus: Path, seeds: Path, *, seconds: int, findings: Path) -> subprocess.CompletedProcess[str]:
    """Let a fuzzer run, always from the same random numbers; what is new stays in *corpus*, what fails in *findings*.
    No *seconds*: only the inputs that are there."""
    limit = f"-max_total_time={seconds}" if seconds else "-runs=0"
    most = HARNESSES[program.name].max_len
    options = [limit, f"-max_len={most}", "-seed=1", "-timeout=10", f"-artifact_prefix={findings}/"]
    return subprocess.run([program, corpus, seeds, *options], capture_output=True, text=True)


def corpus(folder: Path) -> dict[str, list[Path]]:
    """The first inputs of each harness, below *folder*.  Those of the decoder are the same streams."""
    streams = seeds.write_seeds(folder / "stream")
    decisions = [folder / "decisions" / path.name for path in streams]
    (folder / "decisions").mkdir(exist_ok=True)
    record = _program(folder, "record", ("gcc",))
    subprocess.run([record, *(path for both in zip(streams, decisions, strict=True) for path in both)], check=True)
    return {
        "stream": streams,
        "decisions": decisions,
        "manifest": _write(folder / "manifest", signed.header_seeds(Board.load(BOARD))),
        "payload": _write(folder / "payload", inputs.payload_seeds()),
        "journal": _write(folder / "journal", inputs.journal_seeds()),
        "install": _write(folder / "install", inputs.install_seeds()),
        "ymodem": _write(folder / "ymodem", inputs.ymodem_seeds()),
        "stick": _write(folder / "stick", volumes.stick_seeds()),
        "storage": _write(folder / "storage", inputs.storage_seeds()),
    }


def _write(folder: Path, data: list[bytes]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"seed-{number:02}" for number in range(len(data))]
    for path, content in zip(paths, data, strict=True):
        path.write_bytes(content)
    return paths


def _program(folder: Path, name: str, compiler: tuple[str, ...], *more: str, firmware: Path | None = None) -> Path:
    tree = firmware or data_path("firmware")
    harness = HARNESSES.get(name, _RECORD)
    board = Board.load(BOARD)
    headers.write(folder / "generated", board, boot_version())
    for number, value in harness.numbers.items():
        set_number(folder / "generated/core", number, value)
    seeds.write_old(folder / "generated/fuzz_old.h")
    signed.write_keys(folder / "generated/fuzz_keys.h", board)
    sources = [
        *(tree / source for source in harness.firmware),
        *(_HERE / own for own in (f"{name}.c", *harness.own, *more)),
    ]
    rooms = [tree / room for room in ("core", "crypto", "loader", "usb")]
    generated = [folder / "generated/core", folder / "generated/crypto", folder / "generated"]
    includes = [f"-I{path}" for path in (_HERE, *rooms, tree, *generated)]
    strict = [] if firmware else ["-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"]
    words = "-Dspb_text_of_the_words=(enum spb_text)sizeof"  # any numbers will do (core/text.h)
    program = folder / name
    subprocess.run(
        [*compiler, "-std=c11", "-g", "-O2", *strict, words, *includes, "-o", str(program), *map(str, sources)],
        check=True,
    )
    return program
