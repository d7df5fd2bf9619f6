"""`spboot publish`, its index, the choice by it, and the client of examples/fleet at servers with and without range."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from spboot import choice, cli, fleet, stick
from spboot.boards import Board
from spboot.choice import Installed
from spboot.errors import AuthenticationError, FormatError
from spboot.fleet import Entry, Index, Member
from spboot.version import Version
from tests.fleet_world import KINDS, LATER, VERSIONS, World, digest

CLIENT = Path(__file__).parents[2] / "examples" / "fleet" / "client.py"
L4 = ("demo", "NUCLEO-L476RG")
HANGS_S = 60


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("world"))
    for version in VERSIONS:
        made.make(version)
    made.publish()
    return made


@pytest.fixture
def index(world: World) -> Index:
    return Index.load(world.site)


def member(world: World, kind: tuple[str, str], runs: str, **more: str) -> Member:
    told = {"product": kind[0], "board": kind[1], "version": runs, "digest": digest(world.images[*kind, runs])}
    return Member.parse(told | more)


def test_each_gets_its_patch_or_the_full_image(world: World, index: Index) -> None:
    for kind in KINDS:
        for version in VERSIONS[:-1]:
            found = index.choose(member(world, kind, version))
            assert found is not None and (found.product, found.board) == kind and str(found.version) == VERSIONS[-1]
            single = Board.load(kind[1]).slot1 is None
            assert found.base == (None if single else Version.parse(version))
        assert index.choose(member(world, kind, VERSIONS[-1])) is None


def test_what_no_patch_starts_from_gets_the_full_image(world: World, index: Index) -> None:
    """Another image of that version, a version that nobody published, and a device without an application; one that
    does not tell its digest is taken at its word; nothing older, nothing for who is unknown."""
    for told in ({"digest": "0" * 64}, {"version": "1.0.7"}, {"version": "0.0.0", "digest": ""}):
        found = index.choose(member(world, L4, "1.0.0", **told))
        assert found is not None and found.base is None and found.file.endswith("lamp-1.2.0.sfb")
    found = index.choose(member(world, L4, "1.0.0", digest=""))
    assert found is not None and found.base == Version(1, 0, 0)
    for told in ({"version": "1.2.1"}, {"product": "other"}, {"board": "LAMP"}):
        assert index.choose(member(world, L4, "1.0.0", **told)) is None


def test_half_of_two_parts_is_compared(world: World, index: Index) -> None:
    """A device with slots of two parts knows the digest of the first one; its patches name both."""
    kind = ("demo", "DISCO-F469I-EXT")
    found = index.choose(member(world, kind, "1.1.0"))
    assert found is not None and found.base_digest == digest(world.images[*kind, "1.1.0"])[:8]
    found = index.choose(member(world, kind, "1.1.0", digest="0" * 64))
    assert found is not None and found.base is None


def test_it_chooses_as_a_device_chooses_from_a_stick(world: World, index: Index, tmp_path: Path) -> None:
    """All files of a board on one stick: the device takes the one that the index gives it."""
    for kind in KINDS:
        board, folder = Board.load(kind[1]), tmp_path / "-".join(kind)
        folder.mkdir()
        for each in index.entries:
            if (each.product, each.board) == kind:
                (folder / each.file.replace("/", "-")).write_bytes((world.site / each.file).read_bytes())
        for version in VERSIONS:
            installed = Installed.of(world.images[*kind, version])
            taken = stick.best(stick.look(folder, board, kind[0], installed))
            found = index.choose(member(world, kind, version))
            assert (taken and taken.path.name) == (found and found.file.replace("/", "-"))


def test_equal_versions_by_size_and_nothing_of_nothing() -> None:
    def made(version: str, size: int) -> Entry:
        return Entry(
            file="", size=size, sha256="", product="", board="", version=Version.parse(version)
        )  # fmt: skip

    large, small, old = made("1.1.0", 9), made("1.1.0", 8), made("1.0.0", 1)
    assert choice.best([old, large, small]) is small and choice.best([]) is None


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"product": None}, "product is None"), ({"board": ["x"]}, "board is"), ({"version": 1}, "version is 1"),
        ({"version": "1.0"}, ""), ({"version": "v1.x.0"}, "version is 'v1.x.0'"), ({"digest": "ab"}, "64 hex digits"),
        ({"digest": 5}, "64 hex digits"), ({"digest": "g" * 64}, "64 hex digits"),
    ],
)  # fmt: skip
def test_what_devices_may_tell(told: dict[str, object], words: str) -> None:
    facts = {"product": "demo", "board": "X", "version": "1.0.0", "digest": "AB" * 32} | told
    if not words:
        Member.parse(facts)
        return
    with pytest.raises(FormatError, match=words):
        Member.parse(facts)


def test_the_index_is_read_back(index: Index, world: World) -> None:
    data = (world.site / "index.json").read_bytes()
    assert Index.parse(data) == index and index.text().encode() == data
    assert len(index.entries) == 4 * 6 + 3
    assert sorted(path.suffix for path in world.site.rglob("*") if path.is_file()) == sorted(
        [".json", *(Path(each.file).suffix for each in index.entries)]
    ), "something else than updates was published"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file": "../keys/signing.pem"}, "file is"), ({"file": "0123456789abcdef/../x.sfb"}, "file is"),
        ({"file": "0123456789abcdef/x.hex"}, "file is"), ({"file": "0123456789abcdef/.x.sfb"}, "file is"),
        ({"size": -1}, "size is -1"), ({"sha256": "12"}, "sha256 is"), ({"version": "1.x"}, "version"),
        ({"base": "1.0.0", "base_digest": ""}, "base_digest is"),
        ({"base": "1.0.0", "base_digest": None}, "base_digest"),
        ({"product": 3}, "product is 3"),
    ],
)  # fmt: skip
def test_an_index_with_a_mistake(index: Index, change: dict[str, object], words: str) -> None:
    table = json.loads(index.text())
    table["updates"][3] |= change
    with pytest.raises(FormatError, match=words):
        Index.parse(json.dumps(table).encode())


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1}', '{"format": 1, "updates": [1]}', "[" * 9999]
)
def test_what_is_no_index(text: str) -> None:
    with pytest.raises(FormatError):
        Index.parse(text.encode())


def test_a_gateway_passes_nothing_on_that_is_not_signed(index: Index, world: World) -> None:
    """Damage, another file of the index, another base, another product's keys, and a file that a forger signed."""
    entry = next(each for each in index.entries if each.base and (each.product, each.board) == L4)
    data, keys = (world.site / entry.file).read_bytes(), world.public["demo"]
    entry.check(data, keys)
    for wrong in (data[:-1], data + b"x", bytes([data[0] ^ 1]) + data[1:], data[:-1] + bytes([data[-1] ^ 1])):
        with pytest.raises(FormatError, match="get the release again"):
            entry.check(wrong, keys)
    with pytest.raises(FormatError, match="starts from another image"):
        _with(entry, base_digest="0" * 16).check(data, keys)
    with pytest.raises(FormatError, match="another version"):
        _with(entry, version=Version(9, 0, 0)).check(data, keys)
    with pytest.raises(AuthenticationError):
        entry.check(data, world.public["lamp"])


