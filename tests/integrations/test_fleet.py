"""A goosebit server with the plugin of examples/fleet, and many devices that ask it at once: each gets its patch or the
full image, whatever it tells, however often it asks, and while a release is added."""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pytest

import spboot
from spboot.formats.manifest import Manifest, name_id
from spboot.image import Image
from spboot.version import Version
from tests import apps
from tests.fleet_world import KINDS, LATER, VERSIONS, World
from tests.integrations.ddi import HANGS_S, Emulated, ask

ROOT: Final = Path(__file__).parents[2]
EXAMPLE: Final = ROOT / "examples" / "fleet"
PYTHON: Final = Path(os.environ.get("SPBOOT_GOOSEBIT", ROOT / "build" / "goosebit" / "bin" / "python"))
"""One that has goosebit."""
AT_ONCE: Final = 40
HONEST: Final = ("plain", "breaks off", "asks twice", "tells no digest", "other image", "other version")
LIARS: Final = {
    "older": {"sw_version": "1.0.0", "digest": ""},
    "oldest": {"sw_version": "0.9.0", "digest": ""},
    "newer": {"sw_version": "9.0.0"},
    "digest": {"digest": "5a" * 32},
    "board": {"hw_boardname": "NUCLEO-F429ZI"},
    "sibling": {"hw_boardname": "NUCLEO-G0B1RE", "digest": ""},
    "product": {"product": "lamp", "hw_boardname": "NUCLEO-L476RG", "digest": ""},
}
"""What each tells in place of the truth; the rest of what it tells is true."""


@dataclass
class Tally:
    """What became of the devices."""

    devices: int = 0
    """That got a file at all: who claims to have something newer gets none."""
    served: int = 0
    patches: int = 0
    refused: int = 0
    """Files that a device refused that had lied."""
    resumed: int = 0
    updates: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Fleet:
    """The server of a world, and what was published so far."""

    world: World
    url: str
    newest: str = VERSIONS[-1]
    tally: Tally = field(default_factory=Tally)
    added: asyncio.Event = field(default_factory=asyncio.Event)
    names: Iterator[int] = field(default_factory=itertools.count)

    def device(self, kind: tuple[str, str], version: str, behaviour: str) -> Emulated:
        runs = self.world.images[*kind, version]
        if behaviour == "other image":
            runs = replace(runs, data=apps.startable(runs.board, random.Random(version).randbytes(2_000)))
        if behaviour == "other version":
            runs = replace(runs, version=Version(1, 0, 7))
        lies = {"digest": ""} if behaviour == "tells no digest" else LIARS.get(behaviour, {})
        return Emulated(
            url=f"{self.url}/DEFAULT/controller/v1/{behaviour.replace(' ', '-')}-{next(self.names)}",
            runs=runs, product=kind[0], keys=self.world.keys[kind[0]], lies=lies, breaks=behaviour == "breaks off",
        )  # fmt: skip

    def has_patch(self, runs: Image, product: str) -> bool:
        """Whether a patch from what a device runs was made."""
        known = self.world.images.get((product, runs.board.name, str(runs.version)))
        return runs.board.slot1 is not None and known is not None and (known.data, known.rest) == (runs.data, runs.rest)

    def is_right(self, device: Emulated, data: bytes, newest: set[str]) -> bool:
        """Of one that tells the truth: the newest, by patch where there is one.  This knows nothing of the index."""
        manifest = Manifest.parse(data)
        base = device.runs.version.pack() if self.has_patch(device.runs, device.product) else 0
        names = (name_id(device.product), name_id(device.runs.board.name))
        right = (manifest.product, manifest.target) == names and manifest.base_version == base
        return right and str(Version.unpack(manifest.version)) in newest

    async def serve(self, device: Emulated, behaviour: str) -> None:
        """Until there is nothing more for it, before the release is added and after it."""
        got = await self.until_nothing(device, behaviour)
        await self.added.wait()
        got += await self.until_nothing(device, behaviour)
        self.tally.devices += got > 0
        self.tally.resumed += device.resumed
        if behaviour not in LIARS and str(device.runs.version) != LATER:
            self.tally.wrong.append(f"{device.url} ends with {device.runs.version}")

    async def until_nothing(self, device: Emulated, behaviour: str) -> int:
        """How often it got something."""
        for times in range(4):
            before = self.newest
            deployment = await device.poll()
            if deployment is None:
                return times
            asked = [device.fetch(deployment) for _ in range(1 + (behaviour == "asks twice"))]
            found = await asyncio.gather(*asked)
            self.tally.served += 1
            for version, data in found:
                self.judge(device, behaviour, version, data, {before, self.newest})
            await device.report(deployment, "proceeding", "none")
            version, data = found[-1]
            refused = device.take(data)
            await device.report(deployment, "closed", "failure" if refused else "success")
            if refused:
                self.tally.refused += 1
                if behaviour not in LIARS:
                    self.tally.wrong.append(f"{device.url} refused its file: {refused}")
                return times + 1
            self.installed(device, data)
            await device.tell()
        self.tally.wrong.append(f"{device.url} does not come to an end")
        return 4

    def judge(self, device: Emulated, behaviour: str, version: str, data: bytes, newest: set[str]) -> None:
        told = str(Version.unpack(Manifest.parse(data).version))
        if told != version or (behaviour not in LIARS and not self.is_right(device, data, newest)):
            self.tally.wrong.append(f"{device.url} with {device.runs.version} got {version}, {len(data)} bytes")

    def installed(self, device: Emulated, data: bytes) -> None:
        """Whoever lied: what a device has installed is what was released for it."""
        self.tally.updates += 1
        self.tally.patches += bool(Manifest.parse(data).base_version)
        made = self.world.images[device.product, device.runs.board.name, str(device.runs.version)]
        if (made.data, made.rest) != (device.runs.data, device.runs.rest):
            self.tally.wrong.append(f"{device.url} installed something else as {device.runs.version}")

    async def add(self, after: int) -> None:
        """The next release, once *after* devices were served."""
        async with asyncio.timeout(10 * HANGS_S):
            while self.tally.served < after:
                await asyncio.sleep(0.02)
        await asyncio.to_thread(self.world.make, LATER)
        await asyncio.to_thread(self.world.publish)
        self.newest = LATER
        self.added.set()


