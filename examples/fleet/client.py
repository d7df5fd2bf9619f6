"""Fetches from a web server the update that a device needs, and checks it before anything is passed on to the device.

python client.py http://127.0.0.1:8000 --product lamp --board NUCLEO-L476RG --version 1.0.0 --keys checker-keys -o next

SITE is a folder of `spboot publish`.  The file is written to what -o names, with .sfb or .sfbp behind it; its part, if
the connection breaks, beside it, and the next call goes on from there.  The last line is its name, or "up to date".
Exit code 1: a sentence says why there is none."""

from __future__ import annotations

import argparse
import http.client
import sys
import urllib.request
from pathlib import Path
from urllib.parse import quote

import spboot
from spboot import fleet

TIMEOUT_S = 30
PIECE = 64 * 1024


def get(url: str, start: int, most: int) -> tuple[int, bytes]:
    """The bytes of *url* from *start* on, or all of them where the server knows no ranges: where they start, and at
    most *most* of them and one more.  Less, where the connection broke."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    data = b""
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        if answer.status != 206:
            start = 0
        while len(data) <= most and (piece := answer.read(min(PIECE, most + 1 - len(data)))):
            data += piece
    return start, data


def fetch(url: str, entry: fleet.Entry, part: Path) -> bytes:
    """The bytes of *entry*, those in *part* included."""
    kept = part.read_bytes() if part.exists() else b""
    if len(kept) < entry.size:
        start, data = get(f"{url}/{quote(entry.file)}", len(kept), entry.size)
        kept = kept[:start] + data
        part.write_bytes(kept)
    if len(kept) < entry.size:
        raise spboot.SpbootError(f"{entry.file} broke off at byte {len(kept)} of {entry.size}: call again to go on")
    return kept


def address(text: str) -> str:
    """Of a site."""
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is no address, expected http://... or https://...")
    return text.rstrip("/")


def run(args: argparse.Namespace) -> str:
    """The last line."""
    member = fleet.Member.parse(vars(args))
    index = fleet.Index.parse(get(f"{args.site}/{fleet.INDEX}", 0, fleet.INDEX_MAX)[1])
    entry = index.choose(member)
    if entry is None:
        return "up to date"
    part = args.output.with_name(f"{args.output.name}.{entry.sha256[:16]}.part")
    data = fetch(args.site, entry, part)
    part.unlink()  # whole or wrong: it is not gone on with
    entry.check(data, spboot.Keys.load(args.keys, public=True))
    path = args.output.with_name(args.output.name + Path(entry.file).suffix)
    path.write_bytes(data)
    return str(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", help="address of what spboot publish made", type=address)
    parser.add_argument("--product", required=True)
    parser.add_argument("--board", required=True)
    parser.add_argument("--version", required=True, help="that the device runs; 0.0.0 where it has no application")
    parser.add_argument("--digest", help="SHA-256 of the image that it runs, where it tells: 64 hex digits")
    parser.add_argument(
        "--keys", required=True, type=Path, help="key folder; spboot keys export --public-only makes one"
    )
    parser.add_argument("-o", "--output", required=True, type=Path, help="file, without its suffix")
    try:
        print(run(parser.parse_args()))
    except (spboot.SpbootError, OSError, http.client.HTTPException) as error:
        print(f"client: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
