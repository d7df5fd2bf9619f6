"""chips/families/*.toml and firmware/driver/drivers.toml: all load, and what is wrong in one is said with its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot import chips
from spboot.builder import drivers
from spboot.chips import family
from spboot.chips.place import place_at
from spboot.errors import BoardError, BuildError

GOOD = (family.FOLDER / "STM32G4.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", chips.families())
def test_every_family_loads(name: str) -> None:
    facts = family.load(name)
    assert "others" in facts.ports.reset
    assert facts.vector_size >= 0x200 and facts.vector_size & facts.vector_size - 1 == 0
    for part in chips.names():
        chip = chips.load(part)
        if chip.family == name:
            assert facts.clock(part).usual_mhz <= facts.clock(part).limit_mhz
            last = max(number for block in chip.blocks.values() for number in block.interrupts.values())
            assert (16 + last + 1) * 4 <= facts.vector_size, part


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('manual = "RM0440"\n', "", "STM32G4.toml: manual is missing"),
        ("vector_size =", "vector_sise =", "STM32G4.toml: vector_size is missing"),
        ("[exti]", "[extii]", "unknown key extii; expected some of beyond, block, clock, exti, "),
        ("limit_mhz = 170", "limit_mhz = 170\nmost = 1", "unexpected keyword argument 'most'"),
        ("package = ", "pack = ", "unexpected keyword argument 'pack'"),
        ("brr = true\n", "", "missing 1 required keyword-only argument: 'brr'"),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, message: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(BoardError) as error:
        family.parse("STM32G4", GOOD.replace(old, new))
    assert message in str(error.value)


def test_what_is_not_there() -> None:
    with pytest.raises(BoardError, match=r"STM32X9.toml: there is no such file; it describes family STM32X9"):
        family.load("STM32X9")
    with pytest.raises(BoardError, match=r"STM32X9AB: its clocks are not known; add \[\[clock\]\] to .*STM32G4.toml"):
        family.load("STM32G4").clock("STM32X9AB")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("iwdg_v1.c", "iwdg_v9.c", "drivers.toml: there is no file iwdg_v9.c"),
        ("flash_l0 = 64", "flash_x0 = 64", "drivers.toml: write_size of flash_x0, which has no driver"),
    ],
)
def test_drivers_that_are_not_there(
    old: str, new: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "driver"
    folder.mkdir()
    for path in (drivers.data_path("firmware") / "driver").iterdir():
        text = path.read_text(encoding="utf-8")
        (folder / path.name).write_text(text.replace(old, new) if path.suffix == ".toml" else "", encoding="utf-8")
    monkeypatch.setattr(drivers, "data_path", lambda _: tmp_path)
    with pytest.raises(BuildError, match=message):
        drivers.drivers.__wrapped__()


@pytest.mark.parametrize(
    ("part", "address"),
    [
        ("STM32H563ZI", 0x08FF_F000),  # OTP
        ("STM32H563ZI", 0x0900_0000),  # high-cycle data
        ("STM32U575ZI", 0x0BFA_0000),  # OTP
        ("STM32L562QE", 0x0BF9_0000),
        ("STM32L476RG", 0x1FFF_7800),
    ],
)
def test_system_memory_is_called_so(part: str, address: int) -> None:
    found = place_at(chips.load(part), address)
    assert found is not None and found.what.startswith("system memory")
    assert place_at(chips.load("STM32L476RG"), 0x0900_0000) is None
