"""The page's rules and words are those of Python: the same files, flipped and cut short, and the same console text go
to both, and both say the same."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from spboot import boards, inspection, release, rotation, stick
from spboot.boards import Board
from spboot.errors import FormatError
from spboot.formats.manifest import EXTENSION_SIZE, KIND_KEYS, MANIFEST_SIZE, name_id
from spboot.formats.payload import CHUNK_SIZE
from spboot.formats.signature import SIGNATURE_SIZE
from spboot.formats.spec import record, spec
from spboot.image import Image
from spboot.inspection import CHAINED
from spboot.keys import Keys
from spboot.link.installed import installed
from spboot.link.verdict import Hearing
from spboot.link.ymodem import packet
from spboot.stick import Installed
from spboot.version import Version
from spboot.web import page
from spboot.web.facts import Purpose
from tests import apps
from tests.core.turn import with_keys
from tests.web.chromium import Chromium, Tab

TARGET: Final = "NUCLEO-L476RG"
OTHER: Final = "NUCLEO-F429ZI"
SINGLE: Final = next(name for name in boards.names() if Board.load(name).slot1 is None)
PARTS: Final = next(name for name in boards.all_names() if Board.load(name).slot0.rest is not None)
V1, V2, V3 = Version(1, 0, 0), Version(1, 1, 0), Version(2, 0, 0)
MODULES: Final = ("update", "judgement", "told", "ymodem", "manifest", "rate")
HEAD: Final = MANIFEST_SIZE + SIGNATURE_SIZE

ASK: Final = """
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
async function worth(data) {
    try {
        const update = $update.parseUpdate(data);
        return { facts: await $update.factsOf(update), worth: await $update.worthOf(update) };
    } catch (error) {
        if (error.name !== "Error") throw error;
        return { error: error.message };
    }
}
async function told(text) {
    const device = new $told.Told(), hearing = new $told.Hearing();
    for (const byte of text) { device.feed([byte]); hearing.feed([byte]); }
    return { version: device.version, whole: device.whole, board: device.board, product: device.product,
             rekeyed: device.rekeyed, verdict: hearing.verdict };
}
"""


@pytest.fixture(scope="module")
def tab(browser: Chromium, address: str) -> Iterator[Tab]:
    """A place with the page's modules, for any product."""
    tab = browser.open()
    tab.go(address)
    load(tab, Purpose())
    yield tab
    tab.close()


def load(tab: Tab, purpose: Purpose) -> None:
    """The modules as they are in a page for *purpose*."""
    modules, names = page.script(purpose, *MODULES), ", ".join(f"${name}" for name in MODULES)
    tab.evaluate(f"(() => {{ {modules}{ASK} window.asked = {{ {names}, bytes, worth, told }}; }})()")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.new(tmp_path_factory.mktemp("keys") / "demo", "demo", development=True)


