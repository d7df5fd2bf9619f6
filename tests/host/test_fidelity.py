"""docs/fidelity.md is what its generator makes of the models of today and of the accesses that were measured."""

from __future__ import annotations

from typing import ClassVar

import pytest

from spboot import boards
from spboot.twin import Twin
from spboot.twin.blocks.usart_v3 import UsartV3
from spboot.twin.models import MODELS
from tools.fidelity import accesses, ledger, page, sources

MEASURE = "run `make fidelity`"


@pytest.fixture(scope="module")
def models() -> dict[str, ledger.Model]:
    return {model.ip: model for model in ledger.models()}


def test_the_page_is_of_today() -> None:
    assert page.text(accesses.load()) == page.PATH.read_text(encoding="utf-8"), MEASURE


def test_every_model_is_on_it(models: dict[str, ledger.Model]) -> None:
    assert models.keys() - MODELS.keys() == {
        *(f"SCS {core}" for core in ("cm0p", "cm4", "cm7", "cm33")),
        *(f"{name} {core}" for name in ("DWT", "FMC") for core in ("cm4", "cm7", "cm33")),
        "LTDC cm4",
        "ETH cm4",
        *(f"TAMP {core}" for core in ("cm0p", "cm4", "cm33")),
    }
    assert models.keys() >= MODELS.keys()


def test_every_board_was_measured() -> None:
    assert set(accesses.load().boards) == set(boards.names()), MEASURE


def test_what_was_measured_is_modelled(models: dict[str, ledger.Model]) -> None:
    known = {(model.ip, register.name) for model in models.values() for register in model.registers}
    found = accesses.load()
    measured = {
        (ip, name) for table in (found.bootloaders, found.tests) for ip, names in table.items() for name in names
    }
    assert measured <= known, MEASURE


def test_what_handlers_say_is_on_it(models: dict[str, ledger.Model]) -> None:
    """A register of each kind, as its handlers have it."""
    usart = {register.name: register for register in models["usart_v3"].registers}
    assert (usart["RTOR"].reads, usart["RTOR"].writes) == ("stored", "stored")
    assert (usart["ISR"].reads, usart["ISR"].writes) == ("computed", "refused")
    assert (usart["BRR"].writes, usart["BRR"].manual) == ("acts", "RM0351 40.8.4")
    assert usart["BRR"].refused == ("USART_BRR written while UE is set",)
    assert any("asks for DMA" in gap for gap in models["lptim_v2a"].gaps)
    data = {register.name: register for register in models["crc_v3"].registers}["DR8"]
    assert (data.reads, data.writes) == ("computed", "acts"), "what read() and write() of the class serve"


def test_words_of_helpers_and_of_the_class_above_are_found() -> None:
    class Usart(UsartV3, ips=("usart_v3",)):
        STATE: ClassVar[tuple[str, ...]] = UsartV3.STATE

        def write_CR2(self, value: int) -> None:  # noqa: N802
            self._check(value)
            super().write_BRR(value)

        def _check(self, value: int) -> None:
            """RM0351 40.8.2."""
            if value:
                self.die.refuse(f"{self.name}_CR2 = {value:#x}", "the twin does not model it")

    twin = Twin("STM32L476RG")
    block = Usart(twin, twin.chip.block("USART2"))
    found = sources.refusals(block.write_CR2)
    assert [refusal.found for refusal in found] == ["<name>_CR2 = …", "<name>_BRR written while UE is set"]
    assert [refusal.unmodelled for refusal in found] == [True, False]
    assert sources.cited(block.write_CR2) == ["RM0351 40.8.2", "RM0351 40.8.4"]
