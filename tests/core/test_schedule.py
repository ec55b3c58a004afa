# ruff: noqa: N802 - tests are named after the rows of the conformance table
"""When a feed is due again. Names of rows and cases are those of the conformance table."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import Hints, History, Observation, Pace, Reason
from aggregator.schedule import from_json, next_due, to_json
from aggregator.settings import Polling

NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
AUTO = Pace(polling=Polling())
HOUR, DAY = 3600.0, 86_400.0


def wait_s(outcome, history=History(), now=NOW, pace=AUTO):  # noqa: B008 - frozen
    due = next_due(history, outcome, now, pace)
    return (due.at - now).total_seconds(), due.why


def first_document(every_s, count=30, now=NOW):
    dates = tuple(now - timedelta(seconds=every_s * (number + 0.5)) for number in range(count))
    return Observation(new=count, entries=count, published=dates)


def lived(every_s, now=NOW, pace=AUTO):
    """The history of a feed after its first document."""
    return next_due(History(), first_document(every_s, now=now), now, pace).history


def followed(published, *, pace=AUTO, begin=NOW):
    """Poll a feed that publishes at these times (seconds after `begin`): when we came, and the items' delays."""
    history, now, known = History(), begin, 0
    polls, delays = [], []
    times = [begin + timedelta(seconds=at) for at in sorted(published)]
    while now <= times[-1] + timedelta(hours=6):
        there = sum(at <= now for at in times[known:]) + known
        new = tuple(times[known:there])
        delays += [(now - at).total_seconds() for at in new]
        due = next_due(history, Observation(new=len(new), entries=30, published=new), now, pace)
        history, known = due.history, there
        polls.append(now)
        now = due.at
    return polls, delays


# ---------------------------------------------------------------- rate


@pytest.mark.parametrize("every_s", [1200, 2 * HOUR])
def test_a_steady_feed_is_polled_at_the_optimum(every_s):
    published = [every_s * number for number in range(int(20 * DAY / every_s))]
    random = Random(1)
    scattered = [at + random.uniform(0, every_s) for at in published]
    polls, delays = followed(scattered)
    late = [at for at in polls if at > NOW + timedelta(days=10)]
    mean_gap_s = (late[-1] - late[0]).total_seconds() / (len(late) - 1)
    optimum_s = sqrt(2 * AUTO.polling.cost * every_s)
    assert 0.75 * optimum_s < mean_gap_s < 1.25 * optimum_s
    assert sum(delays) / len(delays) < 0.7 * optimum_s


def test_the_first_document_is_a_history_already():
    busy, why = wait_s(first_document(1800))
    quiet, _ = wait_s(first_document(6 * HOUR))
    optimum_s = sqrt(2 * AUTO.polling.cost * 1800)
    assert why == "rate"
    assert 0.4 * optimum_s < busy < 1.2 * optimum_s
    assert busy < quiet


def test_a_first_document_without_dates_is_no_history():
    history = next_due(History(), Observation(new=30, entries=30), NOW, AUTO).history
    assert (history.items, history.losses) == (0, 0)


def test_weight_and_cost_move_the_interval():
    quiet = Observation(entries=30)
    now = NOW + timedelta(hours=2)
    history = lived(2 * HOUR)
    plain, _ = wait_s(quiet, history, now)
    heavy, _ = wait_s(quiet, history, now, Pace(polling=Polling(), weight=10))
    cheap, _ = wait_s(quiet, history, now, Pace(polling=Polling(cost=10_000)))
    assert heavy < plain < cheap


def test_floor_and_cap_hold():
    assert wait_s(first_document(5))[1] == "floor"
    assert 900 <= wait_s(first_document(5))[0] <= 990
    capped, why = wait_s(Observation(entries=30), lived(9 * DAY), NOW + timedelta(hours=3))
    assert why == "cap"
    assert 5.8 * HOUR < capped <= 6 * HOUR


