"""A device as a server of updates sees it: asks by the Direct Device Integration API of hawkBit, over a plain socket.

It judges what it gets as the firmware would: shape, product, board, version and base as a device with a stick, then
signature, chunks and the decoded image."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from spboot import release, stick
from spboot.choice import Installed
from spboot.image import Image
from spboot.keys import Keys
from spboot.version import Version
from tests.fleet_world import digest

HANGS_S: Final = 120


@dataclass(frozen=True)
class Answer:
    """Of a server."""

    status: int
    headers: dict[str, str]
    data: bytes

    def json(self) -> Any:
        assert self.status == 200, (self.status, self.data)
        return json.loads(self.data)


async def ask(method: str, url: str, body: Any = None, *, start: int = 0, stop: int | None = None) -> Answer:
    """One request, of the bytes from *start* on; the connection is closed after *stop* bytes of the answer."""
    parts = urlsplit(url)
    data = b"" if body is None else json.dumps(body).encode()
    head = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
    head += [f"Content-Length: {len(data)}", "Content-Type: application/json"] if data else []
    head += [f"Range: bytes={start}-"] if start else []
    async with asyncio.timeout(HANGS_S):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write("\r\n".join([*head, "", ""]).encode() + data)
            await writer.drain()
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if line)
            length = int(headers["content-length"])
            found = await reader.readexactly(length if stop is None else min(stop, length))
        finally:
            writer.close()
    return Answer(int(first.split()[1]), headers, found)


_DECODED: Final[dict[tuple[bytes, bytes, bytes], Image]] = {}


def installed(data: bytes, keys: Keys, old: Image, version: Version) -> Image:
    """The image that the update *data* makes of *old*, once for all devices alike."""
    key = (data, old.data, old.rest)
    if key not in _DECODED:
        report = release.verify(data, keys, old=old)
        assert report.image is not None
        _DECODED[key] = Image(data=report.image, rest=report.rest, board=old.board, version=version)
    return _DECODED[key]


@dataclass
class Emulated:
    """A device that runs *runs*, and tells *lies* in place of what it knows."""

    url: str
    runs: Image
    product: str
    keys: Keys
    lies: dict[str, str] = field(default_factory=dict)
    breaks: bool = False
    """Each download breaks off in its middle, and goes on from there."""
    resumed: int = 0

    def told(self) -> dict[str, str]:
        facts = {"product": self.product, "hw_boardname": self.runs.board.name}
        return facts | {"sw_version": str(self.runs.version), "digest": digest(self.runs)} | self.lies

    async def tell(self) -> None:
        """What it is, unasked: it does so after each start."""
        answer = await ask("PUT", f"{self.url}/configData", {"mode": "merge", "data": self.told()})
        assert answer.json()["success"]

    async def poll(self) -> str | None:
        """Where its deployment is, None: there is none."""
        links = (await ask("GET", self.url)).json()["_links"]
        if "configData" in links:
            assert links["configData"]["href"] == f"{self.url}/configData"
            await self.tell()
            links = (await ask("GET", self.url)).json()["_links"]
        return links["deploymentBase"]["href"] if "deploymentBase" in links else None

    async def fetch(self, deployment: str) -> tuple[str, bytes]:
        """The version that is promised, and the file."""
        table = (await ask("GET", deployment)).json()
        (chunk,) = table["deployment"]["chunks"]
        (artifact,) = chunk["artifacts"]
        link, size = artifact["_links"]["download"]["href"], artifact["size"]
        data = b""
        if self.breaks:
            data = (await ask("GET", link, stop=size // 2)).data
            answer = await ask("GET", link, start=len(data))
            assert answer.status == 206 and answer.headers["content-range"] == f"bytes {size // 2}-{size - 1}/{size}"
            self.resumed += 1
            data += answer.data
        else:
            data = (await ask("GET", link)).data
        hashes = {name: hashlib.new(name, data).hexdigest() for name in ("sha1", "sha256")}
        assert len(data) == size and artifact["hashes"] == hashes
        return chunk["version"], data

    async def report(self, deployment: str, execution: str, finished: str) -> None:
        status = {"execution": execution, "result": {"finished": finished}, "details": []}
        (await ask("POST", f"{deployment}/feedback", {"id": deployment.rpartition("/")[2], "status": status})).json()

    def take(self, data: bytes) -> str:
        """Judge the update and install it; "" when it did, else what a device says."""
        file = stick.judge(Path(), data, self.runs.board, self.product, Installed.of(self.runs))
        if not file.fits:
            return file.verdict
        assert file.version is not None
        self.runs = installed(data, self.keys, self.runs, file.version)
        return ""
