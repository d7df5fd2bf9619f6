"""The public functions (spboot.h), called on the shipped bootloader by an application: feeder.c."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from spboot.builder import personal
from spboot.builder.bootloader import boot_version
from spboot.builder.compiler import NAMES
from spboot.errors import BuildError
from tests.system.feeder import (
    CODES,
    COMMAND,
    GATES,
    IMMEDIATE,
    NEXT,
    SENTENCES,
    SUCCESS,
    Feeder,
    Mode,
    Stage,
    Status,
    feeder_app,
)
from tests.system.rig import Workshop

SIZES = {
    "enums": (4, 4, 4, 4, 4),
    "bool": (1,),
    "SE_PATCH_StartInfo": (12, 0, 4, 8),
    "SE_PATCH_Status": (20, 0, 1, 4, 8, 12, 16),
    "SE_APP_ActiveFwInfo": (40, 0, 4, 8),
}
FRAME = 36  # of an interrupt, with the word that aligns it
PROMISED_STACK = 64
PRINTING_STACK = 160


def refused(feeder: Feeder, code: str, stage: Stage) -> None:
    status = feeder.status
    assert (feeder.last.result, status.completed, status.error, status.code) == (0, 0, 1, code)
    assert status.stage == stage


def updated(feeder: Feeder) -> bool:
    """Whether a reset brings 1.1.0; otherwise it must bring 1.0.0, untouched."""
    if b"feeder 1.1.0 ready" in feeder.reset():
        return True
    assert feeder.twin.flash_read(feeder.shop.board.image_address, len(feeder.app)) == feeder.app
    return False


@pytest.mark.parametrize("application", NAMES)
def test_an_application_of_one_compiler_on_a_bootloader_of_the_other(shop: Workshop, application: str) -> None:
    feeder = Feeder(shop, compiler=application)
    assert feeder.facts[6:] == tuple(number for sizes in SIZES.values() for number in sizes)
    patch = feeder.patch(feeder_app(shop, "1.1.0", application))
    assert feeder.init(total=len(patch)) == Status(1, 0, "COMPLETED", Stage.UPDATE, 0, 0)
    assert feeder.data(patch) == Status(1, 0, "COMPLETED", Stage.VERIFIED, len(patch), len(patch))
    assert feeder.simple("InstallAtNextReset").code == "COMPLETED"
    assert updated(feeder)


def test_init_checks_its_arguments(feeder: Feeder) -> None:
    for kind, delay, total, code in (
        (2, NEXT, 0, "INVALID_ARG"),
        (0x7FFFFFFF, NEXT, 0, "INVALID_ARG"),
        (1, 2, 0, "INVALID_ARG"),
        (1, 0xFFFE, 0, "INVALID_ARG"),
        (1, COMMAND, 2 * feeder.shop.board.slot0.size + 1, "IMAGE_TOO_LARGE"),
        (1, COMMAND, 0xFFFFFFFF, "IMAGE_TOO_LARGE"),
    ):
        feeder.init(kind=kind, delay=delay, total=total)
        refused(feeder, code, Stage.IDLE)
    feeder.call("SE_PATCH_Init", feeder.scratch, 0)
    refused(feeder, "INVALID_ARG", Stage.IDLE)
    for kind, delay in ((0, IMMEDIATE), (1, NEXT), (1, COMMAND)):
        assert feeder.init(kind=kind, delay=delay).stage == Stage.UPDATE
        assert feeder.simple("Abort").stage == Stage.IDLE
    assert not len(feeder.twin.log)


def test_a_null_status_is_refused_everywhere(feeder: Feeder) -> None:
    """SE_PATCH_SetStack has none: there 0 is the stack."""
    answers = {name: feeder.call(name, 0, feeder.scratch, 16) for name in GATES}
    for name in ("SE_PATCH_InitStatus", "SE_PATCH_PrintStatus", "SE_PATCH_GetStatusCodeString"):
        answers.pop(name)  # they have no result
    assert answers.pop("SE_PATCH_SetStack") == SUCCESS
    assert not any(answers.values()), answers
    assert feeder.simple("Poll") == Status(0, 0, "NONE", Stage.IDLE, 0, 0)
    assert not feeder.twin.faults


def test_calls_out_of_order(feeder: Feeder) -> None:
    patch = feeder.patch()
    feeder.data(patch)
    refused(feeder, "INVALID_STATE", Stage.IDLE)
    feeder.simple("InstallAtNextReset")
    refused(feeder, "INVALID_STATE", Stage.IDLE)
    assert feeder.simple("Abort") == Status(1, 0, "COMPLETED", Stage.IDLE, 0, 0)
    feeder.init()
    feeder.init()
    refused(feeder, "INVALID_STATE", Stage.UPDATE)
    feeder.call("SE_PATCH_Data", feeder.scratch, 0, 1)
    refused(feeder, "INVALID_ARG", Stage.UPDATE)
    assert feeder.call("SE_PATCH_Data", feeder.scratch, 0, 0) == SUCCESS
    assert feeder.data(patch).stage == Stage.VERIFIED  # none of these calls spoilt it
    feeder.init()
    refused(feeder, "INVALID_STATE", Stage.VERIFIED)
    feeder.data(patch)
    refused(feeder, "INVALID_STATE", Stage.VERIFIED)
    assert feeder.simple("InstallAtNextReset").code == "COMPLETED"
    programs = len(feeder.twin.log)
    assert feeder.simple("InstallAtNextReset").code == "COMPLETED"
    assert len(feeder.twin.log) == programs, "a second mark is written nowhere"
    assert updated(feeder)


def test_install_before_the_end_is_too_few_bytes(feeder: Feeder) -> None:
    feeder.init()
    feeder.data(feeder.patch()[:-1])
    feeder.simple("InstallAtNextReset")
    refused(feeder, "TOO_FEW_BYTES", Stage.IDLE)
    assert not updated(feeder)


def test_delay_immediate_resets_by_itself(feeder: Feeder) -> None:
    patch = feeder.patch()
    feeder.init(delay=IMMEDIATE)
    feeder.load(patch)
    start = len(feeder.uart.output)
    feeder.call_without_return("SE_PATCH_Data", feeder.scratch, feeder.buffer + 1, len(patch))
    text = feeder.rig.listen(b"ready\r\n")
    assert bytes(feeder.uart.output[start:]).startswith(b"\r\n["), "no word of the old application any more"
    assert b"reset by power on/software\r" in text
    assert b"feeder 1.1.0 ready" in text


def test_delay_next_installs_at_the_next_reset(feeder: Feeder) -> None:
    feeder.init(delay=NEXT)
    assert feeder.data(feeder.patch()).stage == Stage.VERIFIED
    assert not feeder.rig.erases(feeder.shop.board.slot0)
    assert updated(feeder)


def test_delay_command_waits_for_the_command(feeder: Feeder) -> None:
    feeder.init(delay=COMMAND)
    assert feeder.data(feeder.patch()).stage == Stage.VERIFIED
    verified = feeder.twin.snapshot()
    assert not updated(feeder), "nothing without the command"
    feeder.simple("InstallAtNextReset")
    refused(feeder, "INVALID_STATE", Stage.IDLE)
    feeder.twin.restore(verified)
    assert feeder.simple("InstallAtNextReset").code == "COMPLETED"
    assert updated(feeder)


@pytest.mark.parametrize("delay", [NEXT, COMMAND])
def test_abort_takes_the_mark_back(feeder: Feeder, delay: int) -> None:
    feeder.init(delay=delay)
    feeder.data(feeder.patch())
    assert feeder.simple("InstallAtNextReset").code == "COMPLETED"
    assert feeder.simple("Abort").stage == Stage.IDLE
    aborted = feeder.twin.snapshot()
    assert not updated(feeder)
    feeder.twin.restore(aborted)
    feeder.init()
    feeder.data(feeder.image())
    feeder.simple("InstallAtNextReset")
    assert updated(feeder), "an aborted update is in nobody's way"


def test_abort_in_the_middle(feeder: Feeder) -> None:
    data = feeder.image()
    for end in (1, 140, 700, len(data) - 1):
        feeder.init()
        assert feeder.data(data[:end]).stage == Stage.UPDATE
        assert feeder.simple("Abort").stage == Stage.IDLE
    middle = feeder.twin.snapshot()
    assert not updated(feeder)
    feeder.twin.restore(middle)
    feeder.init(delay=NEXT)
    feeder.data(data)
    assert updated(feeder)


def test_poll_and_the_counters_in_every_stage(feeder: Feeder) -> None:
    data = feeder.image()
    size = len(data)
    assert feeder.simple("Poll") == Status(0, 0, "NONE", Stage.IDLE, 0, 0)
    feeder.init()
    assert feeder.simple("Poll") == Status(0, 0, "NONE", Stage.UPDATE, 0, 0)
    feeder.data(data[:100])
    assert feeder.simple("Poll") == Status(0, 0, "NONE", Stage.UPDATE, 100, 0)
    assert feeder.data(data[100:140]) == Status(1, 0, "COMPLETED", Stage.UPDATE, 140, size)
    assert feeder.data(data[140:900]) == Status(1, 0, "COMPLETED", Stage.UPDATE, 900, size)
    assert feeder.simple("Poll") == Status(0, 0, "NONE", Stage.UPDATE, 900, size)
    feeder.data(data[900:])
    assert feeder.simple("Poll") == Status(1, 0, "COMPLETED", Stage.VERIFIED, size, size)
    feeder.simple("InstallAtNextReset")
    assert feeder.simple("Poll") == Status(1, 0, "COMPLETED", Stage.VERIFIED, size, size)
    feeder.again()
    feeder.init()
    feeder.data(b"\x7fELF" + bytes(200))
    status = feeder.simple("Poll")
    assert (feeder.last.result, status.error, status.code, status.stage) == (
        SUCCESS,
        1,
        "INVALID_PATCH_IMAGE",
        Stage.IDLE,
    )


def test_init_status_and_print_status(feeder: Feeder) -> None:
    feeder.call("SE_PATCH_InitStatus", feeder.scratch)
    assert feeder.status == Status(0, 0, "NONE", Stage.IDLE, 0, 0)
    feeder.init()
    feeder.data(feeder.image()[:140])
    line = f"patch: stage update, 140 of {len(feeder.image())} bytes, code 1: done\r\n".encode()
    assert feeder.printed("SE_PATCH_PrintStatus", len(line)) == line
    feeder.write(feeder.scratch + 8, b"\x03")
    feeder.call("SE_PATCH_PrintStatus", feeder.scratch)
    assert feeder.last.calls == 1, "a stage that is none prints nothing"


def test_active_firmware(feeder: Feeder) -> None:
    result, status, out = feeder.query("GetActiveFwInfo", 0xEE)
    assert (result, status) == (SUCCESS, 0)
    assert out[:4] == bytes((0, 0, 0, 1)), "1.0.0 in 8.16.8 bits"
    assert int.from_bytes(out[4:8], "little") == len(feeder.app)
    assert out[8:40] == hashlib.sha256(feeder.app).digest()
    assert set(out[40:]) == {0xEE}
    assert feeder.query("GetActiveFwInfo", 0xEE, null=True)[:2] == (0, 1)


def test_boot_version_is_cut_to_the_room_there_is(feeder: Feeder) -> None:
    text = f"{boot_version()}\0".encode()
    for size in (1, 2, 5, 6, 16):
        expected = text[: size - 1] + b"\0" if size < len(text) else text
        result, status, out = feeder.query("GetBootVer", 0xEE, size)
        assert (result, status, out[: len(expected)]) == (SUCCESS, 0, expected)
        assert set(out[len(expected) :]) == {0xEE}
    result, status, out = feeder.query("GetBootVer", 0xEE, 0)
    assert (result, status, set(out)) == (0, 1, {0xEE})
    assert feeder.query("GetBootVer", 0xEE, 16, null=True)[:2] == (0, 1)


def test_user_data(shop: Workshop) -> None:
    secret = bytes(range(100))
    boot = personal.finish(shop.boot.bin.read_bytes(), shop.keys, secret)
    feeder = Feeder(shop, boot=boot)
    stored = secret + b"\xff" * 28
    for size in (0, 1, 99, 128):
        result, status, out = feeder.query("GetSecureUserData", 0xEE, size)
        assert (result, status, out[:size]) == (SUCCESS, 0, stored[:size])
        assert set(out[size:]) == {0xEE}
    for size in (129, 0x80000000, 0xFFFFFFFF):
        result, status, out = feeder.query("GetSecureUserData", 0xEE, size)
        assert (result, status, set(out)) == (0, 1, {0xEE})
    assert feeder.query("GetSecureUserData", 0xEE, 1, null=True)[:2] == (0, 1)
    with pytest.raises(BuildError, match="129 bytes, expected at most 128"):
        personal.finish(boot, shop.keys, bytes(129))


def test_every_code_has_its_sentence(feeder: Feeder) -> None:
    for number, name in enumerate(CODES):
        expected = SENTENCES[name]
        assert feeder.sentence(number) == ("" if expected == "not used" else expected)
    for number in (len(CODES), 255, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        assert feeder.sentence(number) == ""


def test_b2_an_interrupt_handler_is_refused_and_changes_nothing(feeder: Feeder) -> None:
    data, half = feeder.image(), 1000
    feeder.init()
    feeder.load(data)
    feeder.feed(0, half)
    calls: list[Callable[[], Status]] = [
        lambda: feeder.init(mode=Mode.HANDLER),
        lambda: feeder.feed(half, 100, mode=Mode.HANDLER),
        lambda: feeder.simple("InstallAtNextReset", mode=Mode.HANDLER),
        lambda: feeder.simple("Abort", mode=Mode.HANDLER),
    ]
    for call in calls:
        before = len(feeder.twin.log)
        call()
        refused(feeder, "INVALID_STATE", Stage.UPDATE)
        assert len(feeder.twin.log) == before
    assert feeder.simple("Poll", mode=Mode.HANDLER) == Status(0, 0, "NONE", Stage.UPDATE, half, len(data))
    feeder.load(data)
    assert feeder.feed(half, len(data) - half).stage == Stage.VERIFIED
    feeder.simple("InstallAtNextReset", mode=Mode.HANDLER)
    refused(feeder, "INVALID_STATE", Stage.VERIFIED)
    assert not updated(feeder)


def test_b1_a_second_task_gets_busy_and_changes_nothing(feeder: Feeder) -> None:
    """Also: the engine can be switched away from and back, hundreds of times in one call."""
    data = feeder.image()
    feeder.init()
    feeder.data(data)
    undisturbed = feeder.flash()
    calls = [("SE_PATCH_Data", feeder.buffer, 7), ("SE_PATCH_Abort", 0, 0), ("SE_PATCH_Poll", 0, 0)]
    calls += [("SE_PATCH_Init", feeder.scratch + 64, 0), ("SE_PATCH_InstallAtNextReset", 0, 0)]
    for other in calls:
        name = other[0]
        feeder.again()
        feeder.init()
        feeder.load(data)
        status = feeder.feed(0, len(data), mode=Mode.TWO_TASKS, other=other)
        assert status == Status(1, 0, "COMPLETED", Stage.VERIFIED, len(data), len(data)), name
        last = feeder.last
        assert last.switches > 500
        # Init asks the watchdogs: the twin takes that for waiting, and goes on to the next tick.
        assert last.other_calls > (2_000 if name == "SE_PATCH_Init" else 10_000)
        if name == "SE_PATCH_Poll":
            assert (last.other_refused, last.other_busy) == (0, 0)
        else:  # the last of its calls may still be under way
            assert last.other_calls - 1 <= last.other_busy <= last.other_refused <= last.other_calls
        assert (last.guards_spoilt, feeder.twin.faults) == (0, [])
        assert feeder.flash() == undisturbed


@pytest.mark.parametrize("mode", [Mode.MAIN, Mode.TASK])
def test_interrupts_are_served_during_long_calls(feeder: Feeder, mode: Mode) -> None:
    """10 kHz, none of them missed, none of them later than some instructions."""
    feeder.init()
    feeder.load(feeder.image())
    feeder.feed(0, len(feeder.image()), mode=mode)
    assert feeder.last.cycles > 80_000 * 50, "50 ms at least"
    assert abs(feeder.last.ticks - feeder.last.cycles // feeder.tick_cycles) <= 1
    assert feeder.last.late < 50


def test_a_small_stack_is_enough(feeder: Feeder) -> None:
    """Nothing outside of 512 bytes is touched, and of them no more than spboot.h asks for."""
    data, task = feeder.image(), Mode.TASK
    used = {}

    def note(name: str) -> None:
        assert feeder.last.guards_spoilt == 0, name
        used[name] = feeder.last.stack_used

    for name, call in (
        ("Init", lambda: feeder.init(mode=task)),
        ("Data", lambda: feeder.data(data, mode=task)),
        ("Poll", lambda: feeder.simple("Poll", mode=task)),
        ("InstallAtNextReset", lambda: feeder.simple("InstallAtNextReset", mode=task)),
        ("Abort", lambda: feeder.simple("Abort", mode=task)),
        ("InitStatus", lambda: feeder.simple("InitStatus", mode=task)),
        ("GetStatusCodeString", lambda: feeder.call("SE_PATCH_GetStatusCodeString", 3, mode=task)),
        (
            "GetActiveFwInfo",
            lambda: feeder.call("SE_APP_GetActiveFwInfo", feeder.scratch, feeder.scratch + 64, mode=task),
        ),
        ("GetBootVer", lambda: feeder.call("SE_APP_GetBootVer", feeder.scratch, feeder.scratch + 64, 16, mode=task)),
        (
            "GetSecureUserData",
            lambda: feeder.call("SE_APP_GetSecureUserData", feeder.scratch, feeder.scratch + 64, 9, mode=task),
        ),
    ):
        call()
        note(name)
    feeder.simple("Poll")
    feeder.printed(
        "SE_PATCH_PrintStatus", len("patch: stage idle, 1234 of 1234 bytes, code 0: no update yet\r\n"), mode=task
    )
    note("PrintStatus")
    assert used.pop("PrintStatus") <= PRINTING_STACK + FRAME
    assert 0 < max(used.values()) <= PROMISED_STACK + FRAME, used
