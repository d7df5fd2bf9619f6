"""The example `web-iap`: built by its README, updated over the twin's Ethernet by curl, by a browser, and by clients that
misbehave."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import spboot
from spboot import release
from spboot.boards import Board
from spboot.formats import elf
from spboot.image import Image
from spboot.keys import Keys
from spboot.twin.snapshot import Snapshot
from spboot.version import Version
from tests import apps
from tests.integrations.project import HANGS_S, Project
from tests.integrations.rtos_iap import Built
from tests.integrations.web_iap import (
    BOARD,
    CONSOLE,
    FILL,
    READY,
    ROOT,
    Client,
    Net,
    asked,
    first_release,
    form,
    head,
    next_release,
    served,
    started,
    version_of,
)
from tests.web.chromium import Chromium, chromium

BUDGETS = tomllib.loads((ROOT / "budgets.toml").read_text())["web_iap"]
CONFIRMED = "app: confirmed, this version stays"
INSTALLS = "the device resets in a second and installs them"
ENDED_EARLY = "refused, nothing has changed: ended early: send the whole file\n"
BYTES_AFTER = "bytes after its end: send the file alone\n"
POINTS = range(1, 11)


def curl(*arguments: str, fails: bool = False) -> str:
    """What it says, and the status behind it; it may fail where *fails*."""
    command = ["curl", "--silent", "--show-error", "--write-out", "%{http_code}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS_S)
    assert fails or done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Bench:
    """Two releases, and a device that runs the first of them, with its link up."""

    project: Project
    old: Built
    new: Built
    device: spboot.Device
    running: Snapshot

    @property
    def keys(self) -> Keys:
        return Keys.load(self.project.folder / "keys", need_private=True)

    @property
    def image(self) -> bytes:
        return self.new.image.read_bytes()

    @property
    def patch(self) -> bytes:
        return self.new.patch.read_bytes()


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    project, old = first_release(tmp_path_factory.mktemp("web") / "lamp")
    new = next_release(project)
    device = started(old)
    return Bench(project, old, new, device, device.snapshot())


@pytest.fixture
def bench(made_once: Bench) -> Iterator[Bench]:
    """The device as it was when it had started."""
    twin = made_once.device.twin
    twin.cable.plug()
    made_once.device.restore(made_once.running)
    yield made_once
    assert not twin.faults and not twin.warnings


@pytest.fixture
def net(bench: Bench) -> Iterator[Net]:
    made = Net(bench.device)
    yield made
    made.slirp.close()


def installed(net: Net, start: int) -> None:
    """What was sent behind byte *start* of the console is confirmed, and is there after a reset."""
    net.heard(CONFIRMED, start)
    start = net.said
    net.device.reset()
    assert "starting 1.1.0" in net.heard(READY, start)


def stays(net: Net) -> None:
    """Nothing has changed: the old version answers, and starts again."""
    code, body = asked(net, b"GET /status HTTP/1.1\r\n\r\n")
    assert (code, json.loads(body)["version"]) == (200, "1.0.0")
    start = net.said
    net.device.reset()
    assert "starting 1.0.0" in net.heard("app: u updates", start)


def taken(net: Net, data: bytes) -> None:
    """The device takes it, and keeps it."""
    start = net.said
    code, words = asked(net, form(data))
    assert code == 200, words
    installed(net, start)


# real clients


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        pytest.param("-F file=@{}", "patch", marks=pytest.mark.soak),
        pytest.param("-F file=@{}", "image", marks=pytest.mark.soak),
        pytest.param("--data-binary @{}", "image", marks=pytest.mark.soak),
        pytest.param("--data-binary @{}", "patch", marks=pytest.mark.soak),
        pytest.param("-T {}", "patch", marks=pytest.mark.soak),
        pytest.param("-T {}", "image", marks=pytest.mark.soak),
    ],
)
def test_an_update_by_curl(bench: Bench, way: str, kind: str) -> None:
    device, file = bench.device, getattr(bench.new, kind)
    begun = device.twin.time
    with served(device) as address:
        words = curl(*way.format(file).split(), f"{address}/")
        assert words == f"{file.stat().st_size} bytes received and verified: {INSTALLS}\n200"
        said, status = device.twin.uart(CONSOLE).output, ""
        while CONFIRMED.encode() not in said:
            status = curl("--max-time", "60", f"{address}/status", fails=True)
        assert json.loads(curl(f"{address}/status")[:-3])["last"] == "installed for good", status
    print(f"{kind}: {device.twin.time - begun:.2f} s of the twin")
    assert version_of(device) == "1.1.0"


@pytest.mark.parametrize("way", ["-F file=@{}", "--data-binary @{}", "-T {}"])
def test_a_wrong_file_by_curl(bench: Bench, tmp_path: Path, way: str) -> None:
    """The reason, and the device serves on."""
    (tmp_path / "x.sfb").write_bytes(b"no update at all\n" * 40)
    with served(bench.device) as address:
        words = curl(*way.format(tmp_path / "x.sfb").split(), f"{address}/")
        assert words == "refused, nothing has changed: not an update file\n422"
        told = json.loads(curl(f"{address}/status")[:-3])
        assert (told["version"], told["refused"], told["busy"]) == ("1.0.0", "not an update file", False)
        assert curl(f"{address}/nothing") == "there are / and /status\n404"
        assert curl("-X", "DELETE", f"{address}/").endswith("this server knows GET, POST and PUT\n405")
        assert "<form" in curl(f"{address}/") and curl("--head", f"{address}/").startswith("HTTP/1.1 200 OK")


def test_a_browser_updates_it_by_the_form(bench: Bench, browser: Chromium, tmp_path: Path) -> None:
    """A wrong file first; progress, verdict, and the version that runs then."""
    (tmp_path / "wrong.sfb").write_bytes(b"no update at all\n" * 40)
    device = bench.device
    with served(device, speed=2.0) as address:
        tab = browser.open()
        tab.go(address.replace("127.0.0.1", "localhost"))
        tab.wait("document.querySelector('#version').textContent === '1.0.0'")
        assert tab.text("#board") == BOARD
        tab.choose("#file", tmp_path / "wrong.sfb")
        tab.click("#send")
        tab.wait("document.querySelector('#said').textContent === 'refused, nothing has changed: not an update file'")
        tab.choose("#file", bench.new.patch)
        tab.click("#send")
        tab.wait(f"document.querySelector('#said').textContent.endsWith({INSTALLS!r})")
        assert tab.evaluate("document.querySelector('#progress').value") == 1
        tab.wait("document.querySelector('#said').textContent === 'Version 1.1.0 runs.'")
        tab.wait("document.querySelector('#last').textContent === 'installed for good'")
        assert tab.text("#version") == "1.1.0" and not tab.problems
        tab.close()
    assert version_of(device) == "1.1.0"


@pytest.mark.soak
def test_a_closed_tab_and_the_next_one(bench: Bench, browser: Chromium, tmp_path: Path) -> None:
    """Its update is given up; another tab sees how it went, and its own succeeds."""
    data = bench.image + bytes(6 << 20)  # takes a while
    (tmp_path / "long.sfb").write_bytes(data)
    with served(bench.device, speed=2.0) as address:
        first = browser.open()
        first.go(address.replace("127.0.0.1", "localhost"))
        first.wait("document.querySelector('#version').textContent === '1.0.0'")
        first.choose("#file", tmp_path / "long.sfb")
        first.click("#send")
        second = browser.open()
        second.go(address.replace("127.0.0.1", "localhost"))
        second.wait("document.querySelector('#said').textContent.startsWith('Another update is under way')")
        first.close()
        second.wait("fetch('/status').then(a => a.json()).then(s => !s.busy)")
        assert json.loads(curl(f"{address}/status")[:-3])["version"] == "1.0.0"
        second.choose("#file", bench.new.patch)
        second.click("#send")
        second.wait("document.querySelector('#said').textContent === 'Version 1.1.0 runs.'")
        second.close()
    assert version_of(bench.device) == "1.1.0"


# clients that misbehave, in virtual time


def test_a_body_that_lies_about_its_length(net: Net, bench: Bench) -> None:
    """Shorter than it says, and gone; longer, where so much as it says is judged; no number at all, and no length."""
    client, part = Client(net), bench.image[:200]
    client.send(head(len(bench.image)) + part)
    net.pump(1)
    assert not client.look()
    client.socket.close()
    net.heard("update not taken: the client went away before the end of the file", 0)
    assert asked(net, head(len(part)) + bench.image) == (422, ENDED_EARLY)
    for length, code, words in (
        ("1x", 400, "Content-Length is no number"), ("-5", 400, "Content-Length is no number"),
        ("99999999999999999999", 413, "Content-Length is no number"),
        ("5\r\nContent-Length: 6", 400, "there are two values"), ("0", 422, "ended early"),
        ("99999999", 422, "larger than the slot"),
    ):  # fmt: skip
        found = asked(net, head(length) + b"abc")
        assert found[0] == code and words in found[1], found
    assert asked(net, b"POST / HTTP/1.1\r\n\r\n") == (411, "not taken: Content-Length is missing\n")
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    assert asked(net, chunked)[0] == 411
    stays(net)


def test_two_uploads_at_once(net: Net, bench: Bench) -> None:
    """The second is told; the first goes on, and once it is gone the next has its place."""
    first = Client(net)
    first.send(head(len(bench.image)) + bench.image[:200])
    net.pump(0.5)
    assert asked(net, form(bench.patch)) == (503, "another update is under way: wait for its end, or for a minute\n")
    assert json.loads(asked(net, b"GET /status HTTP/1.1\r\n\r\n")[1])["busy"] is True
    first.send(bench.image[200:300])
    net.pump(0.5)
    assert not first.look()
    first.socket.close()
    net.pump(0.5)
    assert asked(net, head(5) + b"abcde") == (422, ENDED_EARLY)


def test_a_client_of_ten_bytes_a_second(net: Net, bench: Bench) -> None:
    """Others are served meanwhile; after half a minute it has to have sent more, and its place is free."""
    slow, begun = Client(net), net.device.twin.time
    slow.send(head(len(bench.image)))
    for at in range(0, 10_000, 10):
        slow.send(bench.image[at : at + 10])
        if net.pump(1, slow.look):
            break
        if at == 100:
            assert asked(net, b"GET / HTTP/1.1\r\n\r\n")[0] == 200
    assert slow.answer() == (408, "refused, nothing has changed: the client is slower than 100 bytes a second\n")
    assert 29 < net.device.twin.time - begun < 36
    stays(net)


def test_clients_that_say_nothing(net: Net, bench: Bench) -> None:
    """In the head, in the body, and in front of their answer; as many as there are places, and one more."""
    silent = [Client(net) for _ in range(5)]
    net.pump(1)
    more = Client(net)
    assert net.pump(2, more.look), "it is turned away"
    assert {client.answer() for client in silent} == {(408, "no whole request came in ten seconds\n")}
    stopped = Client(net)
    stopped.send(head(len(bench.image)) + bench.image[:1000])
    assert stopped.answer() == (408, "refused, nothing has changed: the client was silent for 15 seconds\n")
    assert asked(net, b"GET /status HTTP/1.1\r\n\r\n")[0] == 200


HEADS = {
    "a long path": (b"GET /" + b"a" * 300 + b" HTTP/1.1\r\n\r\n", 414, "the path is too long"),
    "a long head": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 2000 + b"\r\n", 431, "the head of the request is too long"),
    "a long line that matters": (head("5", more="Content-Type: multipart/form-data" + " " * 300 + "; boundary=x\r\n"), 431,
                                 "a line of the head is too long"),
    "another protocol": (b"GET / FTP/1.1\r\n\r\n", 400, "this is not HTTP/1.1"),
    "no path": (b"GET * HTTP/1.1\r\n\r\n", 400, "this is not HTTP/1.1"),
    "TLS": (bytes.fromhex("1603010200010001fc0303") + b"\n", 405, "this server knows"),
    "no boundary": (head("5", more="Content-Type: multipart/form-data\r\n"), 400, "needs a boundary"),
    "a long boundary": (head("5", more=f"Content-Type: multipart/form-data; boundary={'x' * 71}\r\n"), 400, "needs a boundary"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_heads_that_are_refused(net: Net, name: str) -> None:
    request, code, words = HEADS[name]
    found = asked(net, request)
    assert found[0] == code and words in found[1], found
    assert asked(net, b"\r\nGET /status?x=1 HTTP/1.0\nhost:x\n\n")[0] == 200


def test_forms(net: Net, bench: Bench) -> None:
    """Divided anywhere, by any boundary; one without a file, and one whose file is empty."""
    data = b"\r\n--\r\r\n-\r\n--" + b"not an update" * 20 + b"\r\n\r"
    for boundary in ("x", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "-" * 70):
        request = form(data, boundary=boundary)
        for size in (1, 7, len(request)):
            client = Client(net)
            for at in range(0, len(request), size):
                client.send(request[at : at + size])
                if size < len(request) and at % 3 == 0:
                    net.step()
            assert client.answer() == (422, "refused, nothing has changed: not an update file\n"), (boundary, size)
    body = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--x--\r\n'
    more = 'Content-Type: multipart/form-data; boundary="x"\r\n'
    assert asked(net, head(len(body), more=more) + body) == (
        422,
        "refused, nothing has changed: the form has no file\n",
    )
    assert asked(net, form(b"")) == (422, ENDED_EARLY)


# wrong files


def wrong_files(bench: Bench) -> dict[str, tuple[bytes, str]]:
    """Name -> a file that is none for this device, and the reason that is given."""
    new, keys, board = bench.image, bench.keys, Board.load(BOARD)
    image = Image.load(bench.new.elf, board, "1.1.0")
    folder = bench.project.folder / "other"
    other = Keys.load(folder, need_private=True) if folder.exists() else Keys.new(folder, "torch", development=False)

    def forced(target: str = BOARD, version: str = "1.1.0", by: Keys = keys) -> bytes:
        return apps.forced_image(image.data, target=target, keys=by, version=Version.parse(version))

    def damaged(at: int) -> bytes:
        return new[:at] + bytes((new[at] ^ 1,)) + new[at + 1 :]

    foreign = replace(image, data=image.data[:-4] + b"else", version=Version.parse("1.0.5"))
    return {
        "text": (b"no update at all\n" * 40, "not an update file"),
        "another board": (forced("NUCLEO-G0B1RE"), "update for another board"),
        "another product": (forced(by=other), "wrong signature: damaged, or another key"),
        "older": (forced(version="0.9.0"), "older than installed: give it a higher version"),
        "the same version": (bench.old.image.read_bytes(), "already installed: give it a higher version"),
        "a patch from another version": (
            release.patch(foreign, image, keys=keys), "patch for another firmware: send the full image",
        ),
        "a wrong signature": (damaged(100), "wrong signature: damaged, or another key"),
        "damaged": (damaged(2000), "damaged on its way: send it again"),
        "cut short": (new[:-300], "ended early: send the whole file"),
        "with more behind it": (new + b"more", "bytes after its end: send the file alone"),
    }  # fmt: skip


SOON = ("text", "another board", "another product", "older", "the same version", "a wrong signature", "damaged")
"""Found before much of flash is written."""


@pytest.mark.parametrize("names", [SOON, pytest.param((), marks=pytest.mark.soak)], ids=["soon", "all"])
def test_wrong_files(net: Net, bench: Bench, names: tuple[str, ...]) -> None:
    """One after another, raw and by a form: the reason, and nothing changed; then a good one."""
    files = wrong_files(bench)
    for name in names or files:
        data, words = files[name]
        expected = (422, f"refused, nothing has changed: {words}\n")
        assert asked(net, head(len(data)) + data) == expected, name
        if not names:
            assert asked(net, form(data)) == expected, name
    stays(net)
    if not names:
        net.heard(READY, 0)
        taken(net, bench.patch)


# trouble


class Snips(Client):
    """A client whose cable is pulled once so many bytes of frames have gone to the device."""

    def arm(self, left: int) -> None:
        cable = self.net.device.twin.cable
        seen = 0

        def look() -> None:
            nonlocal seen
            seen += len(cable.arriving[-1]) if cable.arriving else 0
            if not self.cut and cable.plugged and seen >= left:
                self.cut = True
                cable.pull()

        self.cut = False
        cable.watch(look)


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
def test_a_link_that_is_lost(net: Net, bench: Bench, point: int) -> None:
    """Behind so many elevenths of a full image: the device gives it up in 15 s, nothing has changed, and the next attempt
    succeeds once the cable is back."""
    client, start = Snips(net), net.said
    client.arm(len(bench.image) * point // 11)
    client.send(head(len(bench.image)) + bench.image)
    assert net.pump(10, lambda: client.cut), "the link was lost"
    said = net.heard("app: update not taken", start)
    net.pump(1)
    assert "the link is down" in said and version_of(net.device) == "1.0.0"
    begun = net.said
    net.device.twin.cable.plug()
    net.heard("the link is up", begun)
    assert (
        json.loads(asked(net, b"GET /status HTTP/1.1\r\n\r\n")[1])["refused"] == "the client was silent for 15 seconds"
    )
    taken(net, bench.patch)


@pytest.mark.soak
def test_a_link_that_comes_back_in_time(net: Net, bench: Bench) -> None:
    """The connection outlives five seconds without a cable."""
    client, start = Snips(net), net.said
    client.arm(10_000)
    client.send(head(len(bench.image)) + bench.image)
    assert net.pump(10, lambda: client.cut)
    net.pump(3)
    net.device.twin.cable.plug()
    assert client.answer()[0] == 200
    installed(net, start)


@pytest.fixture(scope="module")
def operations(made_once: Bench) -> int:
    """Flash operations from the first byte to the confirmation of a full image."""
    device = made_once.device
    device.twin.cable.plug()
    device.restore(made_once.running)
    net, before = Net(device), device.twin.log.total
    taken(net, made_once.image)
    net.slirp.close()
    return device.twin.log.total - before


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
def test_a_power_cut(net: Net, bench: Bench, operations: int, point: int) -> None:
    """At so many elevenths of the flash operations, one of them torn: what starts is one of the two versions, and it
    takes the update again; the new one runs in the end."""
    device, cuts = net.device, 0

    def on_cut() -> None:
        nonlocal cuts
        cuts += 1
        device.power_on()

    net.on_cut = on_cut
    device.cut(f"{operations * point // 11}:torn:random={point}")
    client, start = Client(net), net.said
    client.send(head(len(bench.image)) + bench.image)
    assert net.pump(90, lambda: cuts == 1), "the cut was"
    said = net.heard(READY, start, 90)
    client.socket.close()
    print(f"operation {operations * point // 11} of {operations}: {said[said.rindex('starting') :][:14]}")
    if "starting 1.0.0" in said:
        taken(net, bench.image)
    else:
        installed(net, start)


# what it costs


def test_size(bench: Bench) -> None:
    named = {each.name: each.value for each in elf.symbols(str(bench.old.elf), bench.old.elf.read_bytes())}
    image = Image.load(bench.old.elf, Board.load(BOARD), "1.0.0")
    print(f"{len(image.data)} bytes of flash, {named['_ebss'] - named['_sdata']} of RAM")
    assert len(image.data) <= BUDGETS["flash"]
    assert named["_ebss"] - named["_sdata"] <= BUDGETS["ram"]


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["patch", "image"])
def test_seconds_and_stack(net: Net, bench: Bench, kind: str) -> None:
    """From the first byte to "confirmed"; the stack is what is not as it was at power-on, at the end of RAM."""
    named = {each.name: each.value for each in elf.symbols(str(bench.old.elf), bench.old.elf.read_bytes())}
    data, start, begun = getattr(bench, kind), net.said, net.device.twin.time
    assert asked(net, form(data))[0] == 200
    received = net.device.twin.time - begun
    memory = net.device.twin.ram_read(named["_ebss"], named["_estack"] - named["_ebss"])
    stack = len(memory) - next(at for at in range(0, len(memory), 4) if memory[at : at + 4] != bytes([FILL]) * 4)
    net.heard(CONFIRMED, start)
    took = net.device.twin.time - begun
    print(f"{kind}: answered after {received:.2f} s, confirmed after {took:.2f} s, {stack} bytes of stack")
    assert took <= BUDGETS[f"{kind}_s"] and stack <= BUDGETS["stack"]


@pytest.mark.soak
def test_a_version_without_a_network_goes(net: Net, bench: Bench, tmp_path: Path) -> None:
    """Its PHY does not answer: it never confirms itself, and a reset brings the version before back."""
    project = bench.project.copy(tmp_path / "lamp")
    project.run("rm", "-rf", "build")
    project.run("cmake", "-B", "build", "-G", "Ninja")
    bad = next_release(project, (("boards/nucleo-f429zi.h", "#define BOARD_PHY 0u", "#define BOARD_PHY 1u"),), "1.2.0")
    start = net.said
    assert asked(net, form(bad.patch_of("1.0.0")))[0] == 200
    net.heard("app: Ethernet does not answer", start)
    start = net.said
    net.device.reset()
    said = net.heard(READY, start)
    assert "starting 1.0.0" in said and "the last update was given up" in said
    assert json.loads(asked(net, b"GET /status HTTP/1.1\r\n\r\n")[1])["last"] == "given up"
