from __future__ import annotations

import pytest

from spboot.boards import Board
from tests.usb.host import Host, compile_host

BOARD = "NUCLEO-L496ZG"


@pytest.fixture(scope="session")
def board() -> Board:
    return Board.load(BOARD)


@pytest.fixture(scope="session")
def host(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Host:
    return compile_host(board, tmp_path_factory.mktemp("host"))
