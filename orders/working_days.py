"""Working days, Monday to Friday. Public holidays are not known here."""

from datetime import date, timedelta

SATURDAY = 5


def working_day(start: date, days: int) -> date:
    """The day that is `days` working days after `start`; with 0, `start` itself or the next working day."""
    day = start
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    for _step in range(days):
        day += timedelta(days=1)
        while day.weekday() >= SATURDAY:
            day += timedelta(days=1)
    return day
