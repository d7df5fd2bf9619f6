"""The command line: what people type, see and get."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from spboot import boards, cli, release
from spboot.boards import Board
from spboot.cli import files
from spboot.keys import Keys

from . import elf
from .conftest import BOARD, NEW_APP, OLD_APP, TARGET, made

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `spboot ARGS` in a folder with old.bin and new.bin; gives exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    Path("old.bin").write_bytes(OLD_APP)
    Path("new.bin").write_bytes(NEW_APP)

    def call(*args: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["spboot", *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out = capsys.readouterr()
        return int(stop.value.code or 0), out.out, out.err

    return call


def names() -> list[str]:
    """What lies in the current folder."""
    return sorted(path.name for path in Path().iterdir())


def patch_args(folder: Path, **change: str) -> list[str | Path]:
    """Arguments of `spboot patch`; *change* replaces some."""
    options = {"from": "old.bin", "from-version": "1.2.2", "to": "new.bin", "version": "1.2.3", "board": TARGET}
    options |= {name.replace("_", "-"): value for name, value in change.items()}
    pairs = [text for name, value in options.items() for text in (f"--{name}", value)]
    return ["patch", *pairs, "--keys", folder, "-o", "x.sfbp"]


def test_a_release_from_keys_to_patch(run: Run) -> None:
    assert run("keys", "new", "lamp", "--development")[0] == 0
    assert Keys.load(Path("lamp")).development
    code, out, err = run("image", "new.bin", "--board", TARGET, "--keys", "lamp", "--version", "v1.2.3", "-o", "x.sfb")
    assert (code, err) == (0, "")
    assert "image 1.2.3" in out
    assert run(*patch_args(Path("lamp")))[0] == 0
    assert release.verify(Path("x.sfb").read_bytes(), Keys.load(Path("lamp"))).image == NEW_APP
    code, out, _ = run("verify", "x.sfbp", "--keys", "lamp", "--from", "old.bin")
    assert code == 0
    assert "decodes to image 1.2.3" in out
    assert "give --from OLD" in run("verify", "x.sfbp", "--keys", "lamp")[1]
    assert names() == ["lamp", "new.bin", "old.bin", "x.sfb", "x.sfbp"]


def test_image_capacity_is_that_of_the_board(run: Run, key_folder: Path) -> None:
    capacity = Board.load(TARGET).image_capacity
    Path("big.bin").write_bytes(bytes(capacity + 1))
    code, _, err = run("image", "big.bin", "--board", TARGET, "--keys", key_folder, "--version", "1", "-o", "x.sfb")
    assert code == 1
    assert f"{capacity + 1} bytes, the slot takes {capacity}" in err
    assert not Path("x.sfb").exists()


def test_verify_refuses_a_damaged_file(run: Run, key_folder: Path, image_file: bytes) -> None:
    bad = bytearray(image_file)
    bad[-1] ^= 1
    Path("x.sfb").write_bytes(bad)
    code, out, err = run("verify", "x.sfb", "--keys", key_folder)
    assert (code, out) == (1, "")
    assert err.startswith("error: x.sfb: payload: chunk ")


def test_verify_takes_the_base_as_elf(run: Run, key_folder: Path, secrets: Keys, patch_file: bytes) -> None:
    Path("x.sfbp").write_bytes(patch_file)
    Path("old.elf").write_bytes(elf.make([(Board.load(TARGET).image_address, OLD_APP)]))
    code, out, _ = run("verify", "x.sfbp", "--keys", key_folder, "--from", "old.elf")
    assert code == 0
    assert "decodes to image 1.2.3" in out
    mine = dataclasses.replace(BOARD, name="mine")
    Path("x.sfbp").write_bytes(release.patch(made(OLD_APP, "1.0.0", mine), made(NEW_APP, "1.2.3", mine), keys=secrets))
    code, _, err = run("verify", "x.sfbp", "--keys", key_folder, "--from", "old.elf")
    assert code == 1
    assert "name its file with --board" in err
    Path("mine.toml").write_text((Path(boards.__file__).parent / "data" / f"{TARGET}.toml").read_text())
    assert run("verify", "x.sfbp", "--keys", key_folder, "--from", "old.elf", "--board", "mine.toml")[0] == 0
    code, _, err = run("verify", "x.sfbp", "--keys", key_folder, "--from", "old.elf", "--board", TARGET)
    assert code == 1
    assert "for another board" in err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"from_version": "1.2.3"}, "error: version 1.2.3 is not above 1.2.3"),
        ({"to": "old.bin"}, "error: the new image is the old one"),
        ({"from": "none.bin"}, "error: none.bin: cannot be read"),
        ({"board": "NUCLEO-X"}, "error: unknown board 'NUCLEO-X'"),
        ({"version": "1.x"}, "error: version is '1.x'"),
    ],
)
def test_refusals_are_one_line_and_leave_nothing(
    run: Run, key_folder: Path, change: dict[str, str], message: str
) -> None:
    code, out, err = run(*patch_args(key_folder, **change))
    assert (code, out) == (1, "")
    assert err.startswith(message)
    assert err.count("\n") == 1
    assert names() == ["new.bin", "old.bin"]


def test_inspect_json(run: Run, key_folder: Path, image_file: bytes, patch_file: bytes) -> None:
    Path("x.sfb").write_bytes(image_file)
    Path("x.sfbp").write_bytes(patch_file)
    facts = json.loads(run("inspect", "x.sfb", "--json", "--keys", key_folder)[1])
    assert facts["kind"] == "full image"
    assert (facts["product_name"], facts["target_name"]) == ("demo", TARGET)
    assert (facts["version"], facts["image_size"]) == ("1.2.3", len(NEW_APP))
    assert facts["check"] == "signature and chunks good, decodes to the signed image"
    facts = json.loads(run("inspect", "x.sfbp", "--json")[1])
    assert (facts["kind"], facts["base_version"]) == ("patch", "1.2.2")
    assert facts["signature"] == patch_file[76:140].hex()
    assert "check" not in facts


def test_inspect_table_has_every_manifest_field(run: Run, patch_file: bytes) -> None:
    Path("x.sfbp").write_bytes(patch_file)
    out = run("inspect", "x.sfbp")[1]
    for field in ("product", "target", "version", "image size", "payload size", "base version", "base hash", "salt"):
        assert field in out
    assert patch_file[32:40].hex() in out


def test_inspect_says_what_is_wrong(run: Run, key_folder: Path, image_file: bytes) -> None:
    bad = bytearray(image_file)
    bad[-1] ^= 1
    Path("x.sfb").write_bytes(bad)
    facts = json.loads(run("inspect", "x.sfb", "--json", "--keys", key_folder)[1])
    assert "damaged or changed" in facts["chunks"]
    assert "damaged or changed" in facts["check"]
    code, _, err = run("inspect", "new.bin")
    assert code == 1
    assert "not an update file" in err


def test_delta(run: Run) -> None:
    assert run("delta", "encode", "old.bin", "new.bin", "-o", "p", "--base", "0x8008200")[0] == 0
    facts = json.loads(run("inspect", "p", "--json")[1])
    assert facts["new_size"] == len(NEW_APP)
    assert facts["check"] == hashlib.sha256(OLD_APP + NEW_APP).hexdigest()[:8]
    assert facts["stream_size"] == Path("p").stat().st_size - 12
    assert run("delta", "apply", "old.bin", "p", "-o", "again.bin")[0] == 0
    assert Path("again.bin").read_bytes() == NEW_APP
    code, _, err = run("delta", "apply", "new.bin", "p", "-o", "wrong.bin")
    assert code == 1
    assert "OLD is another file" in err or "for another OLD" in err
    assert not Path("wrong.bin").exists()


def test_damaged_delta_file(run: Run) -> None:
    run("delta", "encode", "old.bin", "new.bin", "-o", "p")
    good = Path("p").read_bytes()
    for at in range(12, len(good), 7):
        bad = bytearray(good)
        bad[at] ^= 0x10
        Path("p").write_bytes(bad)
        assert run("delta", "apply", "old.bin", "p", "-o", "wrong.bin")[0] == 1
    assert not Path("wrong.bin").exists()


def test_inputs_are_never_overwritten(run: Run) -> None:
    Path("link.bin").hardlink_to("new.bin")
    for output in ("old.bin", "new.bin", "./new.bin", "link.bin"):
        code, _, err = run("delta", "encode", "old.bin", "new.bin", "-o", output)
        assert code == 1
        assert "is an input" in err
    assert Path("new.bin").read_bytes() == NEW_APP


def test_output_must_be_a_file_in_a_folder(run: Run) -> None:
    Path("folder").mkdir()
    assert "not a file" in run("delta", "encode", "old.bin", "new.bin", "-o", "folder")[2]
    assert "there is no folder" in run("delta", "encode", "old.bin", "new.bin", "-o", "none/x")[2]


def test_a_failed_write_leaves_the_old_output(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("out").write_bytes(b"before")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, _, err = run("delta", "encode", "old.bin", "new.bin", "-o", "out")
    told = "error: out: cannot be written: No space left on device: free some space, or choose another place\n"
    assert (code, err) == (1, told)
    assert Path("out").read_bytes() == b"before"
    assert names() == ["new.bin", "old.bin", "out"]


def test_write_replaces_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks while we write sees the old file, whole."""
    seen = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append((tmp_path / "x").read_bytes()))
    (tmp_path / "x").write_bytes(b"before")
    files.write(tmp_path / "x", b"after")
    assert seen == [b"before"]
    assert (tmp_path / "x").read_bytes() == b"after"


