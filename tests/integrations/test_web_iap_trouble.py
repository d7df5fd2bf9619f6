"""The example `web-iap` in trouble: wrong files, a link that is lost, power cuts, a version that does not do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integrations.bench import Bench, next_release
from tests.integrations.web_iap import (
    CONFIRMED,
    READY,
    Client,
    Net,
    asked,
    form,
    head,
    installed,
    stays,
    taken,
    version_of,
)  # fmt: skip

POINTS = range(1, 11)


# wrong files

SOON = ("text", "another board", "another product", "older", "the same version", "a wrong signature", "damaged")
"""Found before much of flash is written."""


@pytest.mark.parametrize("names", [SOON, pytest.param((), marks=pytest.mark.soak)], ids=["soon", "all"])
def test_wrong_files(net: Net, web: Bench, tmp_path: Path, names: tuple[str, ...]) -> None:
    """One after another, raw and by a form: the reason, and nothing changed; then a good one."""
    files = web.wrong_files(tmp_path)
    for name in names or files:
        data, words = files[name]
        expected = (422, f"refused, nothing has changed: {words}\n")
        assert asked(net, head(len(data)) + data) == expected, name
        if not names:
            assert asked(net, form(data)) == expected, name
    stays(net)
    if not names:
        net.heard(READY, 0)
        taken(net, web.patch)


# trouble


class Snips(Client):
    """A client whose cable is pulled once so many bytes of frames have gone to the device."""

    def arm(self, left: int) -> None:
        cable = self.net.device.twin.cable
        seen = 0

        def look() -> None:
            nonlocal seen
            seen += len(cable.arriving[-1]) if cable.arriving else 0
            if not self.cut and cable.plugged and seen >= left:
                self.cut = True
                cable.pull()

        self.cut = False
        cable.watch(look)


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
def test_a_link_that_is_lost(net: Net, web: Bench, point: int) -> None:
    """Behind so many elevenths of a full image: the device gives it up in 15 s, nothing has changed, and the next
    attempt succeeds once the cable is back."""
    client, start = Snips(net), net.said
    client.arm(len(web.image) * point // 11)
    client.send(head(len(web.image)) + web.image)
    assert net.pump(10, lambda: client.cut), "the link was lost"
    said = net.heard("app: update not taken", start)
    net.pump(1)
    assert "the link is down" in said and version_of(net.device) == "1.0.0"
    begun = net.said
    net.device.twin.cable.plug()
    net.heard("the link is up", begun)
    assert (
        json.loads(asked(net, b"GET /status HTTP/1.1\r\n\r\n")[1])["refused"] == "the client was silent for 15 seconds"
    )
    taken(net, web.patch)


@pytest.mark.soak
def test_a_link_that_comes_back_in_time(net: Net, web: Bench) -> None:
    """The connection outlives five seconds without a cable."""
    client, start = Snips(net), net.said
    client.arm(10_000)
    client.send(head(len(web.image)) + web.image)
    assert net.pump(10, lambda: client.cut)
    net.pump(3)
    net.device.twin.cable.plug()
    assert client.answer()[0] == 200
    installed(net, start)


@pytest.fixture(scope="module")
def operations(web_once: Bench) -> tuple[int, int]:
    """Flash operations of a full image: until it is answered, and until it is confirmed."""
    device = web_once.device
    device.twin.cable.plug()
    device.restore(web_once.running)
    net, before, start = Net(device), device.twin.log.total, 0
    assert asked(net, form(web_once.image))[0] == 200
    received = device.twin.log.total - before
    net.heard(CONFIRMED, start)
    net.slirp.close()
    return received, device.twin.log.total - before


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
def test_a_power_cut(net: Net, web: Bench, operations: tuple[int, int], point: int) -> None:
    """Five while the file comes, five behind it, one operation torn: what starts is one of the two versions, and it
    takes the update again; the new one runs in the end."""
    received, total = operations
    operation = received * point // 6 if point < 6 else received + (total - received) * (point - 5) // 6
    device, cuts = net.device, 0

    def on_cut() -> None:
        nonlocal cuts
        cuts += 1
        device.power_on()

    net.on_cut = on_cut
    device.cut(f"{operation}:torn:random={point}")
    client, start = Client(net), net.said
    client.send(head(len(web.image)) + web.image)
    assert net.pump(90, lambda: cuts == 1), "the cut was"
    said = net.heard(READY, start, 90)
    client.socket.close()
    print(f"operation {operation} of {total}: {said[said.rindex('starting') :][:14]}")
    assert ("starting 1.0.0" in said) == (point < 6)
    if point < 6:
        taken(net, web.image)
    else:
        installed(net, start)


@pytest.mark.soak
def test_a_version_without_a_network_goes(net: Net, web: Bench, tmp_path: Path) -> None:
    """Its PHY does not answer: it never confirms itself, and a reset brings the version before back."""
    project = web.project.copy(tmp_path / "lamp")
    project.run("rm", "-rf", "build")
    project.run("cmake", "-B", "build", "-G", "Ninja")
    bad = next_release(project, (("boards/nucleo-f429zi.h", "#define BOARD_PHY 0u", "#define BOARD_PHY 1u"),), "1.2.0")
    start = net.said
    assert asked(net, form(bad.patch.read_bytes()))[0] == 200
    net.heard("app: Ethernet does not answer", start)
    start = net.said
    net.device.reset()
    said = net.heard(READY, start)
    assert "starting 1.0.0" in said and "the last update was given up" in said
    assert json.loads(asked(net, b"GET /status HTTP/1.1\r\n\r\n")[1])["last"] == "given up"
