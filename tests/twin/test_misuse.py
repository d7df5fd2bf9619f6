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
from tests.families import ALL

from .conftest import finish, out, twin_of
from .misuse import FACTS, KINDS, Case, cases_of, check, kinds_of


def test_no_field_is_missing() -> None:
    """Each kind on each family has cases, or a reason that names the manual; a case names its place in it."""
    for name, facts in ALL.items():
        table, none = facts.misuse, facts.misuse.get("none", {})
        assert set(table) >= FACTS - {"none", "keys_fault"}, name
        for kind in KINDS:
            assert (kind in table) != (kind in none), (name, kind)
        assert all(facts.manual in reason for reason in none.values()), name
        for kind in kinds_of(name):
            for case in cases_of(name, kind):
                assert re.fullmatch(r"\d+(\.\d+)+|[A-Z]+_[A-Z0-9]+|PM0223 2\.3\.4", case.of), (kind, name, case.of)
                assert set(case.flags) <= set(table["flags"]), (kind, name)


CASES = [
    pytest.param(kind, name, case, id=f"{kind}-{name}-{ALL[name].manual} {case.of}-{number}".replace(" ", "-"))
    for name in ALL
    for kind in kinds_of(name)
    for number, case in enumerate(cases_of(name, kind))
]


@pytest.mark.parametrize(("kind", "name", "case"), CASES)
def test_misuse(kind: str, name: str, case: Case) -> None:
    check(name, case, locked=kind == KINDS[0])


@pytest.mark.parametrize("wrong", ["1", "first, 1", "second, first", "first, second, first"])
@pytest.mark.parametrize("name", ALL)
def test_a_wrong_sequence_of_keys_is_a_bus_fault_and_locks_until_reset(name: str, wrong: str) -> None:
    """Unlocking, of the first row: RM0351 3.3.5, RM0367 3.3.4, RM0090 3.6.1, RM0399 4.5.1 (a third key, too)."""
    register, first, second = ALL[name].misuse["keys"]
    lock = ALL[name].misuse["locked"]
    keys = [str({"first": first, "second": second}.get(key, key)) for key in wrong.split(", ")]
    twin = twin_of(
        f"""void hard(void) {{ OUT[1]++; }}
        void main_(void) {{ if (OUT[2] != 7) {{ OUT[1] = 0; {" ".join(f"{register} = {key}u;" for key in keys)} }}
            OUT[2] = OUT[2] == 7 ? 8 : 7; unlock(); OUT[0] = {lock}; }}""",
        ALL[name].part,
    )
    finish(twin)
    assert out(twin, 0) == 1
    assert ((faults := out(twin, 1)) >= 1) == ALL[name].misuse.get("keys_fault", True)
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
    return lambda m, at, size, value: was(m, m._first[0] + len(m._first[1]) if m._first else at, size, value)


def _any_width(was: Method) -> Method:
    return lambda m, at, _size, value: was(m, at, 1 << m._psize(), value)


def _half_way(was: Method) -> Method:
    return lambda m, bank, page, span: was(m, bank, page // 2, span)


CARELESS: dict[str, tuple[str, type, str, Callable[[Method], Method]]] = {
    "program without unlock": ("STM32L4", FlashEcc, "reset", _unlocked),
    "wrong width": ("STM32F4", FlashF4, "store", _any_width),
    "non-erased unit": ("STM32WL", FlashArray, "get", lambda _: lambda _m, _at, size: b"\xff" * size),
    "misaligned": ("STM32L5", FlashEcc, "store", lambda was: lambda m, at, size, value: was(m, at & ~7, size, value)),
    "second program of an ECC unit": ("STM32G0", FlashArray, "get", lambda _: lambda _m, _at, size: b"\xff" * size),
    "clock off": ("STM32F7", Bus, "_block", lambda _: lambda m, at: m.blocks[at >> 10]),
    "access above memory": ("STM32H7", Twin, "power_on", _more_memory),
    "bank crossing": ("STM32L4+", FlashEcc, "store", _any_second),
    "wrong sector number": ("STM32L4", FlashEcc, "_erase_page", _half_way),
}  # fmt: skip
"""Kind -> family, class, method, and what makes of the method one that lets this misuse pass."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_careless_model_is_noticed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first case of each row fails when its model is broken; unbroken it is part of test_misuse."""
    name, owner, method, careless = CARELESS[kind]
    monkeypatch.setattr(owner, method, careless(getattr(owner, method)))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(name, cases_of(name, kind)[0], locked=kind == KINDS[0])