def test_nights_are_left_alone_and_mornings_are_not():
    random = Random(2)
    published = [day * DAY + 8 * HOUR + random.uniform(0, 2 * HOUR) for day in range(30) for _ in range(20)]
    begin = NOW.replace(hour=0, minute=0, second=0)
    polls, _ = followed(published, begin=begin)
    by_hour = Counter(at.hour for at in polls if at > begin + timedelta(days=10))
    assert by_hour[8] + by_hour[9] > by_hour[1] + by_hour[2] + by_hour[3] + by_hour[4]
    assert (by_hour[8] + by_hour[9]) / 2 > 3 * max(by_hour[hour] for hour in (0, 1, 2, 3))


def test_a_steady_beat_is_learned():
    """A batch of ten each two hours: we come soon after the beat, not evenly."""
    published = [2 * HOUR * beat for beat in range(240) for _ in range(10)]
    polls, delays = followed(published, pace=Pace(polling=Polling(cost=4000)))
    per_day = len([at for at in polls if at > NOW + timedelta(days=10)]) / 10.25
    late = delays[len(delays) // 2 :]
    evenly = DAY / per_day / 2
    assert sum(late) / len(late) < 0.85 * evenly


def test_a_burst_is_followed_closely():
    history = lived(4 * HOUR)
    later = NOW + timedelta(hours=5)
    burst = Observation(new=4, entries=30, published=tuple(later - timedelta(minutes=minute) for minute in range(4)))
    calm = Observation(new=1, entries=30, published=(later - timedelta(hours=3),))
    assert wait_s(burst, history, later)[0] < wait_s(calm, history, later)[0]


def test_items_without_dates_count_all_the_same():
    history = lived(2 * HOUR)
    later = NOW + timedelta(hours=2)
    grown = next_due(history, Observation(new=9, entries=30), later, AUTO).history
    assert grown.items > history.items + 8
    assert sum(grown.hours) == pytest.approx(grown.items)
    assert sum(grown.days) == pytest.approx(grown.items)


def test_dates_that_cannot_be_true_are_not_believed():
    history = lived(2 * HOUR)
    later = NOW + timedelta(hours=2)
    dates = (later + timedelta(days=3), NOW - timedelta(days=9), datetime(9999, 12, 31, tzinfo=UTC))
    grown = next_due(history, Observation(new=3, entries=30, published=dates), later, AUTO).history
    assert sum(grown.hours) == pytest.approx(grown.items)
    assert max(grown.hours, default=0) < 20


# ---------------------------------------------------------------- losses


def test_P2_a_document_without_a_known_item_halves_the_interval():
    history = lived(2 * HOUR)
    later = NOW + timedelta(hours=3)
    dates = tuple(later - timedelta(minutes=5 * number) for number in range(10))
    cheap = Pace(polling=Polling(cost=20_000))
    known = next_due(history, Observation(new=10, entries=11, published=dates), later, cheap)
    lost = next_due(history, Observation(new=10, entries=10, published=dates), later, cheap)
    assert (known.history.losses, lost.history.losses) == (0, 1)
    assert lost.at - later < 0.6 * (known.at - later)
    found = next_due(lost.history, Observation(entries=10), lost.at, AUTO)
    assert found.history.losses == 0


def test_a_document_that_fills_up_is_visited_in_time():
    history = lived(20 * 60)
    small = next_due(history, Observation(entries=3), NOW + timedelta(hours=1), Pace(polling=Polling(cost=1e9)))
    assert small.why == "window"


# ---------------------------------------------------------------- what servers ask


@pytest.mark.parametrize(
    ("asked", "least_s", "most_s", "why"),
    [
        (Observation(entries=1, hints=Hints(max_age_s=43_200)), 43_200, 45_000, "max_age"),  # S1
        (Observation(entries=1, hints=Hints(max_age_s=365 * DAY)), DAY, DAY, "max_age"),  # S6, D48
        (Observation(entries=1, ttl_s=10 * HOUR), 10 * HOUR, 10.5 * HOUR, "ttl"),  # S8
        (Observation(entries=1, ttl_s=99_999_999), DAY, DAY, "ttl"),  # D48
        (Observation(entries=1, hints=Hints(retry_after_s=2 * DAY)), 2 * DAY, 2.03 * DAY, "retry_after"),  # R4
        (Observation(entries=1, hints=Hints(retry_after_s=3650 * DAY)), 7 * DAY, 7 * DAY, "retry_after"),  # D48
        (Observation(entries=1, hints=Hints(retry_after_s=2 * DAY, max_age_s=9e9)), 2 * DAY, 2.1 * DAY, "retry_after"),
        (Observation(reason=Reason.TOO_MANY, hints=Hints(retry_after_s=5 * DAY)), 5 * DAY, 5.1 * DAY, "retry_after"),
        (Observation(reason=Reason.UNAVAILABLE, hints=Hints(max_age_s=7 * HOUR)), 7 * HOUR, 7.5 * HOUR, "max_age"),
    ],
)
@pytest.mark.parametrize("every", [None, timedelta(seconds=1)])
def test_S1_S6_S8_R1_R4_D48_a_server_is_obeyed_up_to_its_cap(asked, least_s, most_s, why, every):
    waited, said = wait_s(asked, lived(9 * DAY), NOW + timedelta(hours=6), Pace(polling=Polling(), every=every))
    assert least_s <= waited <= most_s
    assert said == why


def test_a_hint_below_our_own_interval_changes_nothing():
    asked = Observation(entries=1, hints=Hints(max_age_s=1.0, retry_after_s=1.0), ttl_s=1.0)
    assert wait_s(asked, lived(9 * DAY), NOW + timedelta(hours=6))[1] == "cap"


def test_S8_a_ttl_holds_while_the_document_is_unchanged():
    told = next_due(History(), Observation(new=1, entries=1, ttl_s=20 * HOUR), NOW, AUTO)
    unchanged = next_due(told.history, Observation(entries=1), told.at, AUTO)
    reread = next_due(unchanged.history, Observation(new=1, entries=2), unchanged.at, AUTO)
    assert [due.why for due in (told, unchanged, reread)] == ["ttl", "ttl", "rate"]


def test_a_capped_hint_never_shortens_a_longer_wait():
    pace = Pace(polling=Polling(), every=timedelta(hours=30))
    waited, why = wait_s(Observation(entries=1, hints=Hints(max_age_s=99 * HOUR)), pace=pace)
    assert (why, waited >= 30 * HOUR) == ("every", True)


def test_every_is_the_operators_word_against_rate_floor_and_cap():
    pace = Pace(polling=Polling(), every=timedelta(seconds=20))
    waited, why = wait_s(first_document(9 * HOUR), pace=pace)
    assert why == "every"
    assert 20 <= waited <= 22
    assert wait_s(first_document(60), pace=Pace(polling=Polling(), every=timedelta(hours=36)))[0] >= 36 * HOUR


# ---------------------------------------------------------------- failures


def failing(reason, times):
    history, waits = lived(HOUR), []
    now = NOW
    for _ in range(times):
        due = next_due(history, Observation(reason=reason), now, AUTO)
        waits.append((due.at - now).total_seconds() / HOUR)
        history, now = due.history, due.at
    return waits


def test_S14_failures_back_off_to_a_day_and_never_further():
    waits = failing(Reason.TIMEOUT, 12)
    assert 0.25 <= waits[0] <= 0.56
    assert all(0.25 * 2**number <= wait for number, wait in enumerate(waits[:6]))
    assert waits[-1] == 24
    assert max(waits) == 24


@pytest.mark.parametrize(
    ("reason", "least"),
    [
        (Reason.TOO_MANY, [4, 8, 16, 24, 24]),  # R2
        (Reason.UNAUTHORIZED, [4, 24, 24]),  # R6
        (Reason.NOT_FOUND, [0.25, 0.5, 1, 2, 4, 8, 16, 24, 24]),  # R7
        (Reason.GONE, [720, 720]),  # R8, D49
    ],
)
def test_R2_R6_R7_R8_refusals_have_their_own_ladders(reason, least):
    waits = failing(reason, len(least))
    assert all(low <= wait <= max(low * 2.3, 24) for low, wait in zip(least, waits, strict=True))
    assert next_due(History(), Observation(reason=reason), NOW, AUTO).why == (
        "gone" if reason is Reason.GONE else "backoff"
    )


def test_a_good_visit_ends_the_count_of_failures_and_a_bad_one_teaches_nothing_else():
    history = lived(HOUR)
    failed = next_due(history, Observation(reason=Reason.DNS), NOW, AUTO).history
    assert failed.failures == 1
    assert (failed.items, failed.last_poll) == (history.items, history.last_poll)
    assert next_due(failed, Observation(entries=30), NOW + timedelta(hours=1), AUTO).history.failures == 0


def test_S14_feeds_that_fail_together_rise_apart():
    dues = [
        next_due(lived(HOUR), Observation(reason=Reason.CONNECT), NOW + timedelta(milliseconds=number), AUTO).at
        for number in range(200)
    ]
    assert len({due.replace(second=0, microsecond=0) for due in dues}) > 12


# ---------------------------------------------------------------- clocks


def test_S11_a_clock_that_jumps_back_does_no_harm():
    ahead = lived(HOUR, now=NOW + timedelta(days=366))
    back = next_due(ahead, Observation(entries=30), NOW, AUTO)
    assert min(back.history.echo_due) >= 0
    due = next_due(lived(HOUR), Observation(new=1, entries=30), NOW - timedelta(days=2), AUTO)
    assert due.at > NOW - timedelta(days=2)
    assert due.at < NOW - timedelta(days=1)


# ---------------------------------------------------------------- laws

moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.none() | st.floats(0, 1e12)
outcomes = st.builds(
    Observation,
    new=st.integers(0, 3000),
    entries=st.integers(0, 3000),
    reason=st.none() | st.sampled_from(Reason),
    hints=st.builds(Hints, retry_after_s=spans, max_age_s=spans),
    ttl_s=spans,
    published=st.lists(moments, max_size=40).map(tuple),
)


@given(visits=st.lists(st.tuples(outcomes, moments), min_size=1, max_size=6), every=st.none() | st.just(HOUR))
def test_whatever_comes_the_next_visit_is_at_least_a_floor_and_at_most_a_month_away(visits, every):
    pace = Pace(polling=Polling(), every=timedelta(seconds=every) if every else None)
    history = History()
    for outcome, now in visits:
        due = next_due(history, outcome, now, pace)
        assert next_due(history, outcome, now, pace) == due
        assert timedelta(minutes=15) <= due.at - now <= timedelta(days=30)
        assert outcome.reason is Reason.GONE or due.at - now <= timedelta(days=7)
        history = from_json(to_json(due.history))
        assert to_json(history) == to_json(due.history)


def test_a_history_survives_its_text():
    history = lived(1800)
    read = from_json(to_json(history))
    later = NOW + timedelta(minutes=40)
    calm = Observation(entries=30)
    assert read.last_poll == history.last_poll
    near = next_due(read, calm, later, AUTO).at - next_due(history, calm, later, AUTO).at
    assert abs(near) < timedelta(minutes=2)


@pytest.mark.parametrize("text", ["", "{}", '{"items": 3.0}', '{"unknown": [1], "hours": null}', '{"recent": [1.0]}'])
def test_an_older_history_is_read(text):
    history = from_json(text)
    assert history.failures == 0
    assert next_due(history, Observation(new=2, entries=20), NOW, AUTO).at > NOW
