"""What the documents say is so: numbers, worked examples, links, commands, named invariants, lengths."""

from __future__ import annotations

import ast
import hashlib
import re
import shlex
from pathlib import Path

import click
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from spboot import boards, cli, delta, keys, release
from spboot.boards import Board
from spboot.builder.personal import personal_area
from spboot.formats.comb import comb_table
from spboot.formats.spec import record, spec
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version

ROOT = Path(__file__).resolve().parents[2]
FORMAT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
PAGES = sorted(
    path
    for folder, pattern in (("", "*.md"), ("docs", "**/*.md"), ("spec", "*.md"), ("examples", "*/*.md"))
    for path in (ROOT / folder).glob(pattern)
)
RECORDS = ("manifest", "extension", "header", "journal.entry", "journal.mark", "keys", "abi", "personal", "delta_file")

INVARIANT = re.compile(r"^ \* ([A-Z][0-9]+) {2}", re.MULTILINE)

TESTED_BY = {
    "boot": ("system",),
    "core": ("core", "delta", "fuzz", "system"),
    "crypto": ("crypto", "system"),
    "driver": ("core", "system", "twin"),
    "loader": ("core", "system"),
    "usb": ("usb", "fuzz", "system"),
}
"""Room of the firmware -> folders of tests that may name its invariants."""

UNCOVERED: dict[str, str] = {
    "boot/api.c B1": "no test has a second task call while one is inside",
    "boot/api.c B2": "no test calls from an interrupt handler",
    "crypto/aes.h A2": "a duty of the caller; test_release.py::test_artefacts_that_differ_have_their_own_nonce",
    "crypto/aes.h A3": "no test measures time against key or data",
    "crypto/p256.c Z1": "an argument in a comment; the generated vectors meet infinity and equal points",
    "crypto/sha256.h H2": "a limit for the caller: no message here comes near it",
    "driver/flash_ecc.c L1": "no test reads the lock bit between operations",
    "driver/flash_ecc.c L2": "the twin has no data cache",
    "driver/flash_l0.c L3": "the updates of the L0 boards run it; the twin refuses it from flash (tests/twin)",
    "loader/trigger.h T1": "no test types without end into the window",
}
"""`room/file Name` -> why no test names it yet.  Naming it in a test that shows it takes it off the list."""


def tables(marker: str) -> dict[str, list[list[str]]]:
    """name -> rows of the tables under `<!-- marker: name -->`, without head and rule."""
    found = {}
    for name, text in re.findall(rf"<!-- {marker}: (\S+) -->\n((?:\|.*\n)+)", FORMAT):
        rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines()]
        found[name] = rows[2:]
    return found


def number(cell: str) -> int:
    return int(cell.replace(",", ""), 0)


def example(name: str) -> bytes:
    """The bytes of an indented hex block; what stands behind two blanks or more is a comment."""
    text = re.search(rf"<!-- example: {name} -->\n((?: {{4}}.*\n)+)", FORMAT)
    assert text, f"docs/format.md has no example {name}"
    return bytes.fromhex("".join(re.split(r" {2,}", line.strip())[0] for line in text[1].splitlines()))


def test_every_table_of_the_formats_is_checked() -> None:
    markers = re.findall(r"<!-- (\S+): (\S+) -->\n\|", FORMAT)
    assert len(markers) == len(set(markers))
    checked = {("spec", name) for name in (*RECORDS, "constants", "gates", "status")}
    checked |= {("board", name) for name in boards.names()} | {("journal", name) for name in boards.names()}
    assert set(markers) <= checked
    unmarked = re.findall(r"(?<!-->\n)^\| \w.*\n\|---", FORMAT, re.MULTILINE)
    assert unmarked == ["| part | bytes |\n|---"], "the summary of the update file needs no check of its own"


@pytest.mark.parametrize("name", RECORDS)
def test_records(name: str) -> None:
    table, _, prefix = name.partition(".")
    layout = record(table, f"{prefix}_" if prefix else "")
    told = [(number(row[0]), number(row[1]), row[2].strip("`")) for row in tables("spec")[name]]
    assert told == [(field.offset, field.size, field.name) for field in layout.fields]


def test_constants() -> None:
    told = {row[0].strip("`"): number(row[1]) for row in tables("spec")["constants"]}
    facts = {
        f"{table}.{key}": value
        for table, values in spec().items()
        if isinstance(values, dict)
        for key, value in values.items()
        if isinstance(value, int)
    }
    assert told == {"format": spec()["format"], **facts}


def test_magics_spell_what_is_said() -> None:
    for row in tables("spec")["constants"]:
        text = row[2].strip("`")
        if re.fullmatch(r"[A-Z0-9]{2,4}", text):
            assert number(row[1]).to_bytes(len(text), "little") == text.encode()


