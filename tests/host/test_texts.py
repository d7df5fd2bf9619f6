"""Sentences of the console: found in C sources, numbered, packed by pairs of bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spboot.builder.texts import Texts, status_sentences
from spboot.errors import BuildError, FormatError
from spboot.formats.c_header import text_header
from spboot.formats.spec import spec
from spboot.formats.texts import FIRST_PAIR, MOST, SHIFT, SHIFTED, PackedTexts, pack

MARK = "spb_text_of_the_words"
WORDS = st.text(alphabet="abn %\r\n\x01", max_size=40)


def as_the_chip_reads(packed: PackedTexts, number: int) -> tuple[str, int]:
    """loader/sentence.c in Python: a sentence, and how many bytes waited at most."""
    at, waiting, most, text = 0, list[int](), 0, ""
    for _ in range(number):
        while 0 < packed.data[at] < packed.first_end:
            at += 1
        at += 1
    while True:
        if waiting:
            byte = waiting.pop()
        else:
            byte, at = packed.data[at], at + 1
        while byte >= FIRST_PAIR:
            byte, right = packed.pairs[byte - FIRST_PAIR]
            waiting.append(right)
            most = max(most, len(waiting))
        if byte == 0:
            return text, most
        text += chr(byte if byte < SHIFTED else byte + SHIFT)


@given(st.lists(WORDS, max_size=20))
def test_what_is_packed_is_read_again(texts: list[str]) -> None:
    packed = pack(texts)
    assert packed.unpack() == texts
    read = [as_the_chip_reads(packed, number) for number in range(len(texts))]
    assert [text for text, _ in read] == texts
    assert max((most for _, most in read), default=0) <= packed.depth
    assert packed.size <= sum(len(text) + 1 for text in texts)
    assert packed == pack(texts)


def test_depth_is_reached() -> None:
    """Bytes that wait: a right half each time a left one is taken apart."""
    packed = pack(["abcdefgh" * 4, "abcdefgh" * 4, "abcdefgh" * 4, "abcd" * 9, "ab" * 9])
    assert max(as_the_chip_reads(packed, number)[1] for number in range(5)) == packed.depth == 6


def test_the_status_sentences_become_smaller_by_a_third() -> None:
    sentences = status_sentences()
    assert len(sentences) == len(spec()["status"]["codes"])
    assert pack(sentences).size < sum(len(text) + 1 for text in sentences) * 2 / 3


def test_three_equal_bytes_are_one_pair() -> None:
    a = ord("a") - SHIFT
    assert pack(["aaa"] * 2).pairs == ()
    assert pack(["aaa"] * 3).pairs == ((a, a), (a, 0), (FIRST_PAIR, FIRST_PAIR + 1))


@pytest.mark.parametrize("text", ["größer", "a\0b", "{", "\x1b"])
def test_what_the_console_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="words have ASCII from the space to z"):
        pack([text])


def test_numbers_are_bytes() -> None:
    assert len(pack([str(number) for number in range(MOST)]).unpack()) == MOST
    with pytest.raises(FormatError, match="there are 257 sentences, expected at most 256"):
        pack(["a"] * (MOST + 1))


def test_words_become_numbers_on_the_same_lines() -> None:
    texts = Texts(["none", "done", "", ""])
    source = (
        f'f(line, {MARK} "one %u", 1);\n'
        f'g({MARK}\n# 7 "main.c" 3 4\n  "two " "%% %s"\n   "\\r\\n");\n'
        f'h({MARK} "done", "not said", {MARK} "", {MARK} "one %u");\n'
    )
    assert texts.number(source) == (
        "f(line, ((enum spb_text)4u), 1);\n"
        "g(((enum spb_text)5u)\n\n\n);\n"
        'h(((enum spb_text)1u), "not said", ((enum spb_text)2u), ((enum spb_text)4u));\n'
    )
    assert texts.sentences == ["none", "done", "", "", "one \x03", "two % \x01\r\n"]


@pytest.mark.parametrize("source", [f"f({MARK} text(), 1)", f'f({MARK} (1 ? "a" : "b"))', f'f({MARK}s "a")', "f(1)"])
def test_only_literals_are_words(source: str) -> None:
    """What is left of a mark does not compile (tests/system/test_builds.py)."""
    texts = Texts()
    assert texts.number(source) == source and texts.sentences == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('"%d pages"', "'%d pages': %d in words of the console; known: %s %t %u %w %z %x %v %%"),
        ('"100 %"', "'100 %': % in words of the console"),
        (r'"a\x41"', r'"a\x41": \x in words of the console; known: \r \n \t \" \\'),
    ],
)
def test_words_that_the_console_does_not_know(words: str, said: str) -> None:
    with pytest.raises(BuildError) as error:
        Texts().number(f"f({MARK} {words})")
    assert str(error.value).startswith(said)


def test_header_of_a_program_that_says_nothing() -> None:
    """Its arrays are not empty: C has none of those."""
    header = text_header(pack([]))
    assert "#define SPB_TEXT_PAIRS {{0, 0}}" in header and "#define SPB_TEXT_PACKED {0}" in header
