"""The site of the documents: built without a warning, nothing is missing in what is generated, nothing asks the net."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest

import spboot
from spboot import boards, cli
from spboot.formats.spec import spec
from tests.system.shelf import Shelf
from tools.site import costs, header, navigation
from tools.site.pages import FILES, ROOT, Tree

HANGS_S = 600


class Reader(HTMLParser):
    """Addresses and anchors of one page; *fetched*: what a browser loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif "src" in found:
            self.fetched.append(found["src"])
        elif tag == "link" and found.get("rel") in ("stylesheet", "preload", "icon"):
            self.fetched.append(found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as by `make docs`, once for all workers."""
    shelf = Shelf("site", tmp_path_factory.mktemp("docs"))

    def build() -> Path:
        output = shelf.folder / "site"
        command = [sys.executable, "-m", "tools.site", "--output", str(output)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANGS_S)
        assert done.returncode == 0, done.stderr
        return output

    return Path(shelf.once("built", build))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Reader]:
    return {path: Reader(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def text(site: Path, name: str) -> str:
    """A page without its tags."""
    return unescape(re.sub(r"<[^>]+>", "", (site / name).read_text(encoding="utf-8")))


def test_links_and_anchors(pages: dict[Path, Reader], site: Path) -> None:
    wrong = []
    for path, page in pages.items():
        for link in (*page.links, *page.fetched):
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "mailto", "data"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_relative_to(site.resolve()) or not target.exists():
                wrong.append(f"{path.relative_to(site)}: {link}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                wrong.append(f"{path.relative_to(site)}: {link}: no such anchor")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_fetched_from_the_net(pages: dict[Path, Reader], site: Path) -> None:
    """The search included: its index is a script of the site."""
    assert len(pages) > 100
    for path, page in pages.items():
        assert not [link for link in page.fetched if urlsplit(link).scheme not in ("", "data")], path
    assert "troubleshooting" in (site / "searchindex.js").read_text(encoding="utf-8")
    assert "searchindex.js" in pages[site / "search.html"].fetched


def test_every_page_is_in_the_order_once() -> None:
    order = tomllib.loads((ROOT / "tools" / "site" / "navigation.toml").read_text(encoding="utf-8"))["part"]
    named = [navigation.page_of(entry) for part in order for entry in part["pages"]]
    assert len(named) == len(set(named)) > 20


def test_a_page_that_is_new_is_in_the_order(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.pages.append(Path("docs/new.md"))
    tree.write("docs/new.md", "# New\n")
    navigation.write(tree)
    assert "docs/new\n" in (tmp_path / "index.md").read_text(encoding="utf-8").partition(":caption: More")[2]


def test_every_file_that_is_linked_is_shown(site: Path) -> None:
    shown = {path.relative_to(site / FILES) for path in (site / FILES).rglob("*.html")}
    assert {Path("spec/spboot.toml.html"), Path("tests/system/rtos/index.html"), Path("budgets.toml.html")} <= shown


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found, name
            yield from commands(found, (*path, name))


def test_every_command_option_and_example(site: Path) -> None:
    for path, command in commands(cli.root, ("spboot",)):
        name = path[1] if len(path) > 1 else "index"
        page = text(site, f"commands/{name}.html")
        assert " ".join(path) in page
        for parameter in command.params:
            assert all(option in page for option in parameter.opts if option.startswith("-")), path
        if name != "index":
            for line in (command.help or "").partition("Examples:\n")[2].splitlines():
                assert line.strip() in page, line


def test_every_function_type_and_code_of_the_header(site: Path) -> None:
    source = header.PATH.read_text(encoding="utf-8")
    names = {name for item in header.items() for name in item.names}
    functions = {name for item in header.items() if item.function for name in item.names}
    assert functions == set(spec()["abi"]["gates"])
    assert names >= set(re.findall(r"^#define (\w+)", source, re.MULTILINE)) - {"SPBOOT_H"}
    assert names >= set(re.findall(r"^(?:typedef .*)?\} (\w+);", source, re.MULTILINE))
    page = text(site, "reference/api.html")
    assert all(name in page for name in names)
    assert all(words in page for _, words in spec()["status"]["codes"])


def test_every_name_of_the_library(pages: dict[Path, Reader], site: Path) -> None:
    anchors = pages[site / "reference" / "python.html"].anchors
    assert {f"spboot.{name}" for name in spboot.__all__} <= anchors
    assert {"spboot.Board.load", "spboot.Device.update", "spboot.Keys.new"} <= anchors


def test_every_board(site: Path) -> None:
    measured = costs.load()
    assert list(measured) == list(boards.names()), "run make costs BOARDS=NAME"
    for name in boards.names():
        page = text(site, f"boards/{name}.html")
        assert boards.Board.load(name).chip.name in page
        assert list((site / "_images").glob(f"{name}.svg"))
        assert f"{measured[name][0].all_s:.2f} s" in page
