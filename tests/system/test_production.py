"""Bootloaders for production on the twin, of each family: option bytes are set at the first boot and held later on, cut
wherever there is something to cut; updates go on.  What registers have to be is typed from the manuals."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from spboot.builder.production import LEVELS
from spboot.device.protection import protection
from spboot.errors import TwinError
from spboot.formats.spec import spec
from spboot.twin.host.probe import Probe
from tests.system.production import (
    CHIPS,
    SETS,
    SOAK,
    STARTED,
    Shops,
    boards,
    controller,
    guarded,
    operations,
    protected,
    shops_in,
    start,
)
from tests.system.rig import Rig, workshop

BUDGETS: dict[str, int] = tomllib.loads((Path(__file__).parents[2] / "budgets.toml").read_text())["production"]


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Shops:
    return shops_in(tmp_path_factory.mktemp("production"))


@pytest.mark.parametrize("name", boards("NUCLEO-L476RG", "NUCLEO-L073RZ", "DISCO-H745I"))
def test_the_first_boot_sets_them_and_later_ones_hold_them(shops: Shops, name: str) -> None:
    rig = Rig(shops(name))
    said = start(rig)
    level = b"0" if name == "NUCLEO-H563ZI" else b"1"
    assert said.count(SETS) == 1
    assert said.count(b"protection: read level 0, write off") == 1
    assert said.count(b"protection: read level " + level + b", write on") == 1
    protected(rig, name)
    assert operations(rig) == CHIPS[name].operations
    said = start(rig)
    assert SETS not in said
    assert b"read level " + level + b", write on" in said
    assert operations(rig) == CHIPS[name].operations, "O2: option bytes are programmed once in a life"
    assert controller(rig).refusals == []
    area = rig.board.bootloader
    for address, locked in ((area.address, True), (area.end - 1, True), (rig.board.slot0.address, False)):
        assert guarded(rig, address) is locked, hex(address)


@pytest.mark.parametrize("name", boards("NUCLEO-L476RG", "NUCLEO-L073RZ"))
@pytest.mark.parametrize("kind", ["patch", pytest.param("image", marks=SOAK)])
def test_an_update_is_installed_on_a_protected_chip(shops: Shops, name: str, kind: str) -> None:
    shop = shops(name)
    rig = Rig(shop)
    start(rig)
    before = rig.twin.flash_read(shop.board.bootloader.address, shop.board.bootloader.size)
    count = operations(rig)
    rig.update(shop.patch("1.0.0", "1.1.0") if kind == "patch" else shop.image("1.1.0"))
    assert rig.version == "1.1.0"
    assert controller(rig).refusals == []
    assert rig.twin.flash_read(shop.board.bootloader.address, shop.board.bootloader.size) == before
    assert operations(rig) == count
    protected(rig, name)


@pytest.mark.parametrize("name", boards("NUCLEO-L476RG", "NUCLEO-H563ZI"))
def test_protection_that_was_taken_away_comes_back(shops: Shops, name: str) -> None:
    rig = Rig(shops(name))
    start(rig)
    for part in CHIPS[name].open.items():
        controller(rig).options.update([part])
        assert start(rig).count(SETS) == 1
        protected(rig, name)


@pytest.mark.parametrize("name", boards("NUCLEO-L476RG"))
def test_a_chip_that_does_not_take_them_is_stopped(shops: Shops, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """K3, O3: programmed once after each power-on, however long it stands there; K2: and no application starts."""
    rig = Rig(shops(name))
    tries: list[int] = []
    for method in ("change_options", "_perform", "_change_word"):
        if hasattr(controller(rig), method):
            monkeypatch.setattr(controller(rig), method, lambda *_: tries.append(1))
    for _ in range(2):
        rig.power_on()
        rig.listen(b"option bytes do not take the protection that this bootloader was built for", seconds=20)
        rig.twin.run(seconds=5)
        assert STARTED not in rig.uart.output
    assert len(tries) == 2 * CHIPS[name].operations


@pytest.mark.parametrize("name", boards("NUCLEO-L476RG"))
def test_with_development_keys_it_protects_nothing(shops: Shops, name: str) -> None:
    """K1.  The flag is in the personalisation area; whoever makes such a device by hand has one that does not start."""
    shop = shops(name)
    rig = Rig(shop)
    facts = spec()["personal"]
    at = shop.board.bootloader.address + facts["offset"] + 8
    assert rig.twin.flash_read(at, 4) == bytes(4)
    rig.twin.flash_load(at, facts["flag_development"].to_bytes(4, "little"))
    rig.power_on()
    rig.listen(b"built for production, with development keys: it protects nothing and starts nothing")
    rig.twin.run(seconds=3)
    assert STARTED not in rig.uart.output
    assert operations(rig) == 0


def test_bits_of_others_stay(shops: Shops) -> None:
    """O1.  RM0351 3.7.8: nRST_STOP, BOR_LEV, IWDG_STOP are the user's; area A is, too, and B is taken."""
    rig = Rig(shops("NUCLEO-L476RG"))
    mine = {"OPTR": 0xFFED_EBAA, "WRP1AR": 0xFF80_FF7F}
    controller(rig).options.update(mine)
    start(rig)
    assert controller(rig).options["OPTR"] == 0xFFED_EBBB
    assert controller(rig).options["WRP1AR"] == 0xFF80_FF7F
    assert controller(rig).options["WRP1BR"] == 0xFF0B_FF00


