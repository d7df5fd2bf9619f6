"""The CRC unit of STM32F4: RM0090 chapter 4."""

from __future__ import annotations

import zlib

import pytest

from spboot.errors import TwinError

from .conftest import finish, out, twin_of

PART = "STM32F429ZI"
HEAD = """
#define CRC_DR REG(0x40023000)
#define CRC_IDR REG(0x40023004)
#define CRC_CR REG(0x40023008)
#define ON() do { RCC_AHB1ENR |= 1u << 12; (void)RCC_AHB1ENR; } while (0)
"""
WORDS = (0x12345678, 0, 0xFFFFFFFF, 0xDEADBEEF)


def _turned(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)


def _expected(words: tuple[int, ...]) -> int:
    """By zlib, which takes and gives everything with the lowest bit first, and inverts the end."""
    data = b"".join(_turned(word, 32).to_bytes(4, "little") for word in words)
    return _turned(zlib.crc32(data) ^ 0xFFFFFFFF, 32)


def test_words_give_the_crc_of_ethernet() -> None:
    """4.3: the polynomial 0x4C11DB7 from 0xFFFFFFFF; DR gives the result of all words so far.  4.4.3: RESET."""
    sent = " ".join(f"CRC_DR = {word:#x};" for word in WORDS)
    twin = twin_of(
        f"{HEAD} void main_(void) {{ ON(); OUT[0] = CRC_DR; {sent} OUT[1] = CRC_DR; CRC_CR = 1; OUT[2] = CRC_DR;"
        " CRC_DR = 0x12345678; OUT[3] = CRC_DR; OUT[4] = CRC_CR; }",
        PART,
    )
    finish(twin)
    assert [out(twin, n) for n in range(5)] == [0xFFFFFFFF, _expected(WORDS), 0xFFFFFFFF, _expected(WORDS[:1]), 0]
    assert out(twin, 3) == 0xDF8A8A2B


def test_the_independent_data_register() -> None:
    """4.4.2: eight bits, which a RESET leaves."""
    twin = twin_of(HEAD + "void main_(void) { ON(); CRC_IDR = 0x1a5; CRC_CR = 1; OUT[0] = CRC_IDR; }", PART)
    finish(twin)
    assert out(twin) == 0xA5


@pytest.mark.parametrize("access", ["BYTE(0x40023000) = 1;", "(void)HALF(0x40023000);"])
def test_it_takes_words_alone(access: str) -> None:
    """4.4: the registers have to be accessed by words."""
    twin = twin_of(HEAD + f"void main_(void) {{ ON(); {access} for (volatile int i = 0; i < 9; i++) {{}} }}", PART)
    with pytest.raises(TwinError, match="-byte access to CRC"):
        twin.run(seconds=0.01)
