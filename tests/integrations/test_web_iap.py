"""The example `web-iap`: built by its README, updated over the twin's Ethernet by curl and by a browser, and used by
clients that misbehave."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.integrations.bench import Bench
from tests.integrations.project import HANGS_S, SPBOOT
from tests.integrations.web_iap import (
    BOARD,
    CONFIRMED,
    CONSOLE,
    ENDED_EARLY,
    FILL,
    INSTALLS,
    ROOT,
    Client,
    Net,
    asked,
    form,
    head,
    served,
    stays,
    version_of,
)  # fmt: skip
from tests.web.chromium import Chromium

BUDGETS = tomllib.loads((ROOT / "budgets.toml").read_text())["web_iap"]


def curl(*arguments: str, fails: bool = False) -> str:
    """What it says, and the status behind it; it may fail where *fails*."""
    command = ["curl", "--silent", "--show-error", "--write-out", "%{http_code}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS_S)
    assert fails or done.returncode == 0, done.stderr
    return done.stdout


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
def test_an_update_by_curl(web: Bench, way: str, kind: str) -> None:
    device, file = web.device, getattr(web.new, kind)
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
def test_a_wrong_file_by_curl(web: Bench, tmp_path: Path, way: str) -> None:
    """The reason, and the device serves on."""
    (tmp_path / "x.sfb").write_bytes(b"no update at all\n" * 40)
    with served(web.device) as address:
        words = curl(*way.format(tmp_path / "x.sfb").split(), f"{address}/")
        assert words == "refused, nothing has changed: not an update file\n422"
        told = json.loads(curl(f"{address}/status")[:-3])
        assert (told["version"], told["refused"], told["busy"]) == ("1.0.0", "not an update file", False)
        assert curl(f"{address}/nothing") == "there are / and /status\n404"
        assert curl("-X", "DELETE", f"{address}/").endswith("this server knows GET, POST and PUT\n405")
        assert "<form" in curl(f"{address}/") and curl("--head", f"{address}/").startswith("HTTP/1.1 200 OK")


def test_the_command_lets_curl_in(web: Bench) -> None:
    """`spboot twin --net`: it says where, and which port of the device that is."""
    command = [SPBOOT, "twin", BOARD, "--image", web.old.factory, "--net", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None and process.stderr is not None
        said = process.stderr.readline().strip()
        found = re.fullmatch(r"twin: net: (http://127\.0\.0\.1:\d+)/ is port 80 of 192\.168\.0\.10", said)
        assert found, said
        assert json.loads(curl("--retry", "5", "--max-time", "60", f"{found[1]}/status")[:-3])["version"] == "1.0.0"
        console = process.communicate("\x1d", timeout=HANGS_S)[0]
    assert process.returncode == 0 and "app: the link is up, 100 Mbit/s" in console


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["verdict", "to the end"])
def test_a_browser_updates_it_by_the_form(web: Bench, browser: Chromium, tmp_path: Path, whole: bool) -> None:
    """A wrong file first; progress, verdict, the install begins, and the version that runs then."""
    (tmp_path / "wrong.sfb").write_bytes(b"no update at all\n" * 40)
    device = web.device
    with served(device) as address:
        tab = browser.open()
        tab.go(address.replace("127.0.0.1", "localhost"))
        tab.wait("document.querySelector('#version').textContent === '1.0.0'")
        assert tab.text("#board") == BOARD
        tab.choose("#file", tmp_path / "wrong.sfb")
        tab.click("#send")
        tab.wait("document.querySelector('#said').textContent === 'refused, nothing has changed: not an update file'")
        tab.choose("#file", web.new.patch)
        tab.click("#send")
        tab.wait(f"document.querySelector('#said').textContent.endsWith({INSTALLS!r})")
        assert tab.evaluate("document.querySelector('#progress').value") == 1
        while b"installing, pages: 1" not in device.twin.uart(CONSOLE).output:
            tab.evaluate("1")
        if whole:
            tab.wait("document.querySelector('#said').textContent === 'Version 1.1.0 runs.'")
            tab.wait("document.querySelector('#last').textContent === 'installed for good'")
            assert tab.text("#version") == version_of(device) == "1.1.0"
        assert not tab.problems
        tab.close()


@pytest.mark.soak
def test_a_closed_tab_and_the_next_one(web: Bench, browser: Chromium, tmp_path: Path) -> None:
    """Its update is given up; another tab sees how it went, and its own succeeds."""
    data = web.image + bytes(6 << 20)  # takes a while
    (tmp_path / "long.sfb").write_bytes(data)
    with served(web.device) as address:
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
        second.choose("#file", web.new.patch)
        second.click("#send")
        second.wait("document.querySelector('#said').textContent === 'Version 1.1.0 runs.'")
        second.close()
    assert version_of(web.device) == "1.1.0"


# clients that misbehave, in virtual time


def test_a_body_that_lies_about_its_length(net: Net, web: Bench) -> None:
    """Shorter than it says, and gone; longer, where so much as it says is judged; no number at all, and no length."""
    client, part = Client(net), web.image[:200]
    client.send(head(len(web.image)) + part)
    net.pump(1)
    assert not client.look()
    client.socket.close()
    net.heard("update not taken: the client went away before the end of the file", 0)
    assert asked(net, head(len(part)) + web.image) == (422, ENDED_EARLY)
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


def test_two_uploads_at_once(net: Net, web: Bench) -> None:
    """The second is told; the first goes on, and once it is gone the next has its place."""
    first = Client(net)
    first.send(head(len(web.image)) + web.image[:200])
    net.pump(0.5)
    assert asked(net, form(web.patch)) == (503, "another update is under way: wait for its end, or for a minute\n")
    assert json.loads(asked(net, b"GET /status HTTP/1.1\r\n\r\n")[1])["busy"] is True
    first.send(web.image[200:300])
    net.pump(0.5)
    assert not first.look()
    first.socket.close()
    net.pump(0.5)
    assert asked(net, head(5) + b"abcde") == (422, ENDED_EARLY)


def test_a_client_of_ten_bytes_a_second(net: Net, web: Bench) -> None:
    """Others are served meanwhile; after half a minute it has to have sent more, and its place is free."""
    slow, begun = Client(net), net.device.twin.time
    slow.send(head(len(web.image)))
    for at in range(0, 10_000, 10):
        slow.send(web.image[at : at + 10])
        if net.pump(1, slow.look):
            break
        if at == 100:
            assert asked(net, b"GET / HTTP/1.1\r\n\r\n")[0] == 200
    assert slow.answer() == (408, "refused, nothing has changed: the client is slower than 100 bytes a second\n")
    assert 29 < net.device.twin.time - begun < 36
    stays(net)


def test_the_page_for_five_at_once(net: Net) -> None:
    """Who reads slowly is served as well as all others."""
    clients = [Client(net) for _ in range(5)]
    for client in clients:
        client.send(b"GET / HTTP/1.1\r\n\r\n")
    answers = [client.answer() for client in clients]
    assert {code for code, _ in answers} == {200} and {page[-10:] for _, page in answers} == {"</script>\n"}


@pytest.mark.soak
def test_clients_that_say_nothing(net: Net, web: Bench) -> None:
    """In the head, in the body, and in front of their answer; as many as there are places, and one more."""
    silent = [Client(net) for _ in range(5)]
    net.pump(1)
    more = Client(net)
    assert net.pump(2, more.look), "it is turned away"
    assert {client.answer() for client in silent} == {(408, "no whole request came in ten seconds\n")}
    stopped = Client(net)
    stopped.send(head(len(web.image)) + web.image[:1000])
    assert stopped.answer() == (408, "refused, nothing has changed: the client was silent for 15 seconds\n")
    assert asked(net, b"GET /status HTTP/1.1\r\n\r\n")[0] == 200


FORM = "multipart/form-data"
HEADS = {
    "a long path": (b"GET /" + b"a" * 300 + b" HTTP/1.1\r\n\r\n", 414, "the path is too long"),
    "a long head": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 2000 + b"\r\n", 431, "the head of the request is too long"),
    "a long line that matters": (head("5", more=f"Content-Type: {FORM}{' ' * 300}; boundary=x\r\n"), 431,
                                 "a line of the head is too long"),
    "another protocol": (b"GET / FTP/1.1\r\n\r\n", 400, "this is not HTTP/1.1"),
    "no path": (b"GET * HTTP/1.1\r\n\r\n", 400, "this is not HTTP/1.1"),
    "TLS": (bytes.fromhex("1603010200010001fc0303") + b"\n", 405, "this server knows"),
    "no boundary": (head("5", more="Content-Type: multipart/form-data\r\n"), 400, "needs a boundary"),
    "a long boundary": (head("5", more=f"Content-Type: {FORM}; boundary={'x' * 71}\r\n"), 400, "needs a boundary"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_heads_that_are_refused(net: Net, name: str) -> None:
    request, code, words = HEADS[name]
    found = asked(net, request)
    assert found[0] == code and words in found[1], found
    assert asked(net, b"\r\nGET /status?x=1 HTTP/1.0\nhost:x\n\n")[0] == 200


def test_forms(net: Net, web: Bench) -> None:
    """Divided anywhere, by any boundary; one without a file, and one whose file is empty."""
    data = b"\r\n--\r\r\n-\r\n--" + b"not an update" * 20 + b"\r\n\r"
    for boundary in ("x", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "-" * 70):
        request = form(data, boundary=boundary)
        for size in (1 if boundary == "x" else 7, len(request)):
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


# what it costs


def test_size(web: Bench) -> None:
    flash, ram = len(web.old.loaded().data), web.old.ram
    print(f"{flash} bytes of flash, {ram} of RAM")
    assert flash <= BUDGETS["flash"] and ram <= BUDGETS["ram"]


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["patch", "image"])
def test_seconds_and_stack(net: Net, web: Bench, kind: str) -> None:
    """From the first byte to "confirmed"; the stack is what is not as it was at power-on, at the end of RAM."""
    named = web.old.symbols
    data, start, begun = getattr(web, kind), net.said, net.device.twin.time
    assert asked(net, form(data))[0] == 200
    received = net.device.twin.time - begun
    memory = net.device.twin.ram_read(named["_ebss"], named["_estack"] - named["_ebss"])
    stack = len(memory) - next(at for at in range(0, len(memory), 4) if memory[at : at + 4] != bytes([FILL]) * 4)
    net.heard(CONFIRMED, start)
    took = net.device.twin.time - begun
    print(f"{kind}: answered after {received:.2f} s, confirmed after {took:.2f} s, {stack} bytes of stack")
    assert took <= BUDGETS[f"{kind}_s"] and stack <= BUDGETS["stack"]
