"""QEMU as a second opinion: the console, rates of the UART and the crypto of what ships, on a CPU and on models of
peripherals that are not the twin's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from tests.crypto.images import Compiler, build
from tests.qemu import dialogue
from tests.qemu.callee import QemuCrypto
from tests.qemu.crypto import CHECKS
from tests.qemu.flash_registers import behind, moved
from tests.qemu.machine import MISSING, Qemu, program
from tests.system.rig import Workshop, workshop

installed = pytest.mark.skipif(program() is None, reason=MISSING)


@pytest.fixture(scope="module", params=NAMES)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return workshop(Board.load(dialogue.BOARD), request.param, tmp_path_factory.mktemp(f"qemu-{request.param}"))


@installed
@pytest.mark.parametrize("name", dialogue.CASES)
def test_both_consoles_say_the_same(shop: Workshop, tmp_path: Path, name: str) -> None:
    twin, qemu = dialogue.both(shop, name, tmp_path)
    assert qemu.text == twin.text
    assert qemu.rates, "QEMU noted no rate of the UART"
    assert all(abs(rate - shop.board.console.baud) < shop.board.console.baud / 100 for rate in qemu.rates), qemu.rates


@pytest.fixture(scope="module", params=NAMES)
def crypto(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QemuCrypto]:
    folder = tmp_path_factory.mktemp(f"qemu-crypto-{request.param}")
    compiler: Compiler = request.param
    image = build(folder, compiler, "cm4")
    with Qemu(b"", folder) as qemu:
        yield QemuCrypto(qemu, image)


@installed
@pytest.mark.parametrize("name", CHECKS)
def test_vectors_on_the_cpu_of_qemu(crypto: QemuCrypto, name: str) -> None:
    CHECKS[name](crypto)


@pytest.mark.parametrize(
    ("instruction", "register", "size"),
    [
        ("2068", 0, 2),  # ldr r0, [r4]
        ("e669", 6, 2),  # ldr r6, [r4, #28]
        ("2360", 3, 2),  # str r3, [r4]
        ("5158", 1, 2),  # ldr r1, [r2, r1]
        ("5150", 1, 2),  # str r1, [r2, r1]
        ("d4f82c90", 9, 4),  # ldr.w r9, [r4, #44]
        ("c4f82c90", 9, 4),  # str.w r9, [r4, #44]
        ("54f825c0", 12, 4),  # ldr.w r12, [r4, r5, lsl #2]
    ],
)
def test_what_a_load_or_store_moves(instruction: str, register: int, size: int) -> None:
    """DDI0403 A7.7."""
    assert moved(bytes.fromhex(instruction).ljust(4, b"\xff")) == (register, size)


@pytest.mark.parametrize("instruction", ["2078", "2088", "54f8041b", "54f8041d", "d4e90001", "34f80010", "30bf"])
def test_other_accesses_are_refused(instruction: str) -> None:
    """ldrb, ldrh, a load that changes its base after or before, ldrd, ldrh.w, and what is no access at all."""
    with pytest.raises(AssertionError, match="no LDR or STR"):
        moved(bytes.fromhex(instruction).ljust(4, b"\0"))


@pytest.mark.parametrize(
    "states",
    [
        (0x0100_0800, 0x0100_0000),  # it eq
        (0x0100_0C00, 0x0100_1800, 0x0100_0000),  # ite eq
        (0x0300_0000, 0x0500_0000, 0x0100_0400, 0x0100_0800, 0x0100_0000),  # itttt eq
        (0x6100_0000, 0x6100_0000),  # flags alone
    ],
)
def test_behind_an_instruction_of_an_it_block(states: tuple[int, ...]) -> None:
    """xPSR at each instruction; ITSTATE is its bits 15:10 and 26:25 (DDI0403 A7.3, B1.4.2)."""
    assert [behind(state) for state in states[:-1]] == list(states[1:])
