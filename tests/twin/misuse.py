"""Misuse: nine kinds of it on each family, and what the manual says comes of it; the table `misuse` of tests/families.

A kind has cases or, in `none`, the reason why a family has none.  In code, AT is an erased place, MIDDLE the first
address of bank 2, END the first one behind flash; `unlock();` comes first in all but the first kind.  What the flags do
beside the nine kinds is there as well, where a family has it.

*of* says where the manual has it: a section, or a register's description by the register's name where sections
differ by revision.  Where a manual is silent the twin stops and says so: it invents no flag."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from spboot.errors import TwinError
from spboot.twin import Twin
from tests.families import ALL

from .conftest import finish, out, twin_of

KINDS = (
    "program without unlock", "wrong width", "non-erased unit", "misaligned", "second program of an ECC unit",
    "clock off", "access above memory", "bank crossing", "wrong sector number",
)  # fmt: skip
FACTS = frozenset({"at", "status", "keys", "keys_fault", "locked", "flags", "none"})
"""Keys of the table beside the kinds: where AT is, how the flags are read and what each is, the keys and the lock."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """*code* is run; then the flags are *flags*, or the twin stopped with *refused*, or the access to *fault* faulted.
    *before* is put at AT first, *after* stands there at the end (all in hex; without it, what stood there before)."""

    code: str
    of: str
    flags: tuple[str, ...] = ()
    refused: str = ""
    fault: str = ""
    before: str = ""
    after: str = ""
    part: str = ""
    """Another part than the family's."""


EXCEPTION = "hard"
"""A *fault* that has no address: the core raises it itself."""


def cases_of(name: str, kind: str) -> tuple[Case, ...]:
    """The cases of family *name*."""
    return tuple(Case(**row) for row in ALL[name].misuse.get(kind, ()))


def kinds_of(name: str) -> list[str]:
    """The kinds that family *name* has cases of, those beside the nine included."""
    return [kind for kind in ALL[name].misuse if kind not in FACTS]


PROBE = """static void probe(uint32_t address)
{ REG(0xe000ed14) |= 0x100; __asm volatile("cpsid f");
    (void)REG(address); __asm volatile("dsb"); SCB_CFSR = ~0u;
    REG(0xe000ed14) &= ~0x100u; __asm volatile("cpsie f"); }"""


def check(name: str, case: Case, *, locked: bool = False) -> None:
    """Run *case* on family *name* and compare what comes of it; *locked*: without unlocking first."""
    family, facts = ALL[name], ALL[name].misuse
    part = case.part or family.part
    bare = Twin(part).flash
    middle = bare.address + bare.bank_size
    places = {
        "AT": facts["at"] if not case.part else bare.address + 0x8000,
        "MIDDLE": middle,
        "END": bare.address + bare.size,
    }
    defines = "".join(f"#define {word} {value:#x}u\n" for word, value in places.items())
    unlock = "" if locked else "unlock();"
    twin = twin_of(
        f"{defines}{PROBE if 'probe(' in case.code else ''}\nvoid hard(void) {{ OUT[2] = 7; for (;;) {{}} }}\n"
        f'void main_(void) {{ {unlock} {case.code} __asm volatile("dsb"); OUT[0] = {facts["status"]};'
        " for (volatile int i = 0; i < 99; i++) {} }",
        part,
    )
    before = bytes.fromhex(case.before) or bytes([family.erased]) * 8
    twin.flash_load(places["AT"], before)
    if case.refused:
        with pytest.raises(TwinError, match=case.refused) as caught:
            twin.run(seconds=3)
        assert "PC 0x0800" in str(caught.value)
    elif case.fault:
        twin.run(seconds=0.01)
        assert out(twin, 2) == 7
        assert case.fault == EXCEPTION or [fault.address for fault in twin.faults] == [places[case.fault]]
    else:
        finish(twin, 3)
        assert out(twin) == sum(facts["flags"][flag] for flag in case.flags)
        if set(case.flags) - {"EOP", "OPERR", "WBNE", "WDW"}:
            assert twin.flash_controller.refusals, "a flag, and no word about it"
    after = bytes.fromhex(case.after) or before
    assert twin.flash_read(places["AT"], len(after)) == after
