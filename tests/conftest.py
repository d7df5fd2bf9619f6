"""What all tests share: the name of a test that fails is said at once, not when all have run."""

from __future__ import annotations

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
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Announcer(config), "announcer")
