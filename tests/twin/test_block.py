"""What a model of a peripheral may be."""

from __future__ import annotations

import gc

import pytest

from spboot.twin import Twin, models
from spboot.twin.block import Block
from spboot.twin.flash.f4 import FlashF4


@pytest.mark.parametrize("handler", ["read_DR33", "write_DR33"])
def test_a_handler_that_no_register_answers_to_is_an_error(handler: str) -> None:
    """It would never be called."""
    type("Right", (Block,), {handler.replace("33", "32"): lambda _: 0}, ips=("crc_v3",))
    type("Right", (Block,), {handler: lambda _: 0, "DECLARES": frozenset({"DR33"})}, ips=("crc_v3",))
    with pytest.raises(TypeError, match="Wrong handles DR33, not registers of crc_v1, crc_v3: correct"):
        type("Wrong", (Block,), {handler: lambda _: 0}, ips=("crc_v1", "crc_v3"))
    with pytest.raises(TypeError, match="Wrong handles DR33, not registers of any IP: "):
        type("Wrong", (Block,), {handler: lambda _: 0})


def test_every_ip_version_has_one_model() -> None:
    assert models.MODELS["flash_f4"] is FlashF4
    assert models._models() == models.MODELS
    twice = type("Twice", (Block,), {"__module__": "spboot.twin.blocks.twice"}, ips=("crc_v3",))
    with pytest.raises(TypeError, match="crc_v3 is modelled by CrcV3 and by Twice: take it out of one ips="):
        models._models()
    del twice
    gc.collect()


def test_a_base_serves_no_ip_version() -> None:
    """It has handlers, and a version that has all their registers."""
    base = type("Base", (Block,), {"read_DR32": lambda _: 0}, like="crc_v3")
    assert base.IPS == ()


def test_a_block_is_what_its_neighbour_takes_it_for() -> None:
    twin = Twin("STM32L476RG")
    assert twin.block("FLASH", Block) is twin.flash_controller
    with pytest.raises(TypeError, match="STM32L476RG: FLASH is a FlashL4, expected a FlashF4"):
        twin.block("FLASH", FlashF4)
