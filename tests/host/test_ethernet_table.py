"""The table `ethernet` of a board file: what it becomes and what is refused; ports of `spboot twin --net`."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest
from click.testing import CliRunner

from spboot import boards
from spboot.boards import Board
from spboot.builder.headers import chip_header
from spboot.chips.ethernet import Ethernet
from spboot.cli.boards import command
from spboot.errors import BoardError, TwinError
from spboot.twin import Forward, Slirp
from spboot.twin.ethernet.cable import Cable
from spboot.twin.host import slirp

DATA = Path(boards.__file__).parent / "data"
GOOD = (DATA / "NUCLEO-F429ZI.toml").read_text(encoding="utf-8")


def load(tmp_path: Path, text: str) -> Board:
    path = tmp_path / "LAMP.toml"
    path.write_text(text, encoding="utf-8")
    return Board.load(str(path))


def test_what_it_says(tmp_path: Path) -> None:
    """As UM1974 has the board, and the datasheet of STM32F429 the pins of AF11; the bootloader knows nothing of it."""
    found = load(tmp_path, GOOD).ethernet
    assert found == Ethernet(
        phy="LAN8742A", address=0,
        lines={"ref_clk": "PA1", "mdio": "PA2", "crs_dv": "PA7", "mdc": "PC1", "rxd0": "PC4", "rxd1": "PC5",
               "tx_en": "PG11", "txd0": "PG13", "txd1": "PB13"},
    )  # fmt: skip
    at = GOOD.index("[ethernet]"), GOOD.index("# Bootloader")
    without = load(tmp_path, GOOD[: at[0]] + GOOD[at[1] :])
    assert without.ethernet is None and chip_header(without) == chip_header(load(tmp_path, GOOD))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('phy = "LAN8742A"', 'phy = "DP83848"', "ethernet.phy: 'DP83848', expected LAN8742A"),
        ('phy = "LAN8742A"\n', "", "ethernet.phy is missing"),
        ("address = 0\n", "address = 32\n", "ethernet.address: 32, expected 0 to 31"),
        ("address = 0\n", "address = true\n", "ethernet.address: True, expected 0 to 31"),
        ('tx_en = "PG11"\n', "", "ethernet.tx_en is missing: PB11 or PG11, as the board is wired"),
        ('tx_en = "PG11"', 'tx_en = "PA1"', "ethernet.tx_en: 'PA1', expected PB11 or PG11"),
        ('tx_en = "PG11"', "tx_en = 1", "ethernet.tx_en: 1, expected PB11 or PG11"),
        ('tx_en = "PG11"', 'tx_en = "PG11"\nrx_er = "PB10"', "ethernet.rx_er: unknown, expected phy, address, ref_clk"),
        ('[led]\npin = "PB0"', '[led]\npin = "PB13"', "ethernet.txd1 is 'PB13', expected another pin than led.pin"),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(BoardError, match=said):
        load(tmp_path, GOOD.replace(old, new))


def test_other_families_have_no_model(tmp_path: Path) -> None:
    text = (DATA / "DISCO-F769I.toml").read_text(encoding="utf-8") + '\n[ethernet]\nphy = "LAN8742A"\naddress = 0\n'
    with pytest.raises(BoardError, match="STM32F769NI has no MAC that the twin knows, expected a part of STM32F4"):
        load(tmp_path, text)


def test_it_is_shown() -> None:
    said = CliRunner().invoke(command, ["NUCLEO-F429ZI"]).output
    assert "LAN8742A at 0, ref_clk PA1" in " ".join(said.split())


def test_ports() -> None:
    assert Forward.parse("8080") == Forward(here=8080, device=IPv4Address("192.168.0.10"), port=80)
    assert Forward.parse("0=10.1.2.3") == Forward(here=0, device=IPv4Address("10.1.2.3"), port=80)
    assert Forward.parse("1=10.1.2.3:443").port == 443
    for text in ("", "x", "-1", "65536", "1=", "1=10.1.2", "1=10.1.2.3:0", "1=10.1.2.3:65536", "1=10.1.2.300", "1:80"):
        with pytest.raises(TwinError, match="is not PORT"):
            Forward.parse(text)


def test_a_port_that_is_taken_and_a_library_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    cable = Cable()
    with Slirp(cable, lambda: 0, Forward.parse("0")) as first:
        assert cable.plugged
        with pytest.raises(TwinError, match=f"port {first.port} of 127.0.0.1 cannot be had: choose another one"):
            Slirp(Cable(), lambda: 0, Forward.parse(str(first.port)))
    assert not cable.plugged
    monkeypatch.setattr(slirp, "_NAMES", ("libnone.so",))
    monkeypatch.setattr(slirp.ctypes.util, "find_library", lambda _: None)
    with pytest.raises(TwinError, match=r"libslirp is not installed.*apt install libslirp0"):
        Slirp(Cable(), lambda: 0, Forward.parse("0"))
