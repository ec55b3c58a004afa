# ruff: noqa: N802 - tests are named after the rows of the conformance table
"""When a feed is due again. Names of rows and cases are those of the conformance table."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import Doubt, Hints, History, Observation, Pace, ParsedFeed, Reason
from aggregator.schedule import doubts, from_json, is_doubted, next_due, to_json
from aggregator.settings import Polling

NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
AUTO = Pace(polling=Polling())
HOUR, DAY = 3600.0, 86_400.0


def wait_s(outcome, history=History(), now=NOW, pace=AUTO):  # noqa: B008 - frozen
    due = next_due(history, outcome, now, pace)
    return (due.at - now).total_seconds(), due.why


def asking(**wishes):
    """A feed document that asks something of its readers."""
    return ParsedFeed(format="rss20", **wishes)


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
        (Observation(entries=1, said=asking(ttl_s=10 * HOUR)), 10 * HOUR, 10.5 * HOUR, "ttl"),  # S8
        (Observation(entries=1, said=asking(ttl_s=99_999_999)), DAY, DAY, "ttl"),  # D48
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
    asked = Observation(entries=1, hints=Hints(max_age_s=1.0, retry_after_s=1.0), said=asking(ttl_s=1.0))
    assert wait_s(asked, lived(9 * DAY), NOW + timedelta(hours=6))[1] == "cap"


def test_S8_a_ttl_holds_while_the_document_is_unchanged():
    told = next_due(History(), Observation(new=1, entries=1, said=asking(ttl_s=20 * HOUR)), NOW, AUTO)
    unchanged = next_due(told.history, Observation(entries=1, not_modified=True), told.at, AUTO)
    reread = next_due(unchanged.history, Observation(new=1, entries=2, said=asking()), unchanged.at, AUTO)
    assert [due.why for due in (told, unchanged, reread)] == ["ttl", "ttl", "rate"]


@pytest.mark.parametrize(
    ("base", "every_s", "next_s"),
    [
        (NOW - timedelta(hours=1), 4 * HOUR, 3 * HOUR),
        (NOW - timedelta(days=4000, hours=5), 12 * HOUR, 7 * HOUR),
        (NOW + timedelta(hours=2), 8 * HOUR, 2 * HOUR),
        (NOW - timedelta(days=1), 7 * DAY, DAY),  # six days more are not waited for
    ],
)
def test_S8_a_document_is_read_at_the_beat_that_it_names(base, every_s, next_s):
    said = asking(ttl_s=every_s, update_base=base)
    often = Pace(polling=Polling(), every=timedelta(minutes=1))
    waited, why = wait_s(Observation(entries=1, said=said), lived(9 * DAY), pace=often)
    assert why == "ttl"
    assert next_s <= waited <= min(next_s + 0.1 * every_s, next_s + 1800)


def test_S8_a_beat_faster_than_our_floor_is_not_followed():
    said = asking(ttl_s=60.0, update_base=NOW - timedelta(hours=1))
    assert wait_s(first_document(5), now=NOW)[1] == "floor"
    assert wait_s(Observation(new=1, entries=1, said=said, published=(NOW,)), lived(5))[0] >= 900


MONDAY = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
EACH_HOUR = Pace(polling=Polling(), every=timedelta(hours=1))


@pytest.mark.parametrize(
    ("wishes", "now_h", "from_h", "until_h"),
    [
        ({"skip_hours": (13, 14, 15)}, 12.5, 16, 16.5),
        ({"skip_hours": (13, 14, 15)}, 11.5, 12.5, 12.7),  # comes before they begin
        ({"skip_hours": (0, 1, 23)}, 22.5, 26, 26.5),  # over midnight
        ({"skip_days": (1,)}, 23.5, 48, 48.5),  # Tuesday
        ({"skip_days": (1,), "skip_hours": (0,)}, 23.5, 48.5, 48.5),  # 00 h of Wednesday too: a day later and no more
        ({"skip_days": (1, 2)}, 23.5, 48.5, 48.7),
        ({"skip_hours": tuple(range(24))}, 12.5, 13.5, 13.7),  # who skips all says nothing
        ({"skip_days": tuple(range(7))}, 12.5, 13.5, 13.7),
    ],
)
def test_S8_skip_hours_and_days_postpone_to_the_next_allowed_hour(wishes, now_h, from_h, until_h):
    now = MONDAY + timedelta(hours=now_h)
    due = next_due(
        lived(HOUR, now=NOW - timedelta(days=5)), Observation(entries=1, said=asking(**wishes)), now, EACH_HOUR
    )
    at_h = (due.at - MONDAY).total_seconds() / HOUR
    assert from_h <= at_h <= until_h + 0.2
    assert (due.why == "skip") == (from_h - now_h > 1.5)


@pytest.mark.parametrize("outcome", [Observation(entries=1, not_modified=True), Observation(reason=Reason.TIMEOUT)])
def test_S8_skip_hours_hold_through_304s_failures_and_restarts(outcome):
    told = next_due(History(), Observation(new=1, entries=1, said=asking(skip_hours=(13, 14))), MONDAY, EACH_HOUR)
    history, now = from_json(to_json(told.history)), MONDAY + timedelta(hours=12, minutes=55)
    for _ in range(3):
        due = next_due(history, outcome, now, EACH_HOUR)
        assert due.at.hour not in (13, 14)
        history, now = from_json(to_json(due.history)), due.at
    lifted = next_due(history, Observation(entries=1, said=asking()), MONDAY + timedelta(hours=36.5), EACH_HOUR)
    assert (lifted.at.hour, lifted.history.skip_hours) == (13, ())


def test_S8_feeds_that_skip_the_same_hours_do_not_come_back_in_one_minute():
    said = asking(skip_hours=(13, 14))
    now = MONDAY + timedelta(hours=12, minutes=30)
    back = [
        next_due(lived(HOUR), Observation(entries=1, said=said), now + timedelta(milliseconds=n), EACH_HOUR).at.minute
        for n in range(300)
    ]
    assert max(Counter(back).values()) < 30


def test_S7_a_max_age_holds_through_304s_that_say_nothing_and_a_new_one_replaces_it():
    history, now = lived(HOUR), NOW
    seen = []
    for hints, not_modified in (
        (Hints(max_age_s=12 * HOUR), False),
        (Hints(), True),  # a bare 304
        (Hints(max_age_s=9 * HOUR), True),
        (Hints(), True),
        (Hints(max_age_s=0.0), True),  # no-cache
        (Hints(), True),
        (Hints(max_age_s=9 * HOUR), False),
        (Hints(), False),  # a whole document that says nothing
    ):
        due = next_due(history, Observation(entries=30, hints=hints, not_modified=not_modified), now, AUTO)
        asked = (due.not_before - now).total_seconds() / HOUR if due.not_before else None
        seen.append((due.why == "max_age", asked))
        history, now = from_json(to_json(due.history)), due.at
    assert seen == [
        (True, 12), (True, 12), (True, 9), (True, 9), (False, None), (False, None), (True, 9), (False, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "doubt"),
    [
        (Observation(hints=Hints(max_age_s=365 * DAY)), [Doubt.MAX_AGE_CAPPED]),
        (Observation(said=asking(ttl_s=99_999_999.0)), [Doubt.TTL_CAPPED]),
        (Observation(reason=Reason.UNAVAILABLE, hints=Hints(retry_after_s=2 * DAY)), [Doubt.LONG_PAUSE]),
        (Observation(said=asking(skip_hours=tuple(range(24)))), [Doubt.SKIPS_ALL]),
        (Observation(hints=Hints(max_age_s=DAY, retry_after_s=DAY), said=asking(ttl_s=DAY)), []),
    ],
)
def test_S6_R1_what_is_capped_is_flagged(outcome, doubt):
    assert list(doubts(next_due(History(), outcome, NOW, AUTO).history, NOW)) == doubt


def test_R2_a_429_without_a_time_forbids_a_forced_fetch_as_long_as_it_makes_us_wait():
    due = next_due(History(), Observation(reason=Reason.TOO_MANY), NOW, AUTO)
    assert due.not_before == due.at >= NOW + timedelta(hours=4)


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


# ---------------------------------------------------------------- servers that hide news behind a 304


def unconditional(published, days, *, lies_from=inf, same=True, dated=True):
    """Poll a server for so many days; when each request without validators was made, and the last history.

    It answers 304 when nothing changed, and from `lies_from` (seconds) on to every request that carries validators.
    """
    history, now, known, told = History(), NOW, -inf, False
    whole_at = []
    while now < NOW + timedelta(days=days):
        second = (now - NOW).total_seconds()
        bare = not told or is_doubted(history, now)
        fresh = [at for at in published if known < at <= second]
        hidden = not bare and second >= lies_from
        if hidden or not (fresh or bare):
            seen = Observation(entries=30, not_modified=True)
        else:
            dates = tuple(NOW + timedelta(seconds=at) for at in fresh) if dated else ()
            seen = Observation(
                new=len(fresh),
                entries=30,
                bare=bare and told,
                same_validators=same and second >= lies_from,
                published=dates,
            )
            known = second
        if bare:
            whole_at.append(now)
        told = True
        due = next_due(from_json(to_json(history)), seen, now, AUTO)
        history, now = due.history, due.at
    return whole_at, history


def newsroom(days, a_day, seed=7, off=None):
    """When a newsroom publishes that sleeps at night and takes a day of the week off, in seconds."""
    random = Random(seed)
    for day in range(-3, days):
        if (NOW + timedelta(days=day)).weekday() != off:
            for _ in range(a_day):
                yield DAY * day - NOW.hour * HOUR + random.uniform(6 * HOUR, 20 * HOUR)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("a_day", [1, 8, 60])
def test_V15_a_normal_server_is_asked_once_without_validators_in_30_days(a_day, seed):
    whole_at, history = unconditional(sorted(newsroom(30, a_day, seed)), 30)
    assert whole_at == [NOW]
    assert doubts(history, NOW + timedelta(days=30)) == ()


@pytest.mark.parametrize("seed", range(3))
def test_V15_fridays_off_raise_doubt_once_at_most(seed):
    whole_at, history = unconditional(sorted(newsroom(30, 60, seed, off=4)), 30)
    assert len(whole_at) <= 2
    assert doubts(history, NOW + timedelta(days=30)) == ()


@pytest.mark.parametrize(("same", "dated"), [(True, False), (False, True)])
def test_V14_D47_false_304s_are_found_out_and_asked_around_once_a_day(same, dated):
    """From the tenth day on the server says 304 to whoever sends validators, while sixty items a day come."""
    published = sorted(newsroom(31, 60))
    whole_at, history = unconditional(published, 30, lies_from=10 * DAY, same=same, dated=dated)
    gaps = [later - earlier for earlier, later in pairwise(whole_at[1:])]
    assert whole_at[1] <= NOW + timedelta(days=11.5)
    assert min(gaps) >= timedelta(days=1)
    assert max(gaps) <= timedelta(days=1, hours=6.5)
    assert doubts(history, NOW + timedelta(days=30)) == (Doubt.FALSE_304,)


def test_V14_news_that_may_have_come_just_now_prove_no_lie():
    """A newsroom on holiday: the first item after it meets the request that was made out of doubt."""
    history = replace(lived(HOUR), unseen=9.0, whole_at=(NOW - timedelta(days=3)).timestamp())
    now = NOW + timedelta(minutes=40)
    just_now = Observation(new=1, entries=30, bare=True, published=(now - timedelta(minutes=10),))
    assert is_doubted(history, now)
    assert doubts(next_due(history, just_now, now, AUTO).history, now) == ()
    earlier = replace(just_now, published=(NOW - timedelta(days=1),))
    assert doubts(next_due(history, earlier, now, AUTO).history, now) == (Doubt.FALSE_304,)


def test_V14_a_server_that_was_repaired_is_believed_again_after_a_month():
    history = replace(lived(HOUR), lied_at=NOW.timestamp(), whole_at=NOW.timestamp())
    assert not is_doubted(history, NOW + timedelta(hours=23))
    assert is_doubted(history, NOW + timedelta(hours=25))
    assert not is_doubted(history, NOW + timedelta(days=31))


def test_V14_a_request_out_of_doubt_that_failed_is_not_repeated_within_a_day():
    history = replace(lived(HOUR), unseen=9.0, whole_at=(NOW - timedelta(days=3)).timestamp())
    failed = next_due(history, Observation(reason=Reason.TIMEOUT, bare=True), NOW, AUTO)
    assert not is_doubted(failed.history, failed.at)
    assert is_doubted(failed.history, NOW + timedelta(hours=25))


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
    said=st.none()
    | st.builds(
        asking,
        ttl_s=st.none() | st.floats(60, 1e12),
        update_base=st.none() | moments,
        skip_hours=st.lists(st.integers(0, 23), unique=True).map(tuple),
        skip_days=st.lists(st.integers(0, 6), unique=True).map(tuple),
    ),
    not_modified=st.booleans(),
    bare=st.booleans(),
    same_validators=st.booleans(),
    published=st.lists(moments, max_size=40).map(tuple),
)


@given(visits=st.lists(st.tuples(outcomes, moments), min_size=1, max_size=6), every=st.none() | st.just(HOUR))
def test_whatever_comes_the_next_visit_is_at_least_a_floor_and_at_most_a_month_away(visits, every):
    pace = Pace(polling=Polling(), every=timedelta(seconds=every) if every else None)
    history = History()
    for outcome, now in visits:
        due = next_due(history, outcome, now, pace)
        assert next_due(history, outcome, now, pace) == due
        skips = due.why == "skip"
        assert timedelta(minutes=15) <= due.at - now <= timedelta(days=30 + skips)
        assert outcome.reason is Reason.GONE or due.at - now <= timedelta(days=7 + skips)
        assert due.not_before is None or due.not_before <= due.at
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
