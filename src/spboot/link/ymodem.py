"""Sends a file by YMODEM (Forsberg 1988).  Every wait has a limit, measured by the clock of the port."""

from __future__ import annotations

import contextlib
import math
import re
from binascii import crc_hqx
from collections.abc import Callable
from pathlib import PurePath
from typing import Final

from spboot.errors import LinkError
from spboot.link.port import Port

SOH, STX, EOT, ACK, NAK, CAN, CALL = 0x01, 0x02, 0x04, 0x06, 0x15, 0x18, 0x43
_SIZES: Final = {128: SOH, 1024: STX}
TRIES: Final = 10
SILENT_TRIES: Final = 3
"""Tries after which a receiver that says nothing at all is given up."""
ANSWER_S: Final = 10.0
"""Longest wait for the answer to a block: a receiver may erase a lot of flash first."""
CLOSE_S: Final = 3.0
QUIET_S: Final = 0.15
"""Silence in seconds that makes a `C` a call for a file; a `C` that is followed sooner is a letter of some text."""
CALLS_S: Final = 0.5
"""Seconds between two calls that make the second one new; closer together, it is left over from before."""
POKE_S: Final = 0.05
"""Seconds between two words for the loader, which listens for 100 ms after a reset."""
KEY_S: Final = 1.0
FORGET_S: Final = 2.5
"""Seconds within which a receiver calls again once no more words are sent to it."""
BANNER: Final = re.compile(rb"spboot \S+ for ")
"""The beginning of the first line that the bootloader prints after a reset."""

Progress = Callable[[int, int], None]
OnText = Callable[[bytes], None]


class RefusedError(LinkError):
    """The receiver cancelled the transfer; the text with its reason can still be read from the port."""


class RestartedError(LinkError):
    """The device was reset, or began to call again, before it had the whole file."""


class NoAnswerError(LinkError):
    """The receiver does not answer, or refuses the same block again and again."""


def packet(number: int, data: bytes, size: int) -> bytes:
    """One block: *data* padded to *size* (128 or 1024), its number and CRC-16 around it."""
    body = data.ljust(size, b"\0" if number == 0 else b"\x1a")
    return bytes((_SIZES[size], number & 0xFF, ~number & 0xFF)) + body + crc_hqx(body, 0).to_bytes(2, "big")


def wait_for_call(port: Port, timeout_s: float, *, on_text: OnText, poke: bytes = b"", key: bytes = b"") -> None:
    """Wait until a receiver calls; what it says before goes to *on_text*.  Meanwhile *poke*, the loader's word, is sent
    twenty times a second, and *key*, an application's command, once a second.

    Raises LinkError when nobody calls in *timeout_s*."""
    now = port.now()
    deadline, poke_at, key_at = now + timeout_s, now if poke else math.inf, now if key else math.inf
    while now < deadline:
        if now >= key_at:
            port.write(key)
            key_at = now + KEY_S
        if now >= poke_at:
            port.write(poke)
            poke_at = now + POKE_S
        gap = max(0.001, min(poke_at, key_at, deadline) - port.now())
        if listen(port, gap, on_text=on_text, limit_s=gap) and (
            not poke or listen(port, FORGET_S, on_text=on_text, limit_s=FORGET_S)
        ):
            return
        now = port.now()
    if key:
        advice = f"look whether the application runs and knows {key.decode(errors='replace')!r}"
    elif poke:
        advice = "reset the board meanwhile"
    else:
        advice = "reset the board with its button held, or use --load"
    raise LinkError(f"nobody asked for a file in {timeout_s:g} s: {advice}")


def listen(port: Port, quiet_s: float, *, on_text: OnText, limit_s: float = 60.0) -> bool:
    """Hand what the device says to *on_text*.  True as soon as it calls for a file; False when it pauses for *quiet_s*
    seconds, or after *limit_s*, as there are devices that never pause."""
    end = port.now() + limit_s
    text = port.read(256, quiet_s)
    while text:
        called = text[-1] == CALL
        more = port.read(256, QUIET_S if called else max(0.0, min(quiet_s, end - port.now())))
        on_text(text[:-1] if called and not more else text)
        if called and not more:
            return True
        over = port.now() - end  # a call may be the last byte in time; text whose pieces end in its letter is none
        if over >= QUIET_S or (over >= 0 and more[-1:] != bytes((CALL,))):
            on_text(more)
            return False
        text = more
    return False


def send(
    port: Port,
    name: str,
    data: bytes,
    *,
    block: int = 1024,
    progress: Progress | None = None,
    on_text: OnText = lambda _: None,
) -> None:
    """Send *data* as file *name* to a receiver that has just called.  *block*: size of full blocks, 128 or 1024.  What
    it says between its answers goes to *on_text*.  A receiver that answered the whole file need not end the batch.

    Raises RefusedError when the receiver cancels, RestartedError when it begins anew, NoAnswerError; unless it was the
    receiver that ended it, it is told that the transfer ends."""
    line = Dialogue(port, on_text)
    try:
        _send_file(line, name, data, block, progress)
    except (NoAnswerError, KeyboardInterrupt):
        cancel(port)
        raise
    finally:
        line.flush()


