"""The page of a kit says what its board is, for every board; and no board has words that its file does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spboot import boards, trial
from spboot.boards import Board
from spboot.boards.labels import NAMES, Labels
from spboot.errors import BoardError
from spboot.kit.instructions import Facts, text
from spboot.programmer import by_hand

KEY = "0123456789abcdef"
FILES = (("factory.hex", "for a programmer"), ("factory.bin", "for a drive"))
GOOD = (Path(boards.__file__).parent / "data" / "NUCLEO-F429ZI.toml").read_text(encoding="utf-8")


def page(board: Board) -> str:
    return text(Facts(board=board, named=board.name, key=KEY, rows=FILES))


@pytest.mark.parametrize("name", boards.names())
def test_the_page_names_the_facts_of_its_board(name: str) -> None:
    board = Board.load(name)
    said, console, labels = page(board), board.console, board.labels
    flat = " ".join(said.split())
    for fact in (
        name, board.chip.name, KEY, console.port, f"{console.tx.name} (the board sends)",
        f"{console.rx.name} (it receives)", f"{console.baud:,} baud", f"{board.image_address:#010x}",
        f"{board.slot0.address:08x}", labels.console, labels.led, labels.manual,
        *(row.program for row in by_hand(board, "factory.hex")), *(row.erase for row in by_hand(board, "factory.hex")),
    ):  # fmt: skip
        assert fact in said or fact in flat, fact
    assert labels.console and labels.led
    for pin, label, word in ((board.button, labels.button, "Button"), (board.led, labels.led, "LED")):
        row = next(line for line in said.splitlines() if line.startswith(f"- {word}: "))
        assert bool(pin) == bool(label)
        assert (f"{label}, {pin.name}, {'high' if pin.active_high else 'low'}" if pin else "none on this board") in row
    assert ("hold the button" in flat) == (board.button is not None)
    assert ("onto the drive that the ST-LINK shows" in flat) == (labels.probe == "ST-LINK")
    assert ("SWDIO (PA13)" in flat) == (not labels.probe)
    assert (".sfbp" in said) == (board.slot1 is not None)
    assert ("trial-1.3.0.sfb" in said) == (trial.room(board) > 0)
    check_shape(said)
    others = [other for other in boards.names() if other != name and re.search(rf"\\b{re.escape(other)}\\b", said)]
    assert not others, "the name of another board"


def check_shape(said: str) -> None:
    assert max(len(line) for line in said.splitlines() if line[:1] not in (" ", "|")) <= 120
    numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", said, re.M)]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 9
    assert "None" not in said and "#  " not in said and "\n\n\n" not in said


def test_erase_lines_have_both_banks_where_openocd_has_two() -> None:
    for name, banks in {"DISCO-H745I": 2, "NUCLEO-L073RZ": 2, "NUCLEO-L476RG": 1, "NUCLEO-F429ZI": 1}.items():
        row = next(row for row in by_hand(Board.load(name), "factory.hex") if row.programmer.name == "openocd")
        assert row.erase.count("flash erase_sector") == banks


def labelled(rows: str) -> Board:
    return Board.parse(Path("MINE.toml"), GOOD[: GOOD.index("[labels]")] + rows)


def test_labels_are_texts_of_one_line() -> None:
    assert labelled("").labels == Labels()
    assert labelled('[labels]\nled = "D1"\n').labels == Labels(led="D1")
    for rows, words in (
        ("[labels]\nled = 1\n", "labels.led is 1, expected a text"),
        ('[labels]\nled = " "\n', "labels.led is ' ', expected a text of one line"),
        ('[labels]\nled = "a\\nb"\n', "expected a text of one line"),
        (
            '[labels]\nlde = "D1"\n',
            "unknown key labels.lde; known: button, console, led, manual, probe; did you mean led?",
        ),
        ("labels = 1\n" + GOOD[:0], "labels"),
    ):
        with pytest.raises(BoardError, match=re.escape(words)):
            labelled(rows)
    assert set(NAMES) == {"console", "button", "led", "probe", "manual"}


def test_a_board_without_labels_has_a_page() -> None:
    flat = " ".join(page(labelled("")).split())
    assert "Console: a serial adapter, that is USART3" in flat
    assert "Button: PC13, high when pressed" in flat