def _with(entry: Entry, **changes: object) -> Entry:
    return dataclasses.replace(entry, **changes)  # type: ignore[arg-type]


def test_a_forgers_release_is_not_published(world: World, tmp_path: Path) -> None:
    forger = World(tmp_path / "forger", key_folders={"lamp": world.key_folders["lamp"]})
    forger.make("1.0.0")
    with pytest.raises(AuthenticationError):
        fleet.publish([forger.releases("demo")], tmp_path / "site", world.public["demo"])
    assert not (tmp_path / "site").exists()


def test_a_release_that_changed_is_not_published(world: World, tmp_path: Path) -> None:
    place = tmp_path / "releases"
    shutil.copytree(world.releases("lamp"), place)
    with pytest.raises(FormatError, match=r"are both 1\.2\.0 for NUCLEO-L476RG"):
        fleet.publish([place, place / "NUCLEO-L476RG-1.2.0"], tmp_path / "site", world.public["lamp"])
    file = next(place.glob("*-1.1.0/*.sfb"))
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(FormatError, match=r"release\.json says"):
        fleet.publish([place], tmp_path / "site", world.public["lamp"])
    with pytest.raises(FormatError, match=r"has no release\.json"):
        fleet.publish([tmp_path], tmp_path / "site", world.public["lamp"])
    for site in (place, place / "NUCLEO-L476RG-1.0.0"):
        with pytest.raises(FormatError, match="has releases in it"):
            fleet.publish([place / "NUCLEO-L476RG-1.0.0"], site, world.public["lamp"])


