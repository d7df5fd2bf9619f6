"""spec/update-files.json, which a second implementation makes, against `spboot`.

Its files are those of formats that are frozen: a change that fails here is a new format, with a number of its own."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from spboot import delta, release
from spboot.errors import AuthenticationError, FormatError
from spboot.formats.comb import comb_table
from spboot.formats.signature import SIGNATURE_SIZE, to_der
from spboot.keys.public import exported
from spboot.release import Artefact, Unsigned
from spboot.rotation import Rotation
from tests.formats import make_vectors
from tests.formats.vectors import FILES, KEY, REFUSED, UPDATES, Vector, keys

by_name = pytest.mark.parametrize("vector", UPDATES, ids=lambda vector: vector.name)


def test_the_file_is_what_the_maker_makes() -> None:
    assert make_vectors.PATH.read_text(encoding="utf-8") == make_vectors.text(make_vectors.streams())


@by_name
def test_a_receiver(vector: Vector) -> None:
    """All that is checked of a file, and the image that it brings."""
    report = release.verify(vector.data, keys(), old=vector.old if vector.patch else None, board=vector.new.board)
    assert (report.image, report.rest, report.stream) == (vector.new.data, vector.new.rest, vector.stream)
    manifest = report.artefact.header.manifest
    assert (manifest.version, manifest.trial) == (vector.new.version.pack(), vector.trial)
    assert report.artefact.header.pack() == vector.header
    assert report.chunk_count == -(-len(vector.stream or b"") // 512)


@by_name
def test_a_sender(vector: Vector, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes, whatever stream an encoder finds."""
    assert vector.stream is not None
    stream = vector.stream
    monkeypatch.setattr(delta, "encode", lambda *_, **__: stream)
    monkeypatch.setattr(release.trial, "wanted", lambda *_: vector.trial)
    if vector.patch:
        made = release.patch(vector.old, vector.new, keys=keys())
    else:
        made = release.full_image(vector.new, keys=keys())
    assert made == vector.data


def test_a_new_key() -> None:
    found, following = Rotation.parse(KEY.data), keys(1)
    assert found.fingerprint == following.fingerprint and found.index == 1
    numbers = following.verify.public_numbers()
    assert found.artefact.wire == comb_table(numbers.x, numbers.y)
    unsigned = Unsigned(artefact=replace(found.artefact, header=replace(found.artefact.header, signature=bytes(64))))
    assert unsigned.signed(keys()) == KEY.data


@pytest.mark.parametrize("reason", REFUSED)
def test_what_no_receiver_takes(reason: str) -> None:
    board = UPDATES[0].new.board
    with pytest.raises((AuthenticationError, FormatError)):
        release.verify(REFUSED[reason], keys(), board=board)


def test_openssl_verifies_each_signature(tmp_path: Path) -> None:
    """The standard one, r and s, over what the page of formats says is signed."""
    key, signature, signed = (tmp_path / name for name in ("verify.pem", "sig.der", "signed.bin"))
    key.write_bytes(exported(keys(), ".pem"))
    for vector in FILES:
        header = Artefact.parse(vector.data).header
        signature.write_bytes(to_der(header.signature))
        signed.write_bytes(vector.header[: len(vector.header) - SIGNATURE_SIZE])
        command = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature), str(signed)]
        assert "Verified OK" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert header.pack() == vector.header
