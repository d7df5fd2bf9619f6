"""What strangers write to the example `web-iap`: its parsers on the host under sanitizers, in pieces and at once (R1 to
R3, P1, P2), next to a second reading in Python."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

from tests.integrations.web_iap import ROOT, form, head

HERE = Path(__file__).parent
HTTP = ROOT / "examples" / "web-iap" / "src" / "http"
COUNT = 400
REFUSED = "1 0 2 /update 1 5 0 1 0  400 multipart/form-data needs a boundary of 1 to 70 characters"


@pytest.fixture(scope="module")
def parsers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program."""
    made = tmp_path_factory.mktemp("parsers") / "parsers"
    checks = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Werror", "-g", "-O1")
    sources = (HERE / "web_iap_parsers.c", HTTP / "request.c", HTTP / "multipart.c")
    subprocess.run(["gcc", "-std=c11", *checks, "-I", HTTP, *sources, "-o", made], check=True)
    return made


def run(parsers: Path, records: list[tuple[str, bytes, bytes]]) -> list[str]:
    """A line for each."""
    text = b"".join(
        kind.encode() + bytes([len(boundary)]) + len(data).to_bytes(2, "little") + boundary + data
        for kind, boundary, data in records
    )
    done = subprocess.run([parsers], input=text, capture_output=True, timeout=300)
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout.decode(errors="replace").split("\n")[:-1]


def file_of(boundary: bytes, body: bytes) -> tuple[bool, bool, bytes]:
    """The first part with a file name, as RFC 2046 reads it: whether there is one, if the body ended, its bytes."""
    found, over, data = False, False, b""
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    for index, part in enumerate(parts):
        line, newline, rest = part.partition(b"\n")
        if line.startswith(b"--") or re.match(rb"[^-\n]*-[^-\n]*-", part):
            return found, True, data
        if not newline:
            return found, over, data
        last, named = index == len(parts) - 1, False
        while True:
            line, newline, rest = rest.partition(b"\n")
            if not newline:
                break
            line = line.removesuffix(b"\r")
            if not line:
                break
            named = named or b"filename" in line[:127]
        if not newline:
            continue
        if named and not found:
            found, data = True, _sure(rest, boundary) if last else rest
    return found, over, data


def _sure(rest: bytes, boundary: bytes) -> bytes:
    """Without what may be the begin of a delimiter, where a body breaks off."""
    delimiter = b"\r\n--" + boundary
    held = next(n for n in range(len(delimiter), -1, -1) if n == 0 or rest.endswith(delimiter[:n]))
    return rest[: len(rest) - held]


def test_forms_are_read_as_python_reads_them(parsers: Path) -> None:
    """Bodies of the bytes that matter, some with a file, cut anywhere."""
    chance, records = random.Random(1), []
    for _ in range(COUNT):
        boundary = chance.choice((b"x", b"-", b"xx-x", b"-" * 70, b"----WebKitFormBoundaryAbC"))
        data = b"".join(
            chance.choices((b"\r", b"\n", b"-", b"x", b"\r\n--", boundary[:-1], b"payload"), k=chance.randrange(60))
        )
        delimiter = b"\r\n--" + boundary
        if delimiter in b"\r\n\r\n" + data + b"\r\n--":
            data = data.replace(b"\r\n--", b"")
        if delimiter in b"\r\n\r\n" + data:
            continue
        body = form(data, boundary=boundary.decode()).partition(b"\r\n\r\n")[2]
        first = body.index(b"--" + boundary, 2 + len(boundary))
        body = chance.choice((body, body[first:], body[: -len(boundary) - 6] + body[first:]))
        records.append(("M", boundary, body[: chance.randrange(len(body) + 1)] if chance.random() < 0.5 else body))
    assert len(records) > COUNT / 2
    lines = run(parsers, records)
    for (_, boundary, body), line in zip(records, lines, strict=True):
        found, over, data = file_of(boundary, body)
        assert line == f"{found:d} {over:d} {data.hex()}", (boundary, body)


def test_heads(parsers: Path) -> None:
    """What is understood, and random damage to it: never more than its bytes, an answer in the end."""
    good = head(123, more='Content-Type: multipart/form-data; charset=x; boundary="a b"\r\nExpect: 100-Continue\r\n')
    known = {
        good: f"1 {len(good)} 2 /update 1 123 0 1 1 a b 0 -",
        b"GET /status HTTP/1.0\n\nrest": "1 22 0 /status 0 0 0 0 0  0 -",
        b"GET / ": "0 6 0  0 0 0 0 0  0 -",
        **{
            head(5, more=f"Content-Type: multipart/form-data; boundary={'x' * count}\r\n"): outcome
            for count, outcome in ((70, f"1 0 2 /update 1 5 0 1 0 {'x' * 70} 0 -"), (71, REFUSED), (120, REFUSED))
        },
        head("5\r\nContent-Length: 5"): "1 0 2 /update 1 5 0 0 0  0 -",
        head("5\r\nContent-Length: 6"): "1 0 2 /update 1 6 0 0 0  400 there are two values of Content-Length",
    }
    chance, records = random.Random(2), [("R", b"", data) for data in known]
    for _ in range(COUNT):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(3)] = chance.choice(
                (b"", b"\r\n", b"\0", b"A" * 300, b" ", b":", bytes([chance.randrange(256)]))
            )
        records.append(("R", b"", bytes(data) + chance.choice((b"", b"\r\n\r\n", b"x" * 9000))))
    lines = run(parsers, records)
    for outcome, line in zip(known.values(), lines, strict=False):
        assert re.sub(r"^1 \d+ ", "1 ", outcome) == re.sub(r"^1 \d+ ", "1 ", line)
    assert len(lines) == len(records) and len(set(lines)) > COUNT / 10, "many outcomes"
