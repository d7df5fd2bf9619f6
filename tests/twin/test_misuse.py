"""The table of misuse on the twin: each case of each field, that no field is missing, and that a wrong model fails."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any

import pytest

from spboot.twin import Twin
from spboot.twin.bus import Bus
from spboot.twin.flash.ecc import FlashEcc
from spboot.twin.flash.f4 import FlashF4
from spboot.twin.memory.cells import FlashArray

from .conftest import finish, out, twin_of
from .misuse import FAMILIES, OTHER, TABLE, Case, Field, check

KINDS = (
    "program without unlock", "wrong width", "non-erased unit", "misaligned", "second program of an ECC unit",
    "clock off", "access above memory", "bank crossing", "wrong sector number",
)  # fmt: skip
COLUMNS = ("L0", "L4", "L4+", "L5", "G0", "G4", "WL", "F4", "F7", "H7")


def test_no_field_is_missing() -> None:
    """Each kind on each family has cases, or a reason that names the manual; a case names its place in it."""
    assert tuple(TABLE) == KINDS
    assert tuple(FAMILIES) == COLUMNS
    for kind, row in TABLE.items():
        assert sorted(row) == sorted(COLUMNS), kind
        for name, field in row.items():
            assert field, (kind, name)
            assert not isinstance(field, str) or FAMILIES[name].manual in field, (kind, name)
            for case in field if isinstance(field, tuple) else ():
                assert re.fullmatch(r"\d+(\.\d+)+|[A-Z]+_[A-Z0-9]+|PM0223 2\.3\.4", case.of), (kind, name, case.of)


def cases(table: dict[str, dict[str, Field]]) -> list[Any]:
    return [
        pytest.param(kind, name, case, id=f"{kind}-{name}-{FAMILIES[name].manual} {case.of}-{number}".replace(" ", "-"))
        for kind, row in table.items()
        for name, field in row.items()
        for number, case in enumerate(field if isinstance(field, tuple) else ())
    ]


@pytest.mark.parametrize(("kind", "name", "case"), cases(TABLE) + cases(OTHER))
def test_misuse(kind: str, name: str, case: Case) -> None:
    check(name, case, locked=kind == KINDS[0])


KEYS = {
    "L0": ("FLASH_PEKEYR", 0x89ABCDEF, 0x02030405, "FLASH_PECR & 1"),
    **dict.fromkeys(COLUMNS[1:9], ("FLASH_KEYR", 0x45670123, 0xCDEF89AB, "FLASH_CR >> 31")),
    "H7": ("FLASH_KEYR2", 0x45670123, 0xCDEF89AB, "FLASH_CR2 & 1"),
}


@pytest.mark.parametrize("wrong", ["1", "first, 1", "second, first", "first, second, first"])
@pytest.mark.parametrize("name", COLUMNS)
def test_a_wrong_sequence_of_keys_is_a_bus_fault_and_locks_until_reset(name: str, wrong: str) -> None:
    """Unlocking, of the first row: RM0351 3.3.5, RM0367 3.3.4, RM0090 3.6.1, RM0399 4.5.1 (a third key, too)."""
    register, first, second, lock = KEYS[name]
    keys = [str({"first": first, "second": second}.get(key, key)) for key in wrong.split(", ")]
    twin = twin_of(
        f"""void hard(void) {{ OUT[1]++; }}
        void main_(void) {{ if (OUT[2] != 7) {{ OUT[1] = 0; {" ".join(f"{register} = {key}u;" for key in keys)} }}
            OUT[2] = OUT[2] == 7 ? 8 : 7; unlock(); OUT[0] = {lock}; }}""",
        FAMILIES[name].part,
    )
    finish(twin)
    assert out(twin, 0) == 1
    assert (faults := out(twin, 1)) >= 1
    twin.reset("pin")
    twin.run(seconds=0.01)
    assert (out(twin, 0), out(twin, 1), out(twin, 2)) == (0, faults, 8)


Method = Callable[..., Any]


def _unlocked(was: Method) -> Method:
    """PG from the start."""

    def reset(controller: Any) -> None:
        was(controller)
        controller.registers["CR"] = 1

    return reset


def _more_memory(was: Method) -> Method:
    def power_on(twin: Twin) -> None:
        twin.core.map_buffer(twin.flash.address + twin.flash.size, (ctypes.c_ubyte * 4096)(), writable=True)
        was(twin)

    return power_on


def _any_second(was: Method) -> Method:
    return lambda m, at, size, value: was(m, m._first[0] + 4 if m._first else at, size, value)


CARELESS: dict[str, tuple[str, type, str, Callable[[Method], Method]]] = {
    "program without unlock": ("L4", FlashEcc, "reset", _unlocked),
    "wrong width": ("F4", FlashF4, "store", lambda was: lambda m, at, _size, value: was(m, at, 1 << m._psize(), value)),
    "non-erased unit": ("WL", FlashArray, "get", lambda _: lambda _m, _at, size: b"\xff" * size),
    "misaligned": ("L5", FlashEcc, "store", lambda was: lambda m, at, size, value: was(m, at & ~7, size, value)),
    "second program of an ECC unit": ("G0", FlashArray, "get", lambda _: lambda _m, _at, size: b"\xff" * size),
    "clock off": ("F7", Bus, "_block", lambda _: lambda m, at: m.blocks[at >> 10]),
    "access above memory": ("H7", Twin, "power_on", _more_memory),
    "bank crossing": ("L4+", FlashEcc, "store", _any_second),
    "wrong sector number": ("L4", FlashEcc, "_erase_page", lambda was: lambda m, bank, page: was(m, bank, page - 32)),
}  # fmt: skip
"""Kind -> family, class, method, and what makes of the method one that lets this misuse pass."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_careless_model_is_noticed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first case of each row fails when its model is broken; unbroken it is part of test_misuse."""
    name, owner, method, careless = CARELESS[kind]
    field = TABLE[kind][name]
    assert isinstance(field, tuple)
    monkeypatch.setattr(owner, method, careless(getattr(owner, method)))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(name, field[0], locked=kind == KINDS[0])
