"""Puts numbers in the place of the words that C sources say, and makes the packed table of the words.

`TEXT("words")` of core/text.h becomes a mark and a string literal.  What the preprocessor made of all sources is
searched for these, each sentence gets its number, and the sources with numbers are what is compiled: inactive lines
cost nothing, and words put together by macros are one sentence.  A mark that is not before a literal stays where it is,
and the compiler does not know that name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Final

from spboot.errors import BuildError
from spboot.formats.c_header import text_header
from spboot.formats.spec import spec
from spboot.formats.texts import CONVERSIONS, pack

_MARK: Final = "spb_text_of_the_words"
_LITERAL: Final = r'"(?:[^"\\\n]|\\.)*"'
_BETWEEN: Final = r"(?:\s|^#[^\n]*$)*"
"""White space, or the preprocessor's lines that say where it is."""
_SENTENCE: Final = re.compile(rf"\b{_MARK}\b{_BETWEEN}((?:{_LITERAL}{_BETWEEN})+)", re.MULTILINE)
_CONVERSION: Final = re.compile("%(.?)", re.DOTALL)
_ESCAPES: Final = re.compile(r'\\[^rnt"\\]')
_KNOWN_ESCAPES: Final = r"\r \n \t \" \\"


class Texts:
    """The sentences of one program, by number."""

    def __init__(self, first: Iterable[str] = ()) -> None:
        """*first*: sentences whose numbers are given by their places."""
        self.sentences = list(first)
        self._numbers = {text: number for number, text in reversed(list(enumerate(self.sentences)))}

    def number(self, preprocessed: str) -> str:
        """The C text *preprocessed* with numbers for sentences, on the same lines.  Raises BuildError."""
        return _SENTENCE.sub(self._number, preprocessed)

    def header(self) -> str:
        """spb_texts.h: the packed table.  Raises FormatError."""
        return text_header(pack(self.sentences))

    def _number(self, found: re.Match[str]) -> str:
        literals = re.findall(_LITERAL, found[1])
        if unknown := [escape for literal in literals for escape in _ESCAPES.findall(literal)]:
            words = " ".join(literals)
            raise BuildError(f"{words}: {unknown[0]} in words of the console; known: {_KNOWN_ESCAPES}")
        text = "".join(ast.literal_eval(literal) for literal in literals)
        text = _CONVERSION.sub(_conversion, text)
        if text not in self._numbers:
            self._numbers[text] = len(self.sentences)
            self.sentences.append(text)
        return f"((enum spb_text){self._numbers[text]}u)" + "\n" * found[0].count("\n")


def _conversion(found: re.Match[str]) -> str:
    """The byte that asks for an argument.  Raises BuildError."""
    if found[1] == "%":
        return "%"
    if found[1] not in CONVERSIONS:
        raise BuildError(f"{found.string!r}: {found[0]} in words of the console; known: %{' %'.join(CONVERSIONS)} %%")
    return chr(CONVERSIONS[found[1]])


def status_sentences() -> list[str]:
    """[status] of the spec; "" for a number that is not used."""
    return [text if text != "not used" else "" for _, text in spec()["status"]["codes"]]