async def run(fleet: Fleet, count: int) -> None:
    """All at once, no more than AT_ONCE of them in a request; every behaviour on every board at every version."""
    gate = asyncio.Semaphore(AT_ONCE)
    plain = ask

    async def gated(*args, **named):  # type: ignore[no-untyped-def]
        async with gate:
            return await plain(*args, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.integrations.ddi.ask", gated)
        ways = itertools.cycle(itertools.product((*HONEST, *LIARS), KINDS, VERSIONS))
        chosen = list(itertools.islice(ways, 0, 7 * count, 7))  # 7 has no divisor in common with 13 * 5 * 3
        works = [fleet.serve(fleet.device(kind, version, way), way) for way, kind, version in chosen]
        await asyncio.gather(fleet.add(count // 2), *works)


@pytest.fixture
def world(made: Path, tmp_path: Path) -> World:
    """Of product "lamp" it has the keys of the bootloader that is there."""
    found = World(tmp_path, key_folders={"lamp": made / "keys"})
    for version in VERSIONS:
        found.make(version)
    found.publish()
    return found


@functools.cache
def plugin(folder: Path) -> Path:
    """The plugin, installed into a folder of its own."""
    shutil.copytree(EXAMPLE / "plugin", folder / "source")
    words = [PYTHON, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run(
        [*words, "--target", folder / "plugin", folder / "source"], capture_output=True, text=True, timeout=HANGS_S
    )
    assert done.returncode == 0, done.stderr
    return folder / "plugin"


@pytest.fixture
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """As the README of the example says: its goosebit.yaml, its database, goosebit."""
    if not PYTHON.exists():
        pytest.skip(
            "goosebit is not installed here: `make goosebit` does it, or SPBOOT_GOOSEBIT names a Python with it"
        )
    shutil.copy(EXAMPLE / "goosebit.yaml", world.folder)
    path = os.pathsep.join([str(ROOT / "src"), str(plugin(tmp_path_factory.mktemp("plugin")))])
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("GOOSEBIT_", "SPBOOT_"))}
    env = kept | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [PYTHON, EXAMPLE / "database.py"], cwd=world.folder, env=env, capture_output=True, text=True, timeout=HANGS_S
    )
    assert done.returncode == 0, done.stderr
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [PYTHON, "-m", "uvicorn", "goosebit:app", "--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    with (world.folder / "goosebit.log").open("wb") as log:
        process = subprocess.Popen(words, cwd=world.folder, env=env, stdout=log, stderr=log)
        try:
            _wait(process, port, log.name)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(HANGS_S)


def _wait(process: subprocess.Popen[bytes], port: int, log: str) -> None:
    end = time.monotonic() + HANGS_S
    while time.monotonic() < end:
        assert process.poll() is None, Path(log).read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(Path(log).read_text())


def twins(fleet: Fleet, made: Path, versions: tuple[str, ...]) -> None:
    """Devices with real flash: the bootloader that ships, on the twin, installs what the server gave."""
    boot = next((made / "boot").glob("spboot-*.bin"))
    for version in versions:
        runs = fleet.world.images["lamp", "NUCLEO-L476RG", version]
        asking = fleet.device(("lamp", "NUCLEO-L476RG"), version, "breaks off")
        with spboot.Device(runs.board) as device:
            device.program(spboot.merge(boot, runs, keys=fleet.world.keys["lamp"]))
            device.power_on()
            assert device.wait_for_start() == version
            deployment = asyncio.run(asking.poll())
            assert deployment is not None
            _, data = asyncio.run(asking.fetch(deployment))
            assert Manifest.parse(data).base_version == runs.version.pack()
            device.update(data)
            assert device.version == LATER
            new = fleet.world.images["lamp", "NUCLEO-L476RG", LATER].data
            assert device.twin.flash_read(runs.board.image_address, len(new)) == new


@pytest.mark.parametrize("count", [pytest.param(20, id="few"), pytest.param(500, id="many", marks=pytest.mark.soak)])
def test_every_device_gets_its_own(count: int, world: World, server: str, made: Path) -> None:
    """The figures stand in docs/fleet.md."""
    fleet, start = Fleet(world, server), time.monotonic()
    asyncio.run(run(fleet, count))
    tally = fleet.tally
    print(f"\n{count} devices, {time.monotonic() - start:.0f} s: {replace(tally, wrong=len(tally.wrong))}")  # type: ignore[arg-type]
    assert not tally.wrong, tally.wrong[:9]
    assert tally.served >= count * 3 // 4 and 0 < tally.refused < count // 3 and tally.resumed and tally.patches
    twins(fleet, made, VERSIONS[:1] if count < 100 else VERSIONS)