def test_gates_and_status_codes() -> None:
    abi = spec()["abi"]
    told = [(number(row[0]), number(row[1]), row[2].strip("`")) for row in tables("spec")["gates"]]
    assert told == [(i, abi["gate_offset"] + i * abi["gate_stride"], name) for i, name in enumerate(abi["gates"])]
    status = {}
    for row in tables("spec")["status"]:
        for code, text in (row[:2], row[2:]):
            if code:
                status[number(code)] = text
    expected = {
        code: f"`{name}`" + (" (not used)" if text == "not used" else "")
        for code, (name, text) in enumerate(spec()["status"]["codes"])
    }
    assert status == expected


def test_flash_plan_and_places_in_the_journal() -> None:
    plans, places = tables("board"), tables("journal")
    assert plans and plans.keys() == places.keys()
    for name, rows in plans.items():
        board = Board.load(name)
        for area, address, size, _ in rows:
            found = getattr(board, area.strip("`"))
            assert (number(address), number(size)) == (found.address, found.size)
        memory = board.chip.memory_at(board.slot0.address)
        sizes = {
            "page": spec()["journal"]["entry_size"],
            "mark": spec()["journal"]["mark_size"],
            "step": spec()["journal"]["entry_size"],
        }
        offset, expected = 0, []
        for kind, size in sizes.items():
            padded = -(-size // memory.program_unit) * memory.program_unit
            expected.append((kind, offset, size, padded))
            offset += padded
        assert [(row[0].strip("`"), *map(number, row[1:])) for row in places[name]] == expected


@pytest.fixture(scope="module")
def example_keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The key folder of the worked example, from the numbers on the page."""
    folder = tmp_path_factory.mktemp("docs") / "example"
    folder.mkdir()
    values = dict(re.findall(r"^ {4}(signing key|public key x|public key y|AES key) +([0-9a-f]+)$", FORMAT, re.M))
    signing = ec.derive_private_key(int(values["signing key"], 16), ec.SECP256R1())
    point = signing.public_key().public_numbers()
    assert (point.x, point.y) == (int(values["public key x"], 16), int(values["public key y"], 16))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    for name, data in (
        (keys.SIGNING, signing.private_bytes(pem, pkcs8, serialization.NoEncryption())),
        (keys.ENCRYPTION, values["AES key"].encode()),
        (keys.PRODUCT, b'product = "example"\ndevelopment = true\n'),
    ):
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    return Keys.load(folder, need_private=True)


def test_worked_example(example_keys: Keys) -> None:
    old = example("old")
    new = old[:40] + b"\xff" + old[41:]
    board = Board.load("NUCLEO-L476RG")
    v1, v2 = Version(1, 0, 0), Version(1, 0, 1)
    first, second = (Image(data=data, board=board, version=version) for data, version in ((old, v1), (new, v2)))
    assert release.full_image(first, keys=example_keys) == example("image")
    assert release.patch(first, second, keys=example_keys) == example("patch")
    assert delta.encode_file(old, new, base=board.image_address) == example("delta")
    for name in ("image", "patch"):
        header = release.Artefact.parse(example(name)).header
        nonce = hashlib.sha256(header.manifest.pack()).digest()[: spec()["cipher"]["nonce_size"]]
        assert header.chunk_hash.hex() in FORMAT
        assert nonce.hex() in FORMAT
    assert personal_area(example_keys).startswith(example("personal"))
    point = example_keys.verify.public_numbers()
    assert comb_table(point.x, point.y).startswith(example("comb"))


def test_worked_journal() -> None:
    def entry(value: int) -> bytes:
        return record("journal", "entry_").pack(value=value, check=value ^ 0xFFFF).ljust(8, b"\xff")

    facts = spec()["journal"]
    mark = b"COMM" + release.Artefact.parse(example("patch")).header.signature[:4]
    assert example("journal") == entry(0) + mark + entry(facts["step"]) + entry(facts["step_finished"])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{link}: there is no {target}"
        if anchor and path.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in slugs, f"{link}: no such heading"


def commands(page: Path) -> set[tuple[str, ...]]:
    """(command, options ...) of every line in a fenced or indented block, or code span, that calls spboot."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^(?: {4}|\$ )?(?:\.venv/bin/)?(spboot [a-z].*)$", text, re.MULTILINE)
    lines += [" ".join(span.split()) for span in re.findall(r"`(spboot [a-z][^`]*)`", text)]
    return {tuple(shlex.split(line.split(" #")[0])[1:]) for line in lines}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    for words in commands(page):
        command: click.Command = cli.root
        context = click.Context(command)
        rest = list(words)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            found = command.get_command(context, rest.pop(0))
            assert found, f"{page.name}: spboot {' '.join(words)}: no such command"
            command = found
        options = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h", "--version"}
        for word in rest:
            if word.startswith("-"):
                assert word in options, f"{page.name}: spboot {' '.join(words)}: no option {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_names_in_them_exist(page: Path) -> None:
    """A path in a code span is there, and so is `NAME` of `path`, or `NAME` and `NAME` of `path`."""
    if page.parent.name == "decisions":
        return  # pages of their day
    text = " ".join(page.read_text(encoding="utf-8").split())
    path = r"(?:src(?=/spboot)|firmware|tests|tools|spec|docs|bench)/[\w./-]+"
    for name in re.findall(rf"`({path})`", text):
        assert "NAME" in name or (ROOT / name).exists(), f"{page.name}: there is no {name}"
    for names, file in re.findall(rf"((?:`\w+`(?:, | and )?)+) of `({path}\.py)`", text):
        source = (ROOT / file).read_text(encoding="utf-8")
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"\b{name}\b", source), f"{page.name}: {file} has no {name}"


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        named = set(
            re.findall(
                r"`make ([a-z-]+)(?: [A-Z]+=[^`]*)?`|^(?: {4})?make ([a-z-]+)", page.read_text(encoding="utf-8"), re.M
            )
        )
        assert {a or b for a, b in named} <= targets, page.name


