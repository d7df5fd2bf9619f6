"""`spboot web`: what it writes, for whom, and where it shows it.  What a browser makes of it is in tests/web."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from spboot.boards import Board
from spboot.errors import LinkError
from spboot.keys import Keys
from spboot.web import page
from spboot.web.facts import Purpose, facts, vendor
from spboot.web.server import Server

from .conftest import TARGET
from .typed import typed

MODULES = sorted(path.stem for path in Path(page.__file__).parent.glob("*.js"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with keys, here."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spboot.toml").write_text(f'board = "{TARGET}"\nkeys = "keys"\nname = "lamp"\n')
    Keys.new(tmp_path / "keys", "torch", development=True)
    return tmp_path


def purpose_in(path: Path) -> dict[str, object]:
    """Whom a page says that it is for."""
    found = re.search(r"const FACTS = (\{.*\});", path.read_text(encoding="utf-8"))
    assert found
    purpose: dict[str, object] = json.loads(found[1])["purpose"]
    return purpose


def test_a_page_for_the_project(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = typed("web", monkeypatch, capsys)
    assert (code, err) == (0, "")
    assert out.startswith("web/index.html: for torch on NUCLEO-L476RG; open it in a browser with WebSerial")
    made = purpose_in(project / "web" / "index.html")
    assert (made["name"], made["board"], made["product"]) == ("lamp", TARGET, "torch")
    assert (made["baud"], made["filters"]) == (115_200, [{"usbVendorId": 0x0483}])
    secret = (project / "keys" / "encryption.key").read_text().strip()
    assert secret and secret not in (project / "web" / "index.html").read_text()


def test_a_page_for_any_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = typed("web -o a/b --key u --vendor 0403:6001 --json", monkeypatch, capsys)
    assert code == 0 and json.loads(out) == {"file": "a/b/index.html", "board": None, "product": None}
    made = purpose_in(tmp_path / "a" / "b" / "index.html")
    assert (made["board"], made["key"]) == (None, "u")
    assert made["filters"] == [{"usbVendorId": 0x0403, "usbProductId": 0x6001}]


def test_usb_numbers() -> None:
    assert vendor("0483") == (0x0483, None) and vendor("0483:374B") == (0x0483, 0x374B)


def test_the_policy_is_that_of_the_script_and_the_style() -> None:
    html = page.html(Purpose(board=Board.load(TARGET)))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy and policy[1].startswith("default-src 'none'; ") and "connect-src" not in policy[1]
    for tag in ("script", "style"):
        inline = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", html, re.DOTALL)
        assert len(inline) == 1
        digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]


def test_every_module_is_in_the_page_once_and_behind_what_it_imports() -> None:
    code = page.script(Purpose(), "main")
    at = {name: code.index(f"const ${name} = ") for name in (*MODULES, "facts")}
    assert len(re.findall(r"^const \$\w+ = ", code, re.MULTILINE)) == len(MODULES) + 1
    assert "import " not in code and "export " not in code
    for name in MODULES:
        text = (Path(page.__file__).parent / f"{name}.js").read_text(encoding="utf-8")
        for names, other in re.findall(r'^import \{([^}]*)\} from "\./(\w+)\.js";$', text, re.MULTILINE):
            assert at[other] < at[name]
            exported = re.search(rf"^const \${other} = .*?^return \{{ (.*?) \}};", code, re.MULTILINE | re.DOTALL)
            assert exported and {each.strip() for each in names.split(",")} <= set(exported[1].split(", ")), (
                name,
                other,
            )


def test_the_facts_are_those_of_the_spec() -> None:
    """An offset that moves in spec/ moves in the page."""
    known = facts(Purpose())
    assert [row[0] for row in known["manifest"]["fields"]][:4] == ["magic", "format", "kind", "signature_count"]
    assert known["boards"].keys() >= {TARGET} and known["line"]["call"] == ord("C")
    json.dumps(known)


def test_the_server_shows_one_page_to_this_machine(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from spboot.cli import main; main()", "web", "--serve", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout
    try:
        said = process.stdout.readline()
        address = said.split()[0]
        assert re.fullmatch(r"http://localhost:\d+/  Ctrl-C ends it\n", said)
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert answer.read().decode() == page.html(Purpose())
            assert answer.headers["X-Frame-Options"] == "DENY"
        for other in ("other.html", "../spboot.toml", "index.html/x"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(address + other, timeout=20)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert not list(tmp_path.iterdir()), "--serve alone writes nothing"


def test_a_port_that_is_taken() -> None:
    with Server("x", 0) as server, pytest.raises(LinkError, match="Address already in use: choose another one, or 0"):
        Server("x", server.server_port)
