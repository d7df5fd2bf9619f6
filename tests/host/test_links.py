"""What slow links mean: the arithmetic of bench.links, and that docs/links.md is of today."""

from __future__ import annotations

import pytest

from bench.delta import page as delta_page
from bench.delta.measure import BenchError
from bench.links import page
from bench.links.carry import all_links, by_lora, by_stream, facts, time_on_air


def spread(name: str) -> dict[str, object]:
    return next(each for each in facts()["spread"] if each["name"] == name)


@pytest.mark.parametrize(
    ("length", "factor", "symbols", "symbol_ms"),
    [(64, 12, 85.25, 32.768), (235, 7, 360.25, 1.024), (13, 7, 40.25, 1.024), (64, 11, 90.25, 16.384)],
)
def test_time_on_air(length: int, factor: int, symbols: float, symbol_ms: float) -> None:
    """By hand from the data sheet: 12.25 symbols of preamble, 8, and groups of five."""
    assert time_on_air(length, factor) == pytest.approx(symbols * symbol_ms / 1_000)


def test_frames_of_lorawan() -> None:
    """48 bytes of file a frame at SF12; between two frames the duty cycle has 99 times as long a pause."""
    one, two = (by_lora(size, spread("LoRaWAN SF12")) for size in (48, 96))
    assert (one.frames, two.frames, by_lora(49, spread("LoRaWAN SF12")).frames) == (1, 2, 2)
    assert one.seconds == pytest.approx(2.793472) and two.seconds == pytest.approx(101 * 2.793472)
    assert one.millijoules == pytest.approx(2.793472 * 12.68 * 3.3) == pytest.approx(one.listening)
    assert by_lora(220, spread("LoRaWAN SF7")).frames == 2


def test_streams() -> None:
    slow, *_, cell = facts()["stream"]
    assert by_stream(1_020, slow).seconds == 2 and by_stream(1_020, slow).millijoules is None
    assert by_stream(1_025, cell).frames == 2 and by_stream(1_025, cell).seconds == (1_025 + 56) / 37_500
    assert [each.link for each in all_links(1)] == [
        "510 bytes a second", "LoRaWAN SF7", "LoRaWAN SF12", "NB-IoT", "LTE-M",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.123, "0.12 s"), (5.04, "5.0 s"), (119, "119 s"), (120, "2.0 min"), (7_199, "120 min"), (7_200, "2.0 h"),
     (172_800, "2.0 d"), (86_400 * 1_500, "1,500 d")],
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert page.duration(seconds) == words


def test_the_page_is_of_today() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.replaced(text) == text, "python -m bench.links --write"
    assert len(page.pairs()) == 28


def test_a_pair_without_its_image(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    text = delta_page.PAGE.read_text(encoding="utf-8")
    other = delta_page.PAGE.__class__(str(tmp_path)) / "delta.md"
    other.write_text(text.replace("| boron-2.2.0 |", "| baron-2.2.0 |"), encoding="utf-8")
    monkeypatch.setattr(delta_page, "PAGE", other)
    with pytest.raises(BenchError, match=r"boron-2\.1\.0-2\.2\.0"):
        page.pairs()
