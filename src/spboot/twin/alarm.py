"""When an alarm rings: moments whose day, hour, minute and second are given, each or any."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import product
from typing import Final

_DAYS: Final = 366 * 8
"""In so many a day like any other comes again, a 29th of February as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """None stands for any.  *weekday* is 1 on Mondays; the calendar of a chip need not agree with ours on it."""

    day: int | None = None
    weekday: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None

    def after(self, moment: datetime, weekday: int) -> datetime | None:
        """The first moment from *moment* on, which is on *weekday*, that fits; None when none ever does."""
        for number in range(_DAYS):
            date = moment.date() + timedelta(days=number)
            if self.day not in (None, date.day) or self.weekday not in (None, (weekday - 1 + number) % 7 + 1):
                continue
            found = self._on(moment if not number else datetime.combine(date, time()))
            if found is not None:
                return found
        return None

    def _on(self, first: datetime) -> datetime | None:
        """The same, on the day of *first* alone."""
        wanted = ((self.hour, 24), (self.minute, 60), (self.second, 60))
        for found in product(*(range(count) if value is None else (value,) for value, count in wanted)):
            hour, minute, second = found
            if hour < 24 and minute < 60 and second < 60 and found >= (first.hour, first.minute, first.second):
                return first.replace(hour=hour, minute=minute, second=second)
        return None
