"""A plugin of goosebit that gives each device its patch, by what the device tells of itself.

A device tells it in configData: product, hw_boardname (the board's name), sw_version, and digest, the SHA-256 of its
image.  It gets the patch that starts from just that image, else the full image; nothing where it is up to date.  The
choice is `Index.choose` of spboot, over the folder that `spboot publish` made."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.requests import Request
from fastapi.responses import FileResponse
from goosebit.db.models import Device, Hardware
from goosebit.device_manager import HandlingType
from goosebit.schema.plugins import PluginSchema, PluginSettings
from goosebit.schema.updates import UpdateChunk, UpdateChunkArtifact

import spboot
from spboot.fleet import FILE, INDEX, Entry, Index, Member

ATTRIBUTES = {"product": "product", "board": "hw_boardname", "version": "sw_version", "digest": "digest"}
"""What `Member.parse` wants -> the name under which a device tells it; goosebit itself shows two of them."""
logger = logging.getLogger("spboot")


class Settings(PluginSettings):
    """Of goosebit.yaml, or of the environment, there in capitals."""

    spboot_site: Path
    """The folder of `spboot publish`."""
    spboot_devices: Path = Path("spboot-devices.sqlite3")
    """What devices told, which outlives a restart of the server: it is the plugin's own file."""


class Site:
    """The index as it is now: read again when it changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: tuple[int, int] | None = None
        self._index = Index()

    def index(self) -> Index:
        try:
            found = (self.folder / INDEX).stat()
            if (found.st_mtime_ns, found.st_ino) != self._seen:
                self._index = Index.load(self.folder)
                self._seen = (found.st_mtime_ns, found.st_ino)
        except (OSError, spboot.SpbootError) as error:
            logger.error("the index of before counts on: %s", error)
        return self._index


class Told:
    """What each device told of itself last."""

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, check_same_thread=False)
        self._base.execute("CREATE TABLE IF NOT EXISTS told (device TEXT PRIMARY KEY, facts TEXT NOT NULL)")

    def keep(self, device: str, facts: dict[str, Any]) -> None:
        with self._base:
            self._base.execute("INSERT OR REPLACE INTO told VALUES (?, ?)", (device, json.dumps(facts)))

    def member(self, device: str) -> Member | None:
        row = self._base.execute("SELECT facts FROM told WHERE device = ?", (device,)).fetchone()
        return Member.parse(json.loads(row[0])) if row else None


settings = Settings()
site, told = Site(settings.spboot_site), Told(settings.spboot_devices)
router = APIRouter()
one_by_one = asyncio.Lock()


@router.api_route("/{folder}/{name}", methods=["GET", "HEAD"], name="spboot_update")
def download(folder: str, name: str) -> FileResponse:
    """An update file, with ranges.  Also one that a newer index does not have any more."""
    path = site.folder / folder / name
    if not FILE.fullmatch(f"{folder}/{name}") or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type="application/octet-stream", filename=name)


async def config_data(device: Device, **data: Any) -> None:
    """A device tells of itself.  One without a product is none of ours.

    goosebit 0.2.12 makes a row for its board twice when two tell of a new one at the same moment, and finds neither
    from then on.  So the row is made here, before goosebit looks for it."""
    async with one_by_one:
        revision = data.get("hw_revision") or "default"
        await Hardware.get_or_create(model=data.get("hw_boardname") or "default", revision=revision)
    if "product" not in data:
        return
    facts = {name: data.get(key) for name, key in ATTRIBUTES.items()}
    try:
        Member.parse(facts)
    except spboot.SpbootError as error:
        raise HTTPException(422, str(error)) from None
    told.keep(device.id, facts)


async def update_source(request: Request, device: Device) -> tuple[HandlingType, UpdateChunk | None]:
    """What *device* gets now."""
    member = told.member(device.id)
    entry = None if member is None else site.index().choose(member)
    if entry is None:
        return HandlingType.SKIP, None
    return HandlingType.FORCED, chunk(request, entry)


@functools.cache
def sha1(file: str) -> str:
    """Of a file of the site: clients of hawkBit know this one.  No name ever has other bytes."""
    return hashlib.sha1((site.folder / file).read_bytes()).hexdigest()


def chunk(request: Request, entry: Entry) -> UpdateChunk:
    """*entry* in the words of the DDI."""
    folder, name = entry.file.split("/")
    link = {"href": str(request.url_for("spboot_update", folder=folder, name=name))}
    artifact = UpdateChunkArtifact(
        filename=name,
        hashes={"sha1": sha1(entry.file), "sha256": entry.sha256},
        size=entry.size,
        links={"download": link, "download-http": link},
    )
    return UpdateChunk(part="bApp", version=str(entry.version), name=entry.product, artifacts=[artifact])


config = PluginSchema(name="spboot", router=router, update_source_hook=update_source, config_data_hook=config_data)
