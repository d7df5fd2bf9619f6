"""LAN8742A, an RMII PHY for 10 and 100 Mbit/s: its registers as SMI sees them (DS00001989A 4.2).

The partner can do all that is offered.  Not modelled: cable diagnostics, wake-up by frames, its interrupt pin."""

from __future__ import annotations

from typing import Final

BCR, BSR, ID1, ID2, ANAR, ANLPAR, ANER = range(7)
MODES, SPECIAL = 18, 31
_RESET, _LOOPBACK, _FAST, _NEGOTIATE, _DOWN, _ISOLATE, _RESTART, _FULL = (
    1 << n for n in (15, 14, 13, 12, 11, 10, 9, 8)
)
"""Bits of BCR (IEEE 802.3 22.2.4.1)."""
_ABLE: Final = 0x7809
"""BSR: 100 and 10 Mbit/s, full and half duplex, it can negotiate, and has more registers."""
_LINK, _DONE = 1 << 2, 1 << 5
"""Of BSR."""
_OFFER: Final = 0x01E1
"""Four modes, IEEE 802.3."""
_PARTNER: Final = 0xCDE1
_AUTODONE: Final = 1 << 12
_SPEED: Final = {(10, False): 1, (100, False): 2, (10, True): 5, (100, True): 6}
"""SPECIAL.HCDSPEED."""
_FOUND: Final = {1 << 8: (100, True), 1 << 7: (100, False), 1 << 6: (10, True), 1 << 5: (10, False)}
"""What is offered by ANAR -> Mbit/s and full duplex, the best first."""
NEGOTIATION_S: Final = 2.0
"""From power, a reset, a restart or a partner to the link: a bit more than the timers of IEEE 802.3 28.3.2 together."""
_PLAIN: Final = frozenset({7, 16, 17, 24, 25, 26, 27, 28, 30})
"""Registers that are storage here; others read as 0."""
_START: Final = {
    BCR: _FAST | _NEGOTIATE, ID1: 0x0007, ID2: 0xC131, ANAR: _OFFER, 7: 0x2001, MODES: 0x00E0, SPECIAL: 0x0040,
}  # fmt: skip


class Lan8742a:
    """One, at *address* of the management interface; times are seconds of the twin."""

    def __init__(self, address: int) -> None:
        self.address = address
        self.reset(0.0)

    def reset(self, now: float) -> None:
        """By power, its pin, or BCR."""
        self._registers = dict(_START)
        self._registers[MODES] |= self.address
        self._negotiated_at = now + NEGOTIATION_S
        self._broke = False
        """The link went down since BSR was read."""

    def partner(self, now: float, *, there: bool) -> None:
        """A partner comes or goes."""
        if not there:
            self._broke = True
        self._negotiated_at = now + NEGOTIATION_S

    def speed(self, now: float, *, partner: bool) -> tuple[int, bool] | None:
        """Mbit/s and full duplex of the link; None without one."""
        control = self._registers[BCR]
        if not partner or control & (_DOWN | _ISOLATE):
            return None
        if not control & _NEGOTIATE:
            return 100 if control & _FAST else 10, bool(control & _FULL)
        if now < self._negotiated_at:
            return None
        return next((found for bit, found in _FOUND.items() if self._registers[ANAR] & bit), None)

    def read(self, register: int, now: float, *, partner: bool) -> int:
        """A register by SMI."""
        link = self.speed(now, partner=partner)
        done = link is not None and bool(self._registers[BCR] & _NEGOTIATE)
        if register == BSR:
            up = link is not None and not self._broke
            self._broke = False  # latched low until it is read
            return _ABLE | _LINK * up | _DONE * done
        if register == ANLPAR:
            return _PARTNER * done
        if register == ANER:
            return 1 * done
        if register == SPECIAL:
            return self._registers[SPECIAL] | _AUTODONE * done | (_SPEED[link] << 2 if link else 0)
        return self._registers.get(register, 0)

    def write(self, register: int, value: int, now: float) -> None:
        """The same; what is read-only stays."""
        if register == BCR:
            self._control(value, now)
        elif register == ANAR or register in _PLAIN:
            self._registers[register] = value

    def _control(self, value: int, now: float) -> None:
        if value & _RESET:
            modes = self._registers[MODES]
            self.reset(now)
            self._registers[MODES] = modes
            return
        before = self._registers[BCR]
        if value & _RESTART or (value & ~before) & _NEGOTIATE or (before & ~value) & (_DOWN | _ISOLATE):
            self._broke = True
            self._negotiated_at = now + NEGOTIATION_S
        if (value & ~before) & (_DOWN | _ISOLATE):
            self._broke = True
        self._registers[BCR] = value & ~(_RESET | _RESTART)
