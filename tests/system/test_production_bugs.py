"""Bugs put into a bootloader for production, on purpose: the test that is there for each finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.errors import SpbootError
from tests.edits import built_of
from tests.system import test_production as boots
from tests.system import test_production_cuts as cuts
from tests.system.production import Shops
from tests.system.rig import workshop

NAME, WORDS = "NUCLEO-L476RG", "NUCLEO-L073RZ"
Test = Callable[[Shops, pytest.MonkeyPatch], None]


@dataclass(frozen=True, kw_only=True)
class Bug:
    """*old* in *file* became *new*; *test* sees it on *board*."""

    file: str
    old: str
    new: str
    test: Test
    board: str = NAME


def first_boot(shops: Shops, _: pytest.MonkeyPatch) -> None:
    boots.test_the_first_boot_sets_them_and_later_ones_hold_them(shops, NAME)


BUGS = {
    "tried for ever": Bug(
        file="boot/production.c",
        old="if (note == SPB_NOTE_OPTIONS)",
        new="if (note == SPB_NOTE_LOADER)",
        test=lambda shops, patch: boots.test_a_chip_that_does_not_take_them_is_stopped(shops, NAME, patch),
    ),
    "development keys": Bug(
        file="boot/production.c",
        old="if (flags & SPB_PERSONAL_FLAG_DEVELOPMENT) {",
        new="if (flags == ~SPB_PERSONAL_FLAG_DEVELOPMENT) {",
        test=lambda shops, _: boots.test_with_development_keys_it_protects_nothing(shops, NAME),
    ),
    "write protection is not checked": Bug(
        file="boot/production.c",
        old=" || !spb_flash_write_protected()) return false;",
        new=") return false;",
        test=lambda shops, _: boots.test_protection_that_was_taken_away_comes_back(shops, NAME),
    ),
    "read protection is not checked": Bug(
        file="boot/production.c",
        old="spb_flash_protection() < level || ",
        new="spb_flash_protection() + 2 < level || ",
        test=lambda shops, _: boots.test_protection_that_was_taken_away_comes_back(shops, NAME),
    ),
    "a lost word counts as kept": Bug(
        file="boot/production.c",
        old="return !spb_options_torn() || usable();",
        new="return spb_options_torn() || usable();",
        test=lambda shops, _: cuts.test_a_lost_word_is_put_right(shops, NAME),
    ),
    "what is lost stops the boot": Bug(
        file="boot/main.c",
        old=" && !(SPB_PRODUCTION && spb_options_torn())",
        new="",
        test=lambda shops, _: cuts.test_a_lost_word_is_put_right(shops, NAME),
    ),
    "a page less": Bug(
        file="driver/options_ecc.c", old="(PAGE_COUNT - 1u) << LAST", new="(PAGE_COUNT - 2u) << LAST", test=first_boot
    ),
    "a page of SLOT0": Bug(
        file="driver/options_ecc.c",
        old="(PAGE_COUNT - 1u) << LAST",
        new="(SPB_SLOT0_OFF / SPB_SLOT0_UNIT) << LAST",
        test=first_boot,
    ),
    "user bits as from the factory": Bug(
        file="driver/options_ecc.c",
        old="uint32_t options = reg_read(OPTR);",
        new="uint32_t options = 0xFFEFF8AAu;",
        test=lambda shops, _: boots.test_bits_of_others_stay(shops),
    ),
    "an area that is in use": Bug(
        file="driver/options_ecc.c",
        old="if (first > last || last < PAGE_COUNT) return area;",
        new="if (first > last || last < PAGE_COUNT || i == 0) return area;",
        test=lambda shops, _: boots.test_bits_of_others_stay(shops),
    ),
    "no launch": Bug(
        file="driver/options_ecc.c",
        old="if (ok) reg_write(IP.cr, OPTIONS.launch);",
        new="if (!ok) reg_write(IP.cr, OPTIONS.launch);",
        test=lambda shops, _: first_boot_by_launch(shops),
    ),
    "a lost word of sectors is kept": Bug(
        file="driver/options_l0.c",
        old="whole ? half | ours : ours",
        new="whole ? half | ours : 0xFFFFu",
        test=lambda shops, _: cuts.test_a_lost_word_is_put_right(shops, WORDS),
        board=WORDS,
    ),
}


def first_boot_by_launch(shops: Shops) -> None:
    """The reset is that of an option byte launch: without it silicon loads nothing (RM0351 3.4.2)."""
    rig = boots.Rig(shops(NAME))
    assert b"reset by options" in boots.start(rig)


@pytest.mark.soak
@pytest.mark.parametrize("name", BUGS)
def test_a_bug_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = BUGS[name]
    with built_of(tmp_path, [(bug.file, bug.old, bug.new)]):
        shop = workshop(Board.load(bug.board), "clang", tmp_path, "rdp1")
    with pytest.raises((AssertionError, SpbootError)):
        bug.test(lambda *_: shop, monkeypatch)
