"""A feed that fails is asked again, for ever, however it fails and whatever its server says."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import Hints, History, Observation, Pace, Reason
from aggregator.schedule import next_due
from aggregator.settings import Polling

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
PACE = Pace(polling=Polling())
DAY = timedelta(days=1)


def waits(reasons, hints=Hints()):  # noqa: B008  frozen
    """How long a feed is left alone after each failure in a row."""
    history, now = History(), NOW
    for reason in reasons:
        due = next_due(history, Observation(reason=reason, hints=hints), now, PACE)
        yield reason, due.at - now
        history, now = due.history, due.at


@given(st.lists(st.sampled_from(sorted(Reason)), min_size=1, max_size=60))
def test_a_failing_feed_is_asked_again_within_a_day_and_a_gone_one_within_a_month(reasons):
    for reason, wait in waits(reasons):
        assert timedelta(0) < wait <= (30 * DAY if reason is Reason.GONE else DAY)


@given(st.sampled_from(sorted(set(Reason) - {Reason.GONE})), st.floats(0, 1e12), st.floats(0, 1e12))
def test_no_server_can_send_us_away_for_more_than_a_week(reason, retry_after_s, max_age_s):
    hints = Hints(retry_after_s=retry_after_s, max_age_s=max_age_s)
    for _, wait in waits([reason] * 3, hints):
        assert wait <= 7 * DAY


def test_a_feed_that_fails_for_a_year_is_asked_every_day():
    every = [wait for _, wait in waits([Reason.TIMEOUT] * 400)]
    assert min(every[20:]) > DAY / 2
    assert sum(every, timedelta()) > 365 * DAY
