"""budgets.toml against the linked bootloader of both compilers: worse is a failing test."""

from __future__ import annotations

import ctypes
import tomllib
from pathlib import Path

import pytest
from unicorn import arm_const

from spboot import release
from spboot.formats.spec import spec
from spboot.twin.measure.callee import Callee
from tests.crypto.verifier import WORK_SIZE
from tests.system.rig import GOOD, Rig, Workshop, functions

pytestmark = pytest.mark.both_compilers

ROOT = Path(__file__).resolve().parents[2]
EVERY = tomllib.loads((ROOT / "budgets.toml").read_text())
BUDGETS = EVERY["NUCLEO-L476RG"]
README = (ROOT / "README.md").read_text()
FILL = 0xA5


def stack_top(shop: Workshop) -> int:
    return functions(shop).symbols["spb_stack_top"]


def lowest(rig: Rig, top: int) -> int:
    """Bytes of stack used since the RAM was painted."""
    base = rig.board.ram.address
    used = rig.twin.ram_used(base, top)
    assert used, "nothing ran on this stack"
    assert used[0][0] > base, "the stack is used up"
    return top - used[0][0]


def paint(rig: Rig, top: int) -> None:
    """Paint the stack under a running application."""
    ram = rig.twin.rams.buffers[rig.board.ram.address]
    ctypes.memset(ram, FILL, top - rig.board.ram.address)


def test_flash(shop: Workshop) -> None:
    assert shop.boot.size <= BUDGETS["flash"]


def test_reserved_ram(shop: Workshop) -> None:
    symbols = functions(shop).symbols
    assert symbols["spb_ram_end"] - symbols["spb_ram_start"] == shop.board.ram.size <= BUDGETS["reserved_ram"]
    assert symbols["spb_last_update"] - symbols["spb_bss_end"] >= BUDGETS["ram_free"]


def stacks(shop: Workshop) -> tuple[int, int]:
    """Bytes of stack of the bootloader, and of a call, for which there is room."""
    top = stack_top(shop)
    rig = Rig(shop)
    rig.twin.power_on(ram_fill=FILL)
    rig.listen(b"spboot")  # the stack was wiped before
    paint(rig, rig.twin.core.get(arm_const.UC_ARM_REG_SP))
    rig.call("loader")
    rig.send(shop.image("1.1.0"))
    rig.listen(b" changed pages: ")
    boot = lowest(rig, top)
    rig.listen(b"spboot")
    paint(rig, rig.twin.core.get(arm_const.UC_ARM_REG_SP))
    rig.listen(b"] on trial\r")
    boot = max(boot, lowest(rig, top))
    rig.listen()
    paint(rig, top)
    rig.ask_application()
    rig.send(shop.patch("1.1.0", "1.2.0"))
    rig.twin.run(until=b"resetting", seconds=5)
    engine = lowest(rig, top)
    print(f"stack: {boot} bytes in the bootloader, {engine} in a call")
    assert boot <= top - rig.board.ram.address
    frames = 64 if rig.board.chip.core == "cm0p" else 200
    assert engine + frames + 64 <= top - rig.board.ram.address, "room for an interrupt, a task switch and a sentence"
    return boot, engine


def test_stack(shop: Workshop) -> None:
    boot, engine = stacks(shop)
    assert boot <= BUDGETS["stack_boot"]
    assert engine <= BUDGETS["stack_engine"]
    said = f"{boot} / {engine}"
    assert (f"(GCC: {said}) of" if shop.compiler == "gcc" else f"API call | {said} bytes") in README


def test_signature_check(shop: Workshop) -> None:
    """The mean of ten: cycles depend a little on the scalars."""
    boot = functions(shop)
    cycles = []
    for patch in range(10):
        data = shop.wrap(shop.demo("1.0.0"), f"1.0.{patch}")
        header, work = boot.allocate(release.header_for(data)), boot.allocate(WORK_SIZE)
        result = boot.call("spb_header_verify", header, work)
        assert result.r0 == GOOD
        cycles.append(result.cycles)
    print(f"signature check: {sum(cycles) // 10} cycles, {max(cycles)} at most, {result.stack} bytes of stack")
    assert sum(cycles) // 10 <= BUDGETS["verify_cycles"]
    boot.write(header + 90, bytes([boot.read(header + 90, 1)[0] ^ 1]))
    assert boot.call("spb_header_verify", header, work).r0 != GOOD


def test_image_hash(shop: Workshop) -> None:
    boot = functions(shop)
    size = 1 << 15
    state, data = boot.allocate(256), boot.allocate(bytes(size))
    per_byte = boot.call("spb_sha256_update", state, data, size).cycles / size
    print(f"hash: {per_byte:.1f} cycles per byte")
    assert per_byte <= BUDGETS["hash_cycles_per_byte"]


def cipher_cycles_per_byte(boot: Callee) -> float:
    """Of a whole chunk."""
    size = spec()["chunk"]["data_size"]
    boot.release()
    key, nonce, data = (boot.allocate(bytes(n)) for n in (16, 12, size))
    return boot.call("spb_aes128_ctr", key, nonce, 0, data, size).cycles / size


def test_cipher(shop: Workshop) -> None:
    per_byte = cipher_cycles_per_byte(functions(shop))
    print(f"cipher: {per_byte:.1f} cycles per byte")
    assert (f"(GCC: {per_byte:.0f})" if shop.compiler == "gcc" else f"AES-128 | {per_byte:.0f} cycles") in README
    assert per_byte <= EVERY["aes_cycles_per_byte"][shop.board.chip.core]


def test_version_only_patch(shop: Workshop) -> None:
    assert len(shop.patch("1.1.0", "1.2.0")) <= BUDGETS["version_only_patch"]


def test_the_readme_has_these_numbers(shop: Workshop) -> None:
    if shop.compiler == "gcc":
        assert f"(GCC: {shop.boot.size:,})" in README
        return
    rig = Rig(shop, "1.1.0")
    rig.boot()
    rig.ask_application()
    rig.send(shop.patch("1.1.0", "1.2.0"))
    rig.listen()
    erased = [rig.erases(area) for area in (shop.board.slot1, shop.board.slot0, shop.board.journal)]
    plural = "s" if erased[0] > 1 else ""
    for cell in (
        f"bootloader in flash | {shop.boot.size:,} bytes",
        f"{len(shop.patch('1.1.0', '1.2.0'))} bytes for {len(shop.demo('1.2.0')):,} of firmware",
        f"its full image | {len(shop.image('1.1.0')):,} bytes",
        f"{erased[0]} page{plural} erased in SLOT1, {erased[1]} in SLOT0, {erased[2]} in the journal",
    ):
        assert f"| {cell} " in README


@pytest.mark.parametrize("name", sorted(BUDGETS))
def test_every_budget_is_measured(name: str) -> None:
    sources = (Path(__file__), Path(__file__).with_name("test_edges.py"))
    assert any(f'["{name}"]' in source.read_text() for source in sources)
