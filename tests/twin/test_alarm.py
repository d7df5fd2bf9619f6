"""When an alarm rings, against a search second by second."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from spboot.twin.alarm import Alarm

START = datetime(2024, 2, 28, 23, 58, 59)
WEDNESDAY = 3


@pytest.mark.parametrize(
    ("alarm", "when"),
    [
        (Alarm(), START),
        (Alarm(second=58), datetime(2024, 2, 28, 23, 59, 58)),
        (Alarm(hour=23, minute=58, second=59), START),
        (Alarm(hour=23, minute=58, second=58), datetime(2024, 2, 29, 23, 58, 58)),
        (Alarm(day=30, hour=1, minute=2, second=3), datetime(2024, 3, 30, 1, 2, 3)),
        (Alarm(weekday=2, hour=0, minute=0, second=0), datetime(2024, 3, 5)),
        (Alarm(weekday=3, minute=0, second=0), datetime(2024, 3, 6)),
        (Alarm(day=32), None),
        (Alarm(hour=25), None),
    ],
)
def test_alarm(alarm: Alarm, when: datetime | None) -> None:
    assert alarm.after(START, WEDNESDAY) == when


@pytest.mark.parametrize("second", [None, 0, 30, 59])
@pytest.mark.parametrize("minute", [None, 0, 58, 59])
@pytest.mark.parametrize("hour", [None, 0, 23])
def test_it_is_the_first(hour: int | None, minute: int | None, second: int | None) -> None:
    wanted = (hour, minute, second)
    moment = START
    while any(
        w not in (None, found) for w, found in zip(wanted, (moment.hour, moment.minute, moment.second), strict=True)
    ):
        moment += timedelta(seconds=1)
    assert Alarm(hour=hour, minute=minute, second=second).after(START, WEDNESDAY) == moment
