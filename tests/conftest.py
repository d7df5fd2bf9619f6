"""What all tests share: the name of a test that fails is said at once, not when all have run; Ctrl-C is not ignored."""

from __future__ import annotations

import signal

import pytest


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
