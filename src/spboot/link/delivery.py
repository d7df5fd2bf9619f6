"""Delivers one file to one device: waits for its call, transfers, begins again after a reset, reads its verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from spboot.errors import LinkError
from spboot.link import ymodem
from spboot.link.port import Port
from spboot.link.verdict import Hearing, Verdict
from spboot.link.ymodem import OnText, Progress

TRANSFERS: Final = 3
PAUSES: Final = 10
"""A device that never pauses is listened to for this many times the pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How to reach the device.  *poke* and *key* as in `ymodem.wait_for_call`; times in seconds of the port's clock."""

    poke: bytes = b""
    key: bytes = b""
    timeout_s: float = 60.0
    """Longest wait for the device to call."""
    quiet_s: float = 3.0
    """Pause that ends what it says after the transfer."""
    block: int = 1024
    brief: bool = False
    """The first verdict ends it: what the device does next is awaited by somebody else."""

    def run(
        self,
        port: Port,
        name: str,
        data: bytes,
        *,
        on_text: OnText,
        on_restart: Callable[[str], None] = lambda _: None,
        progress: Progress | None = None,
        called: bool = False,
    ) -> Verdict | None:
        """Deliver *data* as file *name*; the device's verdict, None when it gave none.  *called*: it calls already.

        All it says goes to *on_text*; *on_restart* is told why a transfer begins again.  Raises LinkError."""
        for number in range(TRANSFERS):
            if number > 0 or not called:
                ymodem.wait_for_call(port, self.timeout_s, on_text=on_text, poke=self.poke, key=self.key)
            hearing = Hearing()

            def hear(text: bytes, hearing: Hearing = hearing) -> None:
                hearing.feed(text)
                on_text(text)

            refused = False
            try:
                ymodem.send(port, name, data, block=self.block, progress=progress, on_text=hear)
            except ymodem.RefusedError:
                refused = True
            except ymodem.RestartedError as error:
                on_restart(str(error))
                continue
            return self._conclude(port, hearing, hear, refused)
        raise LinkError(
            f"the device was reset in each of {TRANSFERS} transfers: look at its supply, its watchdog and its log"
        )

    def _conclude(self, port: Port, hearing: Hearing, hear: OnText, refused: bool) -> Verdict | None:
        if self.brief:
            _hear_verdict(port, hearing, hear, self.quiet_s)
        for _ in range(0 if self.brief else TRANSFERS):
            called = ymodem.listen(port, self.quiet_s, on_text=hear, limit_s=PAUSES * self.quiet_s)
            if not called or hearing.verdict:
                break
        verdict = hearing.verdict
        if refused and (verdict is None or verdict.accepted):
            return Verdict(accepted=False, words=())
        return verdict


def _hear_verdict(port: Port, hearing: Hearing, hear: OnText, quiet_s: float) -> None:
    """Until there is a verdict and its line has ended, or the device pauses for *quiet_s*."""
    limit = port.now() + PAUSES * quiet_s
    while text := port.read(64, quiet_s):
        hear(text)
        if hearing.whole or port.now() >= limit:
            return
