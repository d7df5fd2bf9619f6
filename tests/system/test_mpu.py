"""An application that has its memory protection unit on, and calls the engine: it works where the regions let it, and
faults as silicon would where they do not; the device then starts as if nothing had been (docs/application.md, RTOS)."""

from __future__ import annotations

from pathlib import Path

import pytest

from spboot import release
from spboot.boards import Board
from spboot.builder.demo import LINE, build_app
from spboot.formats.spec import data_path
from spboot.image import Image
from spboot.link.ymodem import LinkError
from spboot.version import Version
from tests.system.rig import Rig, Workshop, functions, workshop

BOARDS = ("DISCO-H745I", "NUCLEO-L476RG", "NUCLEO-L073RZ")
READ_ONLY = 6 << 24


@pytest.fixture(scope="module", params=BOARDS)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return workshop(Board.load(request.param), "clang", tmp_path_factory.mktemp(request.param))


def guarded(shop: Workshop, *, region: tuple[int, int] | None = None) -> bytes:
    """The demo with its MPU on, and a *region* 1 of a base and the rest."""

    def make() -> bytes:
        text = Path(__file__).with_name("guarded.c").read_text(encoding="utf-8")
        text = text.replace('"main.c"', f'"{(data_path("firmware") / "demo" / "main.c").resolve()}"')
        if region is not None:
            text = f"#define REGION_BASE {region[0]:#x}u\n#define REGION_RASR {region[1]:#x}u\n{text}"
        source = shop.folder / "guarded.c"
        source.write_text(text, encoding="utf-8")
        own = ["demo/start.c", str(source.resolve()), LINE]
        elf = build_app(shop.board, own, shop.folder / "guarded.elf", Version.parse("1.0.0"), shop.compiler)
        return Image.load(elf, shop.board, "1.0.0").data

    return shop._once(("guarded", str(region)), make)


def covering(address: int, log2: int) -> tuple[int, int]:
    """A region of 2 ** *log2* bytes with *address*, to be read and no more."""
    return address & -(1 << log2), READ_ONLY | log2 - 1 << 1 | 1


def test_a_patch_with_the_mpu_on_as_cubemx_sets_it(shop: Workshop) -> None:
    app = guarded(shop)
    rig = Rig(shop, app=app)
    rig.boot()
    assert rig.twin.nvic.read(0xD94, 4) == 5
    rig.ask_application()
    rig.send(release.patch(shop.made(app, "1.0.0"), shop.made(shop.demo("1.1.0"), "1.1.0"), keys=shop.keys))
    assert b"demo 1.1.0" in rig.listen()
    assert rig.twin.nvic.read(0xD94, 4) == 0, "the bootloader hands over with the MPU off"
    assert not rig.twin.faults


@pytest.mark.parametrize("what", ["journal", "ram"])
def test_regions_that_deny_the_engine_what_it_needs(shop: Workshop, what: str) -> None:
    """Flash that it writes is read-only, or reserved RAM is: a fault at the first store, and the application resets.
    Nothing is lost, and the next start is that of the old version."""
    board = shop.board
    assert board.journal is not None
    stack = functions(shop).symbols["spb_stack_top"]
    region = covering(board.journal.address, 12) if what == "journal" else covering(stack - 1, 8)
    rig = Rig(shop, app=guarded(shop, region=region))
    if what == "ram":  # the first call is at the start of the demo
        rig.power_on()
        assert rig.twin.run(until=lambda: bool(rig.twin.faults), seconds=2)
    else:
        rig.boot()
        rig.ask_application()
        with pytest.raises(LinkError):
            rig.send(shop.wrap(shop.demo("1.1.0"), "1.1.0"))
        assert b"demo 1.0.0" in rig.listen()
    first = rig.twin.faults[0]
    assert (first.kind, covering(first.address, region[1] // 2 % 32 + 1)) == ("MemManage", region)
    assert rig.twin.warnings == []
