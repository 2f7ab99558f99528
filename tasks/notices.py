"""Nobody at home: when to come again, proposed from when nobody was there. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from tasks.doing import LOCAL

EVENING = time(19)
MORNING = time(9, 30)
_LATEST_FOR_TODAY = time(17, 30)


def propose_again(now: datetime) -> datetime:
    """
    When to come again after nobody was at home at an aware time: the same evening, when people are back from work;
    where that is near or over, the next morning at the weekend and the next evening on a working day.
    """
    local = now.astimezone(LOCAL)
    if local.time() <= _LATEST_FOR_TODAY:
        return datetime.combine(local.date(), EVENING, LOCAL)
    tomorrow = local.date() + timedelta(days=1)
    return datetime.combine(tomorrow, MORNING if tomorrow.isoweekday() > 5 else EVENING, LOCAL)