def test_interrupted(run: Run, key_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **options: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(release, "unsigned_patch", interrupt)
    code, _, err = run(*patch_args(key_folder))
    assert code == 130
    assert err.strip() == "interrupted"


def test_a_bug_shows_its_traceback(run: Run, key_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "unsigned_patch", lambda *args, **options: 1 // 0)
    monkeypatch.setattr(sys, "argv", ["spboot", *map(str, patch_args(key_folder))])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_usage_errors(run: Run) -> None:
    assert run("frobnicate")[0] == 2
    assert run("image")[0] == 2
    assert run("delta", "encode", "old.bin", "new.bin", "-o", "p", "--base", "here")[0] == 2


def test_version_and_help() -> None:
    def call(*args: str) -> subprocess.CompletedProcess[str]:
        code = "from spboot.cli import main; main()"
        return subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)

    assert call("--version").stdout == f"spboot {version('spboot')}\n"
    listed = call("--help").stdout
    for name in ("keys", "image", "patch", "inspect", "verify", "delta"):
        assert f"  {name} " in listed


def test_openssl_checks_an_update_without_us(run: Run, key_folder: Path, patch_file: bytes, tmp_path: Path) -> None:
    """The same by `cryptography` where OpenSSL is not installed."""
    Path("x.sfbp").write_bytes(patch_file)
    assert run("inspect", "x.sfbp", "--der", "sig.der", "--signed", "signed.bin")[0] == 0
    der, signed, public = Path("sig.der").read_bytes(), Path("signed.bin").read_bytes(), key_folder / "verify.pem"
    key = serialization.load_pem_public_key(public.read_bytes())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(der, signed, ec.ECDSA(hashes.SHA256()))
    assert signed == patch_file[:76] + hashlib.sha256(patch_file[140 : 140 + 528]).digest()[:16]
    openssl = shutil.which("openssl")
    for name, verdict in (("signed.bin", "Verified OK"), ("x.sfbp", "Verification failure")):
        if openssl:
            command = [openssl, "dgst", "-sha256", "-verify", public, "-signature", "sig.der", name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (verdict in done.stdout + done.stderr, done.returncode == 0) == (True, name == "signed.bin")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x.sfbp", "--der", "x.sfbp"), "x.sfbp is an input of this command"),
        (("x.sfbp", "--der", "a", "--signed", "a"), "a is named by both --der and --signed"),
        (("p", "--der", "a"), "p is a delta file, which nobody signs"),
        (("bad.sfbp", "--der", "a", "--signed", "b"), "signature: w is 0x0, expected 1 .. n - 1"),
    ],
)
def test_inspect_writes_no_signature(run: Run, patch_file: bytes, arguments: tuple[str, ...], message: str) -> None:
    Path("x.sfbp").write_bytes(patch_file)
    Path("bad.sfbp").write_bytes(patch_file[:108] + bytes(32) + patch_file[140:])
    assert run("delta", "encode", "old.bin", "new.bin", "-o", "p")[0] == 0
    code, _, err = run("inspect", *arguments)
    assert (code, message in err) == (1, True), err
    assert not Path("a").exists()
    assert not Path("b").exists()