def image(board: str, version: Version, fill: int = 7) -> Image:
    found = Board.load(board)
    app = apps.startable(found, bytes((at * at * fill + at // 3 * 31) >> 3 & 255 for at in range(1300)))
    return Image(data=app, board=found, version=version, rest=b"\x5a" * 700 if found.slot0.rest else b"")


@pytest.fixture(scope="module")
def files(keys: Keys) -> dict[str, bytes]:
    """Good ones."""
    return {
        "image": release.full_image(image(TARGET, V2), keys=keys),
        "patch": release.patch(image(TARGET, V1), image(TARGET, V2, 9), keys=keys),
        "single": release.full_image(image(SINGLE, V2), keys=keys),
        "parts": release.full_image(image(PARTS, V2), keys=keys),
        "parts patch": release.patch(image(PARTS, V1), image(PARTS, V2, 9), keys=keys),
    }


def edited(data: bytes) -> Iterator[bytes]:
    """*data* cut to each length near a border, with bits of each byte of its head flipped, and with bytes behind it."""
    borders = [0, MANIFEST_SIZE, MANIFEST_SIZE + EXTENSION_SIZE, HEAD, HEAD + EXTENSION_SIZE]
    borders += [*range(HEAD, len(data), CHUNK_SIZE), len(data)]
    lengths = {*range(HEAD + EXTENSION_SIZE + 2), *(at + step for at in borders for step in (-2, -1, 0, 1))}
    yield from (data[:length] for length in sorted(lengths) if 0 <= length <= len(data))
    yield from (data + bytes(count) for count in (1, 16, CHUNK_SIZE))
    for at in range(MANIFEST_SIZE + EXTENSION_SIZE):
        yield from (data[:at] + bytes((data[at] ^ flip,)) + data[at + 1 :] for flip in (1, 0x40, 0x80))
    for at in range(MANIFEST_SIZE, len(data), 97):
        yield data[:at] + bytes((data[at] ^ 0xFF,)) + data[at + 1 :]


def numbers(data: bytes) -> Iterator[bytes]:
    """Each number of the manifest as all that is near a rule."""
    for field in record("manifest").fields:
        if not field.type.startswith("bytes"):
            width = field.size
            for value in {0, 1, 2, 7, 8, 512, 513, 528, 1 << 16, 1 << 24, 1 << 31, (1 << 8 * width) - 1}:
                number = (value & (1 << 8 * width) - 1).to_bytes(width, "little")
                yield data[: field.offset] + number + data[field.offset + width :]


def ask(tab: Tab, function: str, values: list[Any]) -> list[Any]:
    """What the page's function answers to each."""
    names = ", ".join(f"${name}" for name in MODULES)
    found: list[Any] = tab.evaluate(
        f"(() => {{ const {{ bytes, worth, told, {names} }} = asked; "
        f"return Promise.all({json.dumps(values)}.map({function})); }})()"
    )
    return found


def text64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def by_python(data: bytes) -> dict[str, Any]:
    """As `spboot inspect` says it; what curve points have to do with is not the page's to know."""
    try:
        manifest = release.Artefact.parse(data).header.manifest
        verdict, why = inspection.judge(data)
        facts = None if manifest.kind == KIND_KEYS else inspection.inspect(data)
    except FormatError as error:
        return {"error": str(error)}
    return {"facts": facts, "worth": [verdict, why.partition("; whose")[0]]}


def test_what_a_file_is(tab: Tab, files: dict[str, bytes], keys: Keys) -> None:
    """Thousands of files: the same sentence for what is none, the same facts and the same verdict for the others."""
    vectors = [each for data in files.values() for each in (*edited(data), *numbers(data))]
    vectors = [each for each in vectors if not inspection.is_delta_file(each)]
    found = ask(tab, "(text) => worth(bytes(text))", [text64(each) for each in vectors])
    expected = [by_python(each) for each in vectors]
    for data, page_says, python_says in zip(vectors, found, expected, strict=True):
        if "error" in python_says:
            assert page_says == python_says, data.hex()
            continue
        assert page_says["worth"][0] == python_says["worth"][0], data.hex()
        assert page_says["worth"][1].partition("; whose")[0] == python_says["worth"][1], data.hex()
        if python_says["facts"] is not None:
            facts = python_says["facts"] | {"chunks": None, "product_name": None}
            assert {**page_says["facts"], "chunks": None, "product_name": None} == facts, data.hex()
    outcomes = {each.get("error", each.get("worth", ["", ""])[0])[:22] for each in found}
    assert len(vectors) > 2500 and len(outcomes) > 15, "too few kinds of answers to show anything"
    assert any(each.get("worth", ["", ""])[1].startswith(CHAINED) for each in found)


SAYS: Final = dict(spec()["status"]["codes"])


def test_what_a_device_will_say(tab: Tab, files: dict[str, bytes]) -> None:
    """As `spboot stick` tells it, whose rules are the firmware's (tests/usb)."""
    vectors = [each for data in files.values() for each in (*list(edited(data))[::14], *numbers(data), data)]
    devices = [
        *((TARGET, "demo", Installed(version=version)) for version in (V1, V2, V3)),
        (TARGET, "demo", Installed(version=V2, whole=False)),
        (TARGET, "torch", Installed(version=V1)),
        (OTHER, "demo", Installed(version=V1)),
        (SINGLE, "demo", Installed(version=V1)),
        (PARTS, "demo", Installed(version=V1)),
    ]
    told, answers = set(), []
    for name, product, has in devices:
        board = Board.load(name)
        known = {"board": name, "product": product, "version": has.version.pack(), "whole": has.whole}
        function = f"async (text) => $judgement.refusalOf(bytes(text), {{ rekeyed: false, ...{json.dumps(known)} }})"
        found = ask(tab, function, [text64(each) for each in vectors])
        for data, status in zip(vectors, found, strict=True):
            if len(data) > 3 and data[3] & spec()["manifest"]["kind_mask"] == KIND_KEYS:
                continue  # no stick brings one
            expected = stick.judge(Path("x"), data, board, product, has).verdict
            assert (SAYS[status] if status else stick.FITS) == expected, (name, product, has, data.hex())
            told.add(status)
            answers.append(status)
    assert {"", "INVALID_PATCH_IMAGE", "UNSUPPORTED", "IMAGE_TOO_LARGE", "INVALID_SECTION_KEY", "WRONG_BOARD"} < told
    assert {"IMAGE_VERSION_FAILURE", "SAME_VERSION", "SINGLE_SLOT", "SECTION_NOT_AVAILABLE"} < told
    assert {"INVALID_SOURCE_IMAGE", "TOO_FEW_BYTES", "TOO_MANY_BYTES", "IMAGE_TOO_SMALL"} < told


def test_of_a_device_that_is_not_known_nothing_is_refused(tab: Tab, files: dict[str, bytes]) -> None:
    known = {"board": None, "product": None, "version": None, "whole": True, "rekeyed": False}
    function = f"async (text) => $judgement.refusalOf(bytes(text), {json.dumps(known)})"
    assert ask(tab, function, [text64(each) for each in files.values()]) == [""] * len(files)


def test_a_new_key(browser: Chromium, address: str, keys: Keys, tmp_path: Path) -> None:
    """For a board that has room for one; and where a key came later, the version of an image is no floor."""
    board, tab = with_keys(Board.load(TARGET)), browser.open()
    tab.go(address)
    load(tab, Purpose(board=board))
    update = rotation.rotation(keys, keys.successor(tmp_path / "next"), board)
    assert ask(tab, "(text) => worth(bytes(text))", [text64(update)])[0]["facts"]["kind"] == "key"
    old = release.full_image(image(TARGET, V1), keys=keys)
    for name, data, rekeyed, expected in (
        (TARGET, update, False, ""),
        (TARGET, update[:-1], False, "TOO_FEW_BYTES"),
        (OTHER, update, False, "WRONG_BOARD"),
        (TARGET, old, False, "SAME_VERSION"),
        (TARGET, old, True, ""),
    ):
        known = {"board": name, "product": "demo", "version": V1.pack(), "whole": True, "rekeyed": rekeyed}
        function = f"async (text) => $judgement.refusalOf(bytes(text), {json.dumps(known)})"
        assert ask(tab, function, [text64(data)]) == [expected]
    load(tab, Purpose())
    assert ask(tab, function, [text64(update)]) == ["UNSUPPORTED"], "no room for a key"
    tab.close()


BOOT: Final = (
    "[    0.000] spboot 0.1.0 for LAMP, 80 MHz, reset by power on\r\n"
    "[    0.010] self check good, product demo; type load for the loader\r\n"
)
TEXTS: Final = [
    "",
    BOOT,
    BOOT + "[    0.021] SLOT0 holds 1.0.0, 2696 bytes\r\n[    0.022] starting 1.0.0\r\n",
    BOOT + "[    0.021] SLOT0 holds 1.10.255, 2696 bytes\r\n",
    BOOT + "[    0.021] SLOT0 holds 256.0.0, 2696 bytes\r\n",
    BOOT + "[    0.021] no valid firmware in SLOT0\r\n",
    "demo 1.1.0 on X, installed as 1.1.0, bootloader 0.1.0\r\n",
    "installed as 1.1.0.\r\ninstalled as 1.2.0.4\r\n",
    "[    0.0] SLOT0 holds 1.0.0, 2 bytes\r\n" + BOOT,
    "[    2.081] version 1.1.0 received, 2385 bytes, verified, changed pages: 1, room for a trial: 208\r\n",
    "[    2.081] refused, code 26: already installed: give it a higher version\r\n  the file: version 1.0.0\r\n",
    "patch: stage verified, 768 of 768 bytes, code 1: done\r\nupdate: complete, resetting\r\n",
    "patch: stage idle, 768 of 768 bytes, code 15: wrong signature\r\nupdate: not done\r\n",
    "transfer ended: too many errors\r\nupdate: complete\r\n",
    "update: complete\r\n[    0.1] install failed, a reset tries again\r\n",
    "[    0.1] installed\r\n[   0.2] key 2 received, verified\r\n",
    "[    0.5] image in SLOT1 refused and dropped",
    "  \t installed \t \r\n",
    "[    0.1]   installed\r\n",
    "\x1b[1m\xa0update:\xad complete\x85\x18\x18",
    "größer\r\nthe image in SLOT1 was refused\r\n",
]
"""What devices say, or what looks like it."""


def test_what_a_device_says(tab: Tab) -> None:
    texts = [text.encode("latin-1") for text in TEXTS]
    found = ask(tab, "(text) => told(bytes(text))", [text64(each) for each in texts])
    for text, page_says in zip(texts, found, strict=True):
        hearing = Hearing()
        hearing.feed(text)
        verdict = hearing.verdict
        heard = None if verdict is None else {"accepted": verdict.accepted, "words": list(verdict.words)}
        version = installed(text)
        assert page_says["verdict"] == heard, text
        assert page_says["version"] == (version.pack() if version else None), text
        assert page_says["whole"] == (b"no valid firmware" not in text)
        assert (page_says["board"], page_says["product"]) == (("LAMP", "demo") if b"LAMP" in text else (None, None))


def test_a_broken_image_and_a_later_key_are_heard(tab: Tab) -> None:
    broken = BOOT + "[ 0.1] SLOT0 holds 1.0.0, 9 bytes\r\n[ 0.1] SLOT0: version 1.0.0 is not whole\r\n"
    found = ask(
        tab, "(text) => told(bytes(text))", [text64(each.encode()) for each in (broken, BOOT + "[ 0.0] key 1\r\n")]
    )
    assert (found[0]["version"], found[0]["whole"], found[0]["rekeyed"]) == (V1.pack(), False, False)
    assert found[1]["rekeyed"]


def test_blocks_and_names(tab: Tab) -> None:
    """Bytes on the line, and the numbers that stand for names."""
    blocks = [(0, b"a.sfb\x009\x00", 128), (1, bytes(range(256)) * 4, 1024), (255, b"end", 128), (256, b"", 128)]
    function = "([number, text, size]) => Array.from($ymodem.packet(number, bytes(text), size))"
    found = ask(tab, function, [[number, text64(data), size] for number, data, size in blocks])
    assert [bytes(each) for each in found] == [packet(*each) for each in blocks]
    names = [TARGET, "demo", "größer", ""]
    assert ask(tab, "(name) => $manifest.nameId(name)", names) == [name_id(each) for each in names]


def test_per_cent_and_the_time_that_is_left(tab: Tab) -> None:
    """Of a transfer of 4,000 bytes at 500 a second that begins at 3 s; and of the second one, which begins anew."""
    counts = [[1000, 3.0], [2000, 5.1], [3000, 7.0], [500, 20.0], [1500, 22.0], [4000, 27.0]]
    function = """(counts) => {
        let now = 0;
        const rate = new $rate.Rate(() => now);
        return counts.map(([done, at]) => { now = at; rate.count(done, 4000); return rate.progress + rate.summary; });
    }"""
    assert ask(tab, function, [counts]) == [
        ["25 %", "50 %, 5 s to go in 2.1 s, 0.5 KB/s", "75 %, 2 s to go in 4.0 s, 0.5 KB/s",
         "12 %", "37 %, 5 s to go in 2.0 s, 0.5 KB/s", "100 %, 0 s to go in 7.0 s, 0.5 KB/s"]
    ]  # fmt: skip


def test_a_line_that_never_ends(tab: Tab) -> None:
    """What a device says without an end is kept in part."""
    function = """async (length) => {
        const device = new $told.Told();
        for (let at = 0; at < length; at += 256) device.feed(new Uint8Array(256).fill(0x61));
        return device.lines.rest.length;
    }"""
    assert ask(tab, function, [100_000]) == [4096]