def invariants() -> set[str]:
    """`path Name` of every invariant that a header or source of the firmware names."""
    return {
        f"{path.relative_to(ROOT / 'firmware')} {name}"
        for pattern in ("*.h", "*.c")
        for path in (ROOT / "firmware").rglob(pattern)
        for name in INVARIANT.findall(path.read_text(encoding="utf-8"))
    }


def body(path: Path) -> str:
    """The text of a test file; of Python without the module's docstring, which may speak of names in passing."""
    text = path.read_text(encoding="utf-8")
    intro = ast.get_docstring(ast.parse(text), clean=False) if path.suffix == ".py" else None
    return text.replace(intro, "", 1) if intro else text


def test_every_invariant_is_named_by_a_test() -> None:
    texts = {
        room: "\n".join(
            body(path)
            for folder in folders
            for path in (ROOT / "tests" / folder).rglob("*")
            if path.suffix in (".py", ".c", ".h")
        )
        for room, folders in TESTED_BY.items()
    }
    found = invariants()
    uncovered = {
        key
        for key in found
        if not re.search(
            rf"(?<![A-Za-z0-9]){key.split()[1]}(?![0-9A-Za-z])|test_(\w+_)?{key.split()[1].lower()}_",
            texts[key.split("/")[0]],
        )
    }
    assert uncovered <= UNCOVERED.keys(), "name it in a test that shows it, or say in UNCOVERED why none does"
    assert UNCOVERED.keys() <= found, "UNCOVERED names what is no longer there"


SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def named_tests(text: str) -> list[tuple[str, str]]:
    """(file below tests/, function or "") of every code span; one that begins with :: is of the file before it."""
    found, last = [], ""
    for file, function in re.findall(r"`(\w+/test_\w+\.py)?(?:::(test_\w+))?`", text):
        last = file or last
        if file or function:
            found.append((last, function))
    return found


def rows(head: str) -> list[list[str]]:
    """The cells of every row of each table of docs/security.md whose first line begins with *head*."""
    tables = re.findall(rf"^{re.escape(head)}.*\n\|[-|]+\|\n((?:\|.*\n)+)", SECURITY, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for table in tables for line in table.splitlines()]


def test_every_test_that_the_security_page_names_is_there() -> None:
    named = named_tests(SECURITY)
    assert len(named) > 100
    for file, function in named:
        path = ROOT / "tests" / file
        assert path.is_file(), f"docs/security.md: there is no tests/{file}"
        assert not function or f"def {function}(" in path.read_text(encoding="utf-8"), f"no {function} in tests/{file}"


def test_every_attack_is_stopped_and_shown_or_said_not_to_be() -> None:
    attacks = rows("| attack | what stops it | shown by |")
    assert len(attacks) > 45
    for cells in attacks:
        assert len(cells) == 3, cells
        attack, stop, shown = cells
        assert attack and stop, cells
        assert named_tests(shown) or re.search(r"\bnothing\b", stop), f"{attack}: no test shows that it is stopped"
        for span in re.findall(r"`([^`]+)`", shown):
            assert "test_" in span, f"{attack}: {span} is no test"


def test_peers_have_a_word_for_each_property_and_a_note_for_each_peer() -> None:
    properties = [*rows("| | spboot |"), *rows("| evidence | spboot |")]
    assert len(properties) > 15
    assert {len(cells) for cells in properties} == {7}
    assert all(all(cells) for cells in properties)
    peers = SECURITY.split("## Peers")[1]
    notes = re.findall(r"^\[(\d)\] \S", peers, re.MULTILINE)
    cited = re.findall(r"(?<!^)\[(\d)\]", peers, re.MULTILINE)
    assert notes == sorted(notes) and set(notes) == set(cited)
    assert not re.search(r"https?://|\bnobody\b has|the only", peers)


def test_architecture_is_short() -> None:
    assert len((ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 120
