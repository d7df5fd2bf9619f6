"""What `spboot.twin.core` relies on in unicorn; U numbers stand in its docstring."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spboot.twin import Twin

from .conftest import OUT, finish, out

Make = Callable[[str], Twin]
NOTHING = "void main_(void) {}"


def asm(text: str) -> str:
    """main_() in assembler."""
    lines = "\\n".join(line.strip() for line in text.split(";"))
    return f'__attribute__((naked)) void main_(void) {{ __asm volatile(".syntax unified\\n{lines}\\nbx lr\\n"); }}'


def test_u1_the_core_is_an_m4(make: Make) -> None:
    """A Cortex-M33 would return from exceptions by another interrupt number, and would execute TT."""
    twin = make("void hard(void) { OUT[0] = SCB_CFSR; DONE = 1; for (;;) {} }" + asm(".short 0xe840, 0xf000"))
    finish(twin)
    assert out(twin) == 1 << 16  # UNDEFINSTR


def test_u1_dsp_and_fpu_are_there(make: Make) -> None:
    source = """
    void main_(void) {
        SCB_CPACR |= 0xf << 20;
        uint32_t low = 2, high = 3, a = 5, b = 7; float f = 1.5f;
        __asm volatile("umaal %0, %1, %2, %3" : "+r"(low), "+r"(high) : "r"(a), "r"(b));
        __asm volatile("vadd.f32 %0, %0, %0" : "+t"(f));
        OUT[0] = low; OUT[1] = (uint32_t)f;
    }"""
    twin = make(source)
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (40, 3)


def test_u3_a_hook_in_an_it_block_does_not_skip_what_follows(make: Make) -> None:
    """A store to flash in an IT block (WRITE_PROT hook): the instructions behind the block still run."""
    text = """ldr r1, =0x080f0000; movs r0, #1; movs r2, #0; movs r3, #0; cmp r0, #1; itt eq; streq r0, [r1];
        moveq r2, #7; movs r3, #9; ldr r1, =0x20000100; str r2, [r1]; str r3, [r1, #4]"""
    twin = make(asm(text))
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (7, 9)


def test_u4_flash_is_read_only(make: Make) -> None:
    twin = make("void main_(void) { REG(0x080f0000) = 0; OUT[0] = REG(0x080f0000); }")
    finish(twin)
    assert out(twin) == 0xFFFFFFFF
    assert twin.flash_read(0x080F0000, 4) == b"\xff" * 4


def test_u5_code_that_was_reprogrammed_runs_new(make: Make) -> None:
    """The function at 0x080f0000 returns 1, is erased and programmed to return 2."""
    source = """
    static uint32_t call(void) { return ((uint32_t (*)(void))0x080f0001)(); }
    void main_(void) {
        OUT[0] = call(); unlock(); erase(1, 224); program(0x080f0000, 0x47702002, 0xbf00bf00); OUT[1] = call();
    }"""
    twin = make(source)
    twin.flash_load(0x080F0000, bytes.fromhex("0120 7047 00bf 00bf"))
    finish(twin)
    assert (out(twin, 0), out(twin, 1)) == (1, 2)


def test_u6_a_reset_leaves_unprivileged_mode(make: Make) -> None:
    twin = make(asm("movs r0, #1; msr control, r0; isb; 1: b 1b"))
    twin.run(seconds=0.001)
    assert not twin.cpu.privileged
    twin.reset("pin")
    assert twin.cpu.privileged


@pytest.mark.parametrize("hint", ["wfe", "sev", "yield", "nop"])
def test_u7_hints_are_passed(make: Make, hint: str) -> None:
    twin = make(asm(f"{hint}; ldr r1, =0x20000100; movs r0, #5; str r0, [r1]"))
    finish(twin)
    assert out(twin) == 5
    assert not twin.faults


def test_u7_wfi_sleeps_until_an_interrupt(make: Make) -> None:
    """Ten SysTick periods pass, nearly all of them asleep."""
    source = """
    void tick(void) { OUT[0]++; }
    void main_(void) { SYST_RVR = 3999; SYST_CVR = 0; SYST_CSR = 7; while (OUT[0] < 10) __asm volatile("wfi"); }"""
    twin = make("static void clear(void) { OUT[0] = 0; }" + source.replace("{ SYST_RVR", "{ clear(); SYST_RVR", 1))
    finish(twin)
    assert 0.010 <= twin.time < 0.0111  # seen at the end of a slice, when the eleventh tick is due
    assert twin.idle > 0.009


def test_u9_a_slice_ends_right_after_the_access_that_asked_for_it(make: Make) -> None:
    """A reset request: no instruction after the store is executed."""
    twin = make("void main_(void) { OUT[0] = 1; SCB_AIRCR = 0x05fa0004; OUT[0] = 2; for (;;) {} }")
    twin.run(instructions=20)
    assert out(twin) == 1


def test_u9_instructions_are_counted_exactly(make: Make) -> None:
    twin = make(asm("1: adds r0, #1; b 1b"))
    for count in (1, 2, 3, 1000, 4000, 4001, 12345):
        before = twin.instructions
        twin.run(instructions=count)
        assert twin.instructions - before == count


def test_u10_the_pc_in_messages_is_the_instruction(make: Make) -> None:
    twin = make(asm("ldr r1, =0x40004400; nop; nop; ldr r0, [r1]"))
    with pytest.raises(Exception, match="clock of USART2 is off") as caught:
        twin.run()
    where = int(str(caught.value).split("PC ")[1][:10], 16)
    assert twin.flash_read(where, 2) == bytes.fromhex("0868")  # ldr r0, [r1]


def test_bit_band_aliases(make: Make) -> None:
    """PM0214 2.2.5."""
    source = """void main_(void) {
        OUT[0] = 0; REG(0x22000000 + 0x100 * 32 + 5 * 4) = 1; OUT[1] = REG(0x22000000 + 0x100 * 32 + 5 * 4);
        REG(0x42000000 + 0x2104c * 32 + 0 * 4) = 1; OUT[2] = RCC_AHB2ENR; }"""
    twin = make(source)
    finish(twin)
    assert [out(twin, i) for i in range(3)] == [32, 1, 1]


def test_ram_alias_of_flash_at_0(make: Make) -> None:
    twin = make("void main_(void) { OUT[0] = REG(0); OUT[1] = REG(0x08000000); }")
    finish(twin)
    assert out(twin, 0) == out(twin, 1) == 0x20008000


def test_ram_is_garbage_at_power_on_and_kept_by_a_reset() -> None:
    twin = Twin("STM32L476RG", seed=3)
    twin.flash_load(0x08000000, b"\0\x80\0\x20\x09\0\0\x08\xfe\xe7\xfe\xe7")
    twin.power_on()
    first = twin.ram_read(OUT, 64)
    twin.reset("pin")
    assert twin.ram_read(OUT, 64) == first
    twin.power_on()
    assert twin.ram_read(OUT, 64) != first
    again = Twin("STM32L476RG", seed=3)
    again.flash_load(0x08000000, b"\0\x80\0\x20\x09\0\0\x08\xfe\xe7\xfe\xe7")
    again.power_on()
    assert again.ram_read(OUT, 64) == first


def test_painted_ram_shows_what_was_touched(make: Make) -> None:
    twin = make("void main_(void) { OUT[3] = 1; }")
    twin.power_on(ram_fill=0xA5)
    finish(twin)
    used = twin.ram_used(0x20000000, 0x20008000)
    assert (0x200000F0, 0x200000F4) in used
    assert (0x2000010C, 0x20000110) in used