def test_publish_command(world: World, tmp_path: Path) -> None:
    """A product replaces its own updates and leaves others; files of before stay for who is in the middle of one."""
    site = tmp_path / "site"
    folder = world.releases("demo")

    def run(*folders: Path, product: str) -> dict[str, list[dict[str, object]]]:
        keys = world.key_folders[product]
        words = ["publish", *map(str, folders), str(site), "--keys", str(keys), "--json"]
        done = CliRunner().invoke(cli.root, words)
        assert done.exit_code == 0, done.output
        found: dict[str, list[dict[str, object]]] = json.loads(done.output)
        return found

    assert len(run(folder, product="demo")["updates"]) == 3 * 6 + 3
    assert len(run(world.releases("lamp"), product="lamp")["updates"]) == 4 * 6 + 3
    files = set(site.rglob("*.sfb*"))
    assert len(run(folder / "NUCLEO-L476RG-1.0.0", folder / "NUCLEO-L476RG-1.1.0", product="demo")["updates"]) == 3 + 6
    assert set(site.rglob("*.sfb*")) == files
    done = CliRunner().invoke(cli.root, ["publish", str(folder), str(site), "--keys", str(world.key_folders["lamp"])])
    assert done.exit_code == 1 and isinstance(done.exception, AuthenticationError)


class Ranges(SimpleHTTPRequestHandler):
    """A server with ranges, that breaks off once in each file."""

    broken: set[str]
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        path, asked = Path(self.translate_path(self.path)), self.headers.get("Range")
        type(self).asked.append((path.name, asked))
        data = path.read_bytes()
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if path.suffix != ".json" and path.name not in self.broken:
            self.broken.add(path.name)
            data = data[: start + 150]
            self.close_connection = True
        self.wfile.write(data[start:])

    def log_message(self, *_: object) -> None:
        pass


class Plain(SimpleHTTPRequestHandler):
    """Python's own, which knows no ranges."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=[Ranges, Plain])
def server(request: pytest.FixtureRequest, world: World) -> Iterator[tuple[type, str]]:
    Ranges.broken, Ranges.asked = set(), []
    found = ThreadingHTTPServer(("127.0.0.1", 0), partial(request.param, directory=str(world.site)))
    thread = Thread(target=found.serve_forever)
    thread.start()
    yield request.param, f"http://127.0.0.1:{found.server_address[1]}/"
    found.shutdown()
    thread.join(HANGS_S)
    found.server_close()


def client(site: str, output: Path, keys: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(CLIENT), site, "--product", "demo", "--board", L4[1], "--keys", str(keys)]
    return subprocess.run([*words, "-o", str(output), *more], capture_output=True, text=True, timeout=HANGS_S)


def test_the_client(server: tuple[type, str], world: World, tmp_path: Path) -> None:
    """It goes on where the connection broke, where the server can; it checks what it got, and keeps nothing of a file
    that fails."""
    kind, url = server
    told = ("--version", "1.0.0", "--digest", digest(world.images[*L4, "1.0.0"]))
    keys = world.key_folders["demo"]
    if kind is Ranges:
        done = client(url, tmp_path / "next", keys, *told)
        assert done.returncode == 1 and "broke off at byte 150 of" in done.stderr, done.stderr
    done = client(url, tmp_path / "next", keys, *told)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'next.sfbp'}\n"), done.stderr
    if kind is Ranges:
        assert Ranges.asked[-1] == ("lamp-1.0.0-1.2.0.sfbp", "bytes=150-")
    assert stick.judge(
        Path(),
        (tmp_path / "next.sfbp").read_bytes(),
        Board.load(L4[1]),
        "demo",
        Installed.of(world.images[*L4, "1.0.0"]),
    ).fits
    assert [path.name for path in tmp_path.iterdir()] == ["next.sfbp"]
    assert client(url, tmp_path / "next", keys, "--version", "1.2.0").stdout == "up to date\n"
    done = client(url, tmp_path / "next", world.key_folders["lamp"], *told)
    assert (done.returncode, done.stdout) == (1, "") and "client: " in done.stderr and not list(tmp_path.glob("*.part"))
    done = client(url, tmp_path / "next", keys, "--version", "one")
    assert done.returncode == 1 and "version is 'one'" in done.stderr


def test_the_lines_of_the_page(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python of docs/fleet.md, beside a site and keys."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(world.site, "site")
    shutil.copytree(world.key_folders["lamp"], "keys")
    text = (CLIENT.parents[2] / "docs" / "fleet.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(text.split("```python\n")[1].split("```")[0], names)
    assert names["entry"].base == Version(1, 0, 0)


def test_a_release_that_is_added(world: World, tmp_path: Path) -> None:
    """Who looks before sees the index of before, whole; who looks after it the new one."""
    own = World(tmp_path, key_folders=world.key_folders)
    own.make("1.0.0")
    before = own.publish()
    own.make("1.1.0")
    after = own.publish()
    asking = member(world, L4, "1.0.0")
    found = after.choose(asking)
    assert before.choose(asking) is None and found is not None and str(found.version) == "1.1.0"
    assert {each.file for each in before.entries} < {each.file for each in after.entries}
    assert not list(own.site.rglob("*.part")) and not list(own.site.rglob(".*"))
    assert LATER not in own.publish().text()