def wire_size(size: int, block: int = 1024) -> int:
    """Bytes on the line, both ways, of a file of *size* bytes with a short name that nobody asks for again.

    Blocks have five bytes beside their data; each is answered, and the receiver calls before the first and the last."""
    full, rest = divmod(size, block)
    blocks = [128, *[block] * full, *([block if rest > 128 else 128] if rest else []), 128]
    return sum(length + 5 for length in blocks) + len(blocks) + 1 + 1 + 2


def decline(port: Port, *, on_text: OnText = lambda _: None) -> None:
    """Tell a receiver that calls that there is no file: an application goes on with what else it does."""
    line = Dialogue(port, on_text)
    with contextlib.suppress(LinkError):
        line.exchange(packet(0, b"", 128), calling=True, tries=SILENT_TRIES, answer_s=CLOSE_S)
    line.flush()


def cancel(port: Port) -> None:
    """Tell the receiver that the transfer ends here, also one that waits for the rest of a block first."""
    with contextlib.suppress(LinkError):
        port.write(bytes((CAN,)) * 8)
        deadline = port.now() + FORGET_S
        while port.now() < deadline:
            byte = port.read(1, 0.5)
            if byte == bytes((NAK,)):
                port.write(bytes((CAN,)) * 8)
            if byte and byte[0] not in (ACK, CALL):
                return


def _send_file(line: Dialogue, name: str, data: bytes, block: int, progress: Progress | None) -> None:
    head = PurePath(name.replace("\\", "/")).name.encode() + b"\0" + str(len(data)).encode() + b"\0"
    line.exchange(packet(0, head, 128 if len(head) <= 128 else 1024), calling=True)
    line.wait_for_call(ANSWER_S)
    number, sent = 1, 0
    try:
        while sent < len(data):
            size = block if len(data) - sent > 128 else 128
            chunk = data[sent : sent + size]
            sent += len(chunk)
            line.exchange(packet(number, chunk, size))
            number += 1
            if progress:
                progress(sent, len(data))
        line.exchange(bytes((EOT,)))
        with contextlib.suppress(NoAnswerError):
            line.wait_for_call(CLOSE_S)
            line.exchange(packet(0, b"", 128), calling=True, tries=1, answer_s=CLOSE_S)
    except RestartedError:
        if sent < len(data):
            raise
        # Some receivers restart as soon as they have the last byte, to install the file.


class Dialogue:
    """Blocks and answers.  Text between the answers goes to *on_text*, line by line."""

    def __init__(self, port: Port, on_text: OnText = lambda _: None) -> None:
        self._port = port
        self._on_text = on_text
        self._held = b""
        self._text = bytearray()

    def exchange(self, data: bytes, *, calling: bool = False, tries: int = TRIES, answer_s: float = ANSWER_S) -> None:
        """Send *data* until it is acknowledged.  *calling*: the receiver calls already, so another call
        only says that it has not heard of *data* yet.

        Raises RefusedError, RestartedError, NoAnswerError."""
        silent = 0
        for _ in range(tries):
            self._port.write(data)
            answer = self._answer(answer_s)
            if answer == ACK:
                return
            if answer == CALL and not calling:
                raise RestartedError("the device began again in the middle of the file")
            silent = silent + 1 if answer is None else 0
            if silent == SILENT_TRIES:
                break
        if silent:
            raise NoAnswerError(f"the device has not answered for {silent * answer_s:.0f} s: reset it and try again")
        raise NoAnswerError(f"the device did not take a block in {tries} tries: check the line and its speed")

    def wait_for_call(self, timeout_s: float) -> None:
        """Wait until the receiver calls for what comes next."""
        deadline = self._port.now() + timeout_s
        while self._port.now() < deadline:
            byte = self._next(0.5)
            if byte == CALL and (not self._text or self._pauses()):
                return
            if byte is not None and byte not in (ACK, NAK):
                self._put(byte)
        raise NoAnswerError("the device does not go on: reset it and try again")

    def flush(self) -> None:
        """Hand on the last line, which has no end yet."""
        if self._text:
            self._on_text(bytes(self._text))
        self._text.clear()

    def _answer(self, timeout_s: float) -> int | None:
        """Return ACK or NAK, or CALL when the receiver calls a second time; None when none of them comes."""
        deadline = self._port.now() + timeout_s
        called = math.inf
        while (now := self._port.now()) < deadline:
            byte = self._next(min(0.5, deadline - now))
            if byte is None:
                continue
            if byte in (ACK, NAK):
                return byte
            if byte == CALL and self._pauses():
                if now - called > CALLS_S:
                    return CALL
                called = min(called, now)
            else:
                self._put(byte)
        return None

    def _next(self, timeout_s: float) -> int | None:
        byte, self._held = self._held or self._port.read(1, timeout_s), b""
        return byte[0] if byte else None

    def _pauses(self) -> bool:
        """Whether nothing or an answer follows: then the byte before it was not a letter of some text."""
        self._held = self._port.read(1, QUIET_S)
        return not self._held or self._held[0] in (ACK, NAK, CAN)

    def _put(self, byte: int) -> None:
        """Take a byte that is no answer.  Two CAN end the transfer, the banner tells of a reset, all else is text."""
        if byte == CAN:
            self._held = self._port.read(1, 1.0)
            if self._held == bytes((CAN,)):
                raise RefusedError("the device refused the file")
            return
        self._text.append(byte)
        if byte == ord("\n"):
            restarted = BANNER.search(self._text)
            self.flush()
            if restarted:
                raise RestartedError("the device was reset in the middle of the file")
