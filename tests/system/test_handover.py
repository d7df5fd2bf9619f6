"""What an application finds when it starts (G3), and that nothing else starts it (G1, G2)."""

from __future__ import annotations

import struct

from tests.families import ALL
from tests.system.rig import Rig, Workshop, only_the_last_update_is_left

ALLOWED = {("RCC", "CR")}
"""(block, register) that may differ from the state after a reset: the twin settles PLLRDY when it is read.  Registers
that nothing but a power-on brings back are `keeps` of a family."""


def spinning_application(rig_board_image: int, stack: int) -> bytes:
    """Two vectors and `b .`: it changes nothing, so what stands there is what it was given."""
    return struct.pack("<IIH", stack, rig_board_image + 8 | 1, 0xE7FE).ljust(16, b"\xff")


def as_after_a_reset(shop: Workshop) -> None:
    """Hand over to an application that does nothing, and compare all there is with the state after a reset."""
    board, stack = shop.board, shop.board.ram.end + 0x2000
    rig = Rig(shop, app=spinning_application(shop.board.image_address, stack))
    rig.power_on()
    fresh = {name: dict(block.registers) for name, block in rig.twin.blocks.items()}
    rig.listen(b"starting 1.0.0\r\n")
    rig.twin.run(seconds=0.05)
    core = rig.twin.core
    assert core.uc.reg_read(_register("PC")) == board.image_address + 8
    assert core.uc.reg_read(_register("MSP")) == stack
    assert core.uc.reg_read(_register("CONTROL")) & 2 == 0
    assert core.uc.reg_read(_register("PRIMASK")) == 0
    assert rig.twin.nvic.registers["VTOR"] == board.image_address
    assert rig.twin.nvic.registers["CSR"] == 0
    only_the_last_update_is_left(rig)
    allowed = ALLOWED | {(block, name) for block, name in ALL[board.chip.family].standby.get("keeps", ())}
    differs = {
        (name, register): (hex(value), hex(rig.twin.blocks[name].registers[register]))
        for name, registers in fresh.items()
        for register, value in registers.items()
        if rig.twin.blocks[name].registers[register] != value and (name, register) not in allowed
    }
    assert differs == {}


def test_g3_all_is_as_after_a_reset(shop: Workshop) -> None:
    as_after_a_reset(shop)


def _register(name: str) -> int:
    from unicorn import arm_const

    return int(getattr(arm_const, f"UC_ARM_REG_{name}"))


def test_g1_nothing_unverified_starts(shop: Workshop) -> None:
    """One bit of the installed image, of its header, of its signature: the loader, not the application."""
    board = shop.board
    for off in (4, 20, 60, 75, 100, 151, board.vector_size + 9, board.vector_size + len(shop.demo("1.0.0")) - 1):
        rig = Rig(shop)
        address = board.slot0.address + off
        rig.twin.flash_load(address, bytes([rig.twin.flash_read(address, 1)[0] ^ 0x40]))
        rig.power_on()
        rig.listen(b"no valid firmware in SLOT0")
        assert not rig.twin.run(until=b"starting", seconds=2)


def test_g2_a_half_done_install_goes_on_before_the_loader(shop: Workshop) -> None:
    from spboot.twin import Cut, PowerCut

    rig = Rig(shop)
    rig.enter_loader()
    rig.send(shop.image("1.1.0"))
    rig.listen(b"reset by")
    rig.twin.arm(Cut(at=100, when="torn"))
    try:
        rig.listen()
        raise AssertionError("the cut did not happen")
    except PowerCut:
        pass
    rig.enter_loader()
    assert rig.heard.index(b"] on trial\r", rig.heard.rindex(b"power on")) < rig.heard.rindex(b"loader: send")
    rig.listen(b"demo 1.1.0 on", seconds=90)