def test_no_area_is_free(shops: Shops) -> None:
    rig = Rig(shops("NUCLEO-L476RG"))
    controller(rig).options.update({"WRP1AR": 0xFF81_FF80, "WRP1BR": 0xFF91_FF90})
    rig.power_on()
    rig.listen(b"option bytes WRP1A and WRP1B are both in use: free one for the bootloader")
    assert operations(rig) == 0


@SOAK
def test_sectors_that_are_protected_from_reading(shops: Shops) -> None:
    """RM0090 3.7.5, RM0367, FLASH_OPTR: the bits mean something else then."""
    for name, options, words in (
        ("NUCLEO-F429ZI", {"OPTCR": 0x8000_AAED}, b"option byte SPRMOD is set"),
        (
            "NUCLEO-L073RZ",
            {"OPTR": 0x8070_01AA, "WRPROT": 0xFFFF_FFFF, "WRPROT2": 0xFFFF},
            b"option byte WPRMOD is set",
        ),
    ):
        rig = Rig(shops(name))
        controller(rig).options.update(options)
        rig.power_on()
        rig.listen(words)
        assert operations(rig) == 0


@pytest.mark.parametrize(
    "name", ["NUCLEO-L476RG", *(pytest.param(n, marks=SOAK) for n in ("NUCLEO-L073RZ", "DISCO-H745I", "NUCLEO-F429ZI"))]
)
def test_level_2(shops: Shops, name: str) -> None:
    """For ever: later boots change nothing, a probe gets nothing, updates go on."""
    rig = Rig(shops(name, "rdp2"))
    said = start(rig)
    assert b"read level 2, write on" in said
    assert controller(rig).level == 2
    count = operations(rig)
    with pytest.raises(TwinError, match="no debug port"):
        Probe(rig.twin).attach()
    rig.update(rig.shop.patch("1.0.0", "1.1.0"))
    assert operations(rig) == count
    assert start(rig).count(SETS) == 0


def test_a_level_above_stays(shops: Shops) -> None:
    """O1.  A chip of level 2 with a bootloader for level 1, whose write protection is missing: nothing is lowered."""
    rig = Rig(shops("NUCLEO-L476RG"))
    controller(rig).options.update({"OPTR": 0xFFEF_F8CC, "WRP1AR": 0xFF0B_FF00})
    assert b"read level 2, write on" in start(rig)
    assert operations(rig) == 0


@pytest.mark.parametrize("name", ["NUCLEO-L476RG", pytest.param("DISCO-F769I", marks=SOAK)])
def test_with_a_probe_at_power_on(shops: Shops, name: str) -> None:
    """Silicon stands still from the moment a probe is attached at level 1; nothing is erased, and the next power-on is
    as any other.  One that was attached for the first boot: the same, once."""
    rig = Rig(shops(name))
    rig.power_on()
    Probe(rig.twin).attach()
    with pytest.raises(TwinError, match="until power is applied again"):
        rig.listen(STARTED, seconds=20)
    assert start(rig).count(SETS) == 0
    protected(rig, name)
    rig.power_on()
    probe = Probe(rig.twin)
    probe.attach()
    with pytest.raises(TwinError, match="until power is applied again"):
        rig.listen(STARTED)
    with pytest.raises(TwinError, match="answers no probe"):
        probe.read(rig.board.bootloader.address, 16)
    assert SETS not in start(rig)
    assert rig.twin.log.erases() == 0


@pytest.mark.parametrize(
    "name", ["DISCO-F769I", *(pytest.param(n, marks=SOAK) for n in ("NUCLEO-L476RG", "NUCLEO-F429ZI"))]
)
def test_under_a_watchdog_that_option_bytes_start(shops: Shops, name: str) -> None:
    """The longest operations take 0.8 s, and the watchdog is fed or has its longest period."""
    rig = Rig(shops(name))
    rig.fault("maximal")
    rig.twin.enable_hardware_watchdog()
    rig.power_on()
    said = rig.listen(b"starting 1.0.0", seconds=20)
    assert said.count(SETS) == 1
    assert b"watchdog" not in said
    assert operations(rig) == 1


@pytest.mark.parametrize("compiler", NAMES)
@pytest.mark.parametrize("name", BUDGETS)
@SOAK
def test_budgets(name: str, compiler: str, tmp_path: Path) -> None:
    """budgets.toml, [production]: of each level."""
    for production in LEVELS:
        size = workshop(Board.load(name), compiler, tmp_path / production, production).boot.size
        assert size <= BUDGETS[name], f"{production}: {size}"


def test_a_dry_run(shops: Shops) -> None:
    """The library's: what changes, how often option bytes are programmed, and what stays open."""
    shop = shops("NUCLEO-L476RG")
    tried = protection(shop.board, shop.boot)
    assert [str(change) for change in tried.changes if change.changed] == [
        "OPTR.RDP: 0xaa -> 0xbb", "WRP1AR.WRP1A_STRT: 0xff -> 0x0", "WRP1AR.WRP1A_END: 0x0 -> 0xb",
    ]  # fmt: skip
    assert (tried.level, tried.operations, tried.started) == ((0, 1), 1, True)
    assert 0.02 < tried.busy < 0.03
    assert any("A probe can go back to level 0" in sentence for sentence in tried.stays_open)
    assert protection(shop.board, shop.boot.hex.parent).changes == tried.changes
