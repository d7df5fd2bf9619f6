"""What all tests share: the name of a test that fails is said at once, not when all have run; Ctrl-C is not ignored;
what compilers make is shared by the workers of a run; of tests that differ in compiler or part alone `make test` takes
some; one browser is for all pages; what stays to the end is not searched for garbage."""

from __future__ import annotations

import gc
import os
import re
import shutil
import signal
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.system.shelf import VARIABLE
from tests.web.chromium import Chromium, chromium

_WORDS: Final = {"compiler": re.compile(r"\b(clang|gcc)\b"), "part": re.compile(r"\bSTM32\w+")}
_TWIN: Final = Path(__file__).with_name("twin")


class Announcer:
    """Prints the id of a test, and where it was, as soon as it fails; with xdist, in the process that hears of all."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            reporter = self._config.pluginmanager.get_plugin("terminalreporter")
            if reporter is not None:
                reporter.ensure_newline()
                phase = "" if report.when == "call" else f" in its {report.when}"
                reporter.write_line(f"FAILED{phase}: {report.nodeid}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    # A shell has what it starts in the background ignore SIGINT, and so do the commands that tests start and interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Announcer(config), "announcer")
        shelf = os.environ[VARIABLE] = tempfile.mkdtemp(prefix="spboot-shelf-")
        config.add_cleanup(lambda: shutil.rmtree(shelf, ignore_errors=True))


def _alike(items: Iterable[pytest.Item], kind: str) -> Iterator[tuple[int, list[pytest.Item]]]:
    """Of `make test`, the tests whose names differ in words of a *kind* alone, and a number by what is left of it."""
    alike: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if not item.get_closest_marker("soak"):
            alike[_WORDS[kind].sub(kind, item.nodeid)].append(item)
    for name, variants in alike.items():
        yield zlib.crc32(name.encode()), variants


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test with both compilers one is taken, by its name; tests of what compilers make, marked both_compilers, run
    with both.  Of one in tests/twin with more than two parts every other one is, from the first or the second on.  The
    others are run by `make soak`."""
    left: list[pytest.Item] = []
    of_one = (item for item in items if not item.get_closest_marker("both_compilers"))
    for number, variants in _alike(of_one, "compiler"):
        taken = number % len(variants)
        left += variants[:taken] + variants[taken + 1 :]
    for number, variants in _alike((item for item in items if _TWIN in item.path.parents), "part"):
        left += variants[number % 2 :: 2] if len(variants) > 2 else []
    for item in left:
        item.add_marker(pytest.mark.soak)


def pytest_collection_finish() -> None:
    """Ten thousand tests and all modules stay to the end: without them in it a search for garbage costs a fraction."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 30)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One for all tests of pages."""
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened
