"""Bootloaders are built once a session, with both compilers."""

from __future__ import annotations

import os

import pytest

from spboot.boards import Board
from spboot.builder.compiler import NAMES
from tests.system.feeder import Feeder
from tests.system.rig import Workshop, workshop

BOARD = os.environ.get("SPBOOT_TEST_BOARD", "NUCLEO-L476RG")
"""The board of `shop`; what every board must do is in test_boards.py, this is for a closer look at another one."""


@pytest.fixture(scope="session", params=NAMES)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder = tmp_path_factory.mktemp(f"system-{request.param}")
    return workshop(Board.load(BOARD), request.param, folder)


@pytest.fixture(scope="session")
def booted_feeder(shop: Workshop) -> Feeder:
    return Feeder(shop)


@pytest.fixture
def feeder(booted_feeder: Feeder) -> Feeder:
    """A device just after its boot."""
    booted_feeder.again()
    return booted_feeder
