"""What calls the function that confirms an image, as compilers make such calls, is found; what does not is not."""

from __future__ import annotations

import dataclasses
import random
import subprocess
from pathlib import Path

import pytest

from spboot import Board, Image, Keys, Version, full_image, patch
from spboot.release import Artefact
from spboot.trial import CONFIRM, confirms, gate, room, told
from tests.apps import startable

SOURCE = """\
int SE_APP_ConfirmActiveFw(int *); int SE_APP_GetBootVer(int *, char *, unsigned);
extern char top[]; int status;
static void call(void) { %s }
void reset(void) { call(); for (;;) {} }
__attribute__((section(".vectors"), used)) void *const vectors[] = {top, reset};
"""
CALLS = {
    "a branch": ([], "SE_APP_ConfirmActiveFw(&status);"),
    "a tail call": (["-O2"], "SE_APP_ConfirmActiveFw(&status); __builtin_unreachable();"),
    "a literal": (["-mlong-calls"], "SE_APP_ConfirmActiveFw(&status);"),
    "two halves": (["-mlong-calls", "-mpure-code"], "SE_APP_ConfirmActiveFw(&status);"),
    "a pointer": ([], "int (*volatile f)(int *) = SE_APP_ConfirmActiveFw; f(&status);"),
}
NONE = {"no call": "", "another function": "char text[9]; SE_APP_GetBootVer(&status, text, 9);"}
CORES = {"NUCLEO-L476RG": "cortex-m4", "NUCLEO-G0B1RE": "cortex-m0plus", "NUCLEO-U575ZI-Q": "cortex-m33"}


def linked(folder: Path, board: Board, body: str, *options: str) -> bytes:
    (folder / "app.c").write_text(SOURCE % body)
    gates = [f"-Wl,--defsym={name}={gate(board, name) | 1:#x}" for name in (CONFIRM, "SE_APP_GetBootVer")]
    script = folder / "app.ld"
    script.write_text(
        f"ENTRY(reset) SECTIONS {{ . = {board.image_address:#x}; .text : {{ *(.vectors) *(.text*) *(.rodata*) }}\n"
        f". = {board.ram.end:#x}; .bss (NOLOAD) : {{ *(.bss*) }} top = {board.stacks[-1].end:#x}; }}"
    )
    core = f"-mcpu={CORES[board.name]}"
    command = ["arm-none-eabi-gcc", core, "-mthumb", "-Os", "-nostdlib", "-ffreestanding", *options, "-T", str(script),
               *gates, str(folder / "app.c"), "-o", str(folder / "app.elf")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return Image.load(folder / "app.elf", board, "1.0.0").data


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_found(tmp_path: Path, name: str, call: str) -> None:
    options, body = CALLS[call]
    if call == "two halves" and CORES[name] == "cortex-m0plus":
        pytest.skip("has no MOVW, and makes an address of bytes where it may have no literals: not looked for")
    assert confirms(linked(tmp_path, Board.load(name), body, *options), Board.load(name))


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("call", NONE)
def test_what_is_none_is_not(tmp_path: Path, name: str, call: str) -> None:
    assert not confirms(linked(tmp_path, Board.load(name), NONE[call]), Board.load(name))


def test_noise_is_none() -> None:
    board = Board.load("NUCLEO-L476RG")
    assert not confirms(random.Random(1).randbytes(200_001), board)


def test_an_update_says_it(tmp_path: Path) -> None:
    """In its manifest, which is signed; and back again."""
    board, keys = Board.load("NUCLEO-L476RG"), Keys.new(tmp_path / "keys", "lamp")
    calling = linked(tmp_path, board, CALLS["a branch"][1])
    silent = startable(board, random.Random(2).randbytes(400))
    for data, trial in ((calling, True), (silent, False)):
        new = Image(data=data, board=board, version=Image.load(tmp_path / "app.elf", board, "1.1.0").version)
        old = Image(data=startable(board, bytes(300)), board=board, version=Version(1, 0, 0))
        for update in (full_image(new, keys=keys), patch(old, new, keys=keys)):
            assert Artefact.parse(update).header.manifest.trial == trial
            assert Artefact.parse(update).pack() == update


@pytest.mark.parametrize(
    ("name", "starts", "calls", "size", "changed", "words"),
    [
        ("NUCLEO-L476RG", 1, True, 4_000, None, "on trial until it calls SE_APP_ConfirmActiveFw; the version before"),
        ("NUCLEO-L476RG", 1, True, 440_000, 208, "on trial until it calls SE_APP_ConfirmActiveFw; the version before"),
        ("NUCLEO-L476RG", 1, True, 440_000, 209, "no trial: 209 pages change, there is room for 208"),
        (
            "NUCLEO-L476RG",
            1,
            True,
            440_000,
            None,
            "on trial until it calls SE_APP_ConfirmActiveFw, where at most 208 pages",
        ),
        ("NUCLEO-L476RG", 1, False, 4_000, 1, "no trial: the application never calls SE_APP_ConfirmActiveFw"),
        ("NUCLEO-L476RG", 0, True, 4_000, 1, "no trial: trial_starts of NUCLEO-L476RG is 0"),
        ("NUCLEO-L412KB", 1, True, 4_000, None, "no trial: NUCLEO-L412KB has a single slot"),
    ],
)
def test_what_becomes_of_it_is_said(
    name: str, starts: int, calls: bool, size: int, changed: int | None, words: str
) -> None:
    board = dataclasses.replace(Board.load(name), trial_starts=starts)
    image = bytes(size - 4) + (gate(board) | 1).to_bytes(4, "little") * calls
    assert told(image, board, None if changed is None else range(changed)).startswith(words)
    assert (room(board) == 0) == ("trial_starts" in words or "single" in words)
