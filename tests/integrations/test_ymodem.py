"""The receiver that users copy: other people's senders, ours in trouble, noise.  The same senders as at the loader."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable

import pytest

from spboot.link import ymodem
from tests.integrations.line import End, Sender, Taker, compiled, received
from tests.system import foreign
from tests.system.foreign import NAME, Foreign
from tests.system.test_senders import LONG, REFUSED, SHORT, TAKEN

DATA = bytes(random.Random(1).randbytes(3000))
LONGEST_S = 120


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return compiled(tmp_path_factory.mktemp("ymodem"))


@pytest.mark.parametrize("name", TAKEN)
def test_a_whole_file_is_taken_once_and_in_order(receiver: ctypes.CDLL, name: str) -> None:
    taker = Taker(len(DATA))
    end, _ = received(receiver, taker, lambda port: TAKEN[name].send(port, DATA))
    assert (end, bytes(taker.taken)) == (End.DONE, DATA)


ENDS = {
    "cut": End.DONE,
    "cut, no size": End.DONE,
    "cut, one EOT, then silence": End.DONE,
    "cut, no EOT": End.ERRORS,
    "cancelled in the middle": End.CANCELLED,
    "silence in the middle": End.ERRORS,
    "a size too small": End.DONE,
    "on behind its size": End.ERRORS,
    "a byte more": End.REFUSED,
    "blocks more": End.REFUSED,
    "blocks more, no size": End.REFUSED,
    "blocks more, whole ones": End.REFUSED,
}
"""DONE: the sender says that it is all; that it is not is for the taker to say."""


@pytest.mark.parametrize("name", REFUSED)
def test_another_file_ends_in_time(receiver: ctypes.CDLL, name: str) -> None:
    sender, more, _ = REFUSED[name]
    whole = len(DATA) // 128 * 128
    sent = DATA[: whole + SHORT] if more < 0 else DATA + bytes(range(1, LONG + 1))[:more]
    taker = Taker(len(DATA))
    end, seconds = received(receiver, taker, lambda port: sender.send(port, sent))
    assert end == ENDS[name] and seconds < LONGEST_S
    assert bytes(taker.taken) != DATA and bytes(taker.taken[: len(DATA)]) in (DATA, DATA[: len(taker.taken)])


@pytest.mark.parametrize("refuses", ["begin", "data"])
def test_who_takes_the_file_can_refuse_it(receiver: ctypes.CDLL, refuses: str) -> None:
    results: list[str] = []
    taker = Taker(len(DATA), refuses=refuses)
    end, _ = received(receiver, taker, lambda port: results.append(Foreign().send(port, DATA)))
    assert (end, results, taker.size) == (End.REFUSED, ["refused"], len(DATA))


@pytest.mark.parametrize("head", [lambda size: NAME + str(size).encode(), lambda _: NAME], ids=["size", "no size"])
def test_without_a_count_of_its_own_the_sender_says_what_is_all(
    receiver: ctypes.CDLL, head: Callable[[int], bytes]
) -> None:
    taker = Taker(1 << 20)
    end, _ = received(receiver, taker, lambda port: Foreign(head=head).send(port, DATA), counts=False)
    padded = DATA.ljust(-(-len(DATA) // 128) * 128, b"\x1a")
    assert (end, bytes(taker.taken)) == (End.DONE, DATA if taker.size else padded)


def test_spboots_own_sender(receiver: ctypes.CDLL) -> None:
    """Blocks of 1024 bytes, more of them than a number of a block has values, while the clock goes round."""
    data, taker = DATA * 100, Taker(len(DATA) * 100)

    def send(port: Sender) -> None:
        ymodem.wait_for_call(port, 5, on_text=lambda _: None)
        ymodem.send(port, "a.sfb", data)

    end, seconds = received(receiver, taker, send, started_ms=0xFFFFFFFF - 10)
    assert (end, bytes(taker.taken)) == (End.DONE, data) and seconds < 10


def test_an_answer_that_is_lost_and_a_block_that_is_damaged(receiver: ctypes.CDLL) -> None:
    taker = Taker(256)
    answers = bytearray()

    def send(port: Sender) -> None:
        blocks = [ymodem.packet(0, NAME + b"256", 128), *(ymodem.packet(n, DATA[n * 128 :][:128], 128) for n in (1, 2))]
        damaged = bytearray(blocks[1])
        damaged[50] ^= 1
        lost = blocks[1][:40]
        for each in (blocks[0], bytes(damaged), lost, blocks[1], blocks[1], blocks[2], b"\x04", b"\x04"):
            port.write(each)
            answers.extend(heard := port.read(256, 3))
            while heard:  # an answer may be two bytes
                answers.extend(heard := port.read(256, 0.1))
        port.write(ymodem.packet(0, b"", 128))

    end, _ = received(receiver, taker, send)
    assert (end, bytes(taker.taken)) == (End.DONE, DATA[128:384])
    assert bytes(answers).count(ymodem.NAK) == 2, bytes(answers)


def test_nobody_sends(receiver: ctypes.CDLL) -> None:
    end, seconds = received(receiver, Taker(1), lambda port: port.read(1, 100) and None, calls=7)
    assert end == End.NOBODY and 7 <= seconds < 101


def test_xmodem_is_told(receiver: ctypes.CDLL) -> None:
    results: list[str] = []
    end, _ = received(receiver, Taker(1), lambda port: results.append(foreign.xmodem(port, DATA)))
    assert (end, results) == (End.OTHER, ["refused"])


@pytest.mark.parametrize("text", [bytes((ymodem.CAN,)) * 2, ymodem.packet(0, b"", 128)], ids=["CAN", "empty batch"])
def test_a_sender_that_gives_up_at_once(receiver: ctypes.CDLL, text: bytes) -> None:
    end, _ = received(receiver, Taker(1), lambda port: port.write(text))
    assert end == End.CANCELLED


@pytest.mark.parametrize(
    ("byte", "pause_s", "longest_s"), [(b"x", 0.15, 5.0), (b"\x02", 0.9, 11.5)], ids=["babble", "a block that drips"]
)
def test_no_wait_is_prolonged_by_what_comes(
    receiver: ctypes.CDLL, byte: bytes, pause_s: float, longest_s: float
) -> None:
    heard, taker = bytearray(), Taker(len(DATA))
    sender = Foreign(between=foreign.dripping(3, byte, pause_s, longest_s, heard))
    end, _ = received(receiver, taker, lambda port: sender.send(port, DATA))
    assert bytes((ymodem.NAK,)) in heard
    assert (end, bytes(taker.taken)) == (End.DONE, DATA)


def test_a_babbling_sender_is_given_up(receiver: ctypes.CDLL) -> None:
    sender = Foreign(between=foreign.dripping(3, b"x", 0.15, 90, bytearray()))
    end, seconds = received(receiver, Taker(len(DATA)), lambda port: sender.send(port, DATA))
    assert end == End.ERRORS and seconds < 90


@pytest.mark.parametrize("seed", range(20))
def test_noise_ends(receiver: ctypes.CDLL, seed: int) -> None:
    """Blocks, halves of them, short answers and anything else, in any order."""
    rng, taker = random.Random(seed), Taker(len(DATA))

    def send(port: Sender) -> None:
        for _ in range(rng.randrange(1, 60)):
            block = ymodem.packet(rng.randrange(4), rng.randbytes(128), rng.choice((128, 1024)))
            short = bytes((rng.choice((1, 2, 4, 6, 21, 24, 67)),))
            port.write(rng.choice((block, block[: rng.randrange(len(block))], short, short * 2, rng.randbytes(9))))
            port.read(256, rng.choice((0.0, 0.3, 1.1, 3.0)))

    _, seconds = received(receiver, taker, send, calls=5)
    assert seconds < 60 * 20
