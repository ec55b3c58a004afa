"""Dates as feeds write them: right, or unknown and flagged; never wrong."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.parse import dates

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

RIGHT = {  # 5 February 2024, 10:00 UTC unless told otherwise
    "Mon, 05 Feb 2024 10:00:00 GMT": "2024-02-05T10:00:00",
    "Mon, 05 Feb 2024 10:00:00 +0430": "2024-02-05T05:30:00",
    "Mon, 05 Feb 2024 10:00:00 -0500": "2024-02-05T15:00:00",
    "Mon, 05 Feb 2024 10:00:00 EST": "2024-02-05T15:00:00",
    "Mon, 05 Feb 2024 10:00:00 AFT": "2024-02-05T05:30:00",
    "Mon, 05 Feb 2024 10:00:00 IRST": "2024-02-05T06:30:00",
    "Mon, 05 Feb 2024 10:00:00 PKT": "2024-02-05T05:00:00",
    "Mon, 05 Feb 2024 10:00:00 GMT+0430": "2024-02-05T05:30:00",
    "Mon, 05 Feb 2024 10:00:00 UTC+04:30": "2024-02-05T05:30:00",
    "Mon, 05 Feb 2024 10:00:00 +0430 (AFT)": "2024-02-05T05:30:00",
    "Mon, 05 Feb 24 10:00:00 +0000": "2024-02-05T10:00:00",
    "Mon,05 Feb 2024 10:00:00 GMT": "2024-02-05T10:00:00",
    "mer, 05 feb 2024 10:00:00 +0000": "2024-02-05T10:00:00",
    "05 Feb 2024 10:00": "2024-02-05T10:00:00",
    "Monday, 05 February 2024 10:00:00 GMT": "2024-02-05T10:00:00",
    "Thu, 05 Sept 2024 10:00:00 GMT": "2024-09-05T10:00:00",
    "Mon, 05 Feb 2024 24:00:00 GMT": "2024-02-06T00:00:00",
    "Mon, 05 Feb 2024 10:00:60 GMT": "2024-02-05T10:00:59",
    "Mon Feb 05 10:00:00 UTC 2024": "2024-02-05T10:00:00",
    "Mon Feb  5 10:00:00 2024": "2024-02-05T10:00:00",
    "Feb 5, 2024 10:00 AM": "2024-02-05T10:00:00",
    "Friday, January 29, 2021 04:42 PM": "2021-01-29T16:42:00",
    "Sun, 20 Apr 2014 8:19 pm CEST": "2014-04-20T18:19:00",
    "Feb 5, 2024 12:05 am": "2024-02-05T00:05:00",
    "05-Feb-2024 10:00:00": "2024-02-05T10:00:00",
    "2024-02-05T10:00:00Z": "2024-02-05T10:00:00",
    "2024-02-05T10:00:00.123456Z": "2024-02-05T10:00:00",
    "2024-02-05t10:00:00z": "2024-02-05T10:00:00",
    "2024-02-05T14:30:00+04:30": "2024-02-05T10:00:00",
    "2024-02-05T14:30:00 +0430": "2024-02-05T10:00:00",
    "2024-02-05T10:00Z": "2024-02-05T10:00:00",
    "2024-02-05 10:00:00": "2024-02-05T10:00:00",
    "2024-02-05 10:00:00 UTC": "2024-02-05T10:00:00",
    "2024-02-05 10:00:00 PM": "2024-02-05T22:00:00",
    "2024-02-05": "2024-02-05T00:00:00",
    "2024-02": "2024-02-01T00:00:00",
    "20240205T100000Z": "2024-02-05T10:00:00",
    "2024/02/05 10:00": "2024-02-05T10:00:00",
    "1707127200": "2024-02-05T10:00:00",
    "1707127200000": "2024-02-05T10:00:00",
    "13/02/2024 10:00": "2024-02-13T10:00:00",  # there is no month 13
    "Mon, 02/05/2024 - 10:00": "2024-02-05T10:00:00",  # 2 May 2024 was a Thursday
    "۱۴۰۲-۱۱-۱۶T۱۰:۰۰:۰۰Z": "2024-02-05T10:00:00",
    "1402-11-16T10:00:00Z": "2024-02-05T10:00:00",
    "1402/11/16 10:00": "2024-02-05T10:00:00",
    "١٤٠٢/١١/١٦": "2024-02-05T00:00:00",
    "۲۰۲۴-۰۲-۰۵ ۱۰:۰۰": "2024-02-05T10:00:00",
    "۱۶ بهمن ۱۴۰۲": "2024-02-05T00:00:00",
    "دوشنبه ۱۶ دلو ۱۴۰۲ ۱۰:۰۰": "2024-02-05T10:00:00",
    "۱۶ سلواغه ۱۴۰۲": "2024-02-05T00:00:00",
    "۱ حمل ۱۴۰۳": "2024-03-20T00:00:00",
    "۳۰ حوت ۱۴۰۳": "2025-03-20T00:00:00",
    "۵ فبروری ۲۰۲۴": "2024-02-05T00:00:00",
    "۵ فوریه ۲۰۲۴": "2024-02-05T00:00:00",
}
UNKNOWN = {
    "05/02/2024": dates.AMBIGUOUS,
    "02.05.2024 10:00": dates.AMBIGUOUS,
    "Mon, 05 Feb 2024 10:00:00 IST": dates.AMBIGUOUS,  # Indian, Irish or Israel time
    "Mon, 05 Feb 2024 10:00:00 XYZ": dates.AMBIGUOUS,
    "2024-13-45": dates.UNREADABLE,
    "2024-02-30": dates.UNREADABLE,
    "1402-12-30": dates.UNREADABLE,  # Hut had 29 days in 1402
    "Mon, 05 Feb 2024 25:00:00 GMT": dates.UNREADABLE,
    "Mon, 05 Feb 2024 10:00:00 +3000": dates.UNREADABLE,
    "24:00:00": dates.UNREADABLE,
    "yesterday": dates.UNREADABLE,
    "5 بهمن 2024": dates.UNREADABLE,  # a Solar Hijri month of a Gregorian year
    "1 " * 100_000: dates.UNREADABLE,
    "9999-12-31T23:59:59-14:00": dates.IMPLAUSIBLE,
    "0001-01-01T00:00:00+14:00": dates.IMPLAUSIBLE,
    "Thu, 01 Jan 1970 00:00:00 GMT": dates.IMPLAUSIBLE,
    "0": dates.UNREADABLE,
    "2099-01-01": dates.IMPLAUSIBLE,
}


@pytest.mark.parametrize("raw", RIGHT)
def test_a_date_is_read_right(raw):
    moment = dates.read(raw, NOW)
    assert moment.flag is None
    assert moment.at == datetime.fromisoformat(RIGHT[raw]).replace(tzinfo=UTC)


@pytest.mark.parametrize("raw", UNKNOWN, ids=lambda raw: raw[:40])
def test_what_is_not_sure_is_unknown_and_flagged(raw):
    assert dates.read(raw, NOW) == (None, UNKNOWN[raw])


def test_an_empty_date_is_unknown_without_a_flag():
    assert dates.read(" \n", NOW) == (None, None)


def test_two_days_ahead_is_plausible_and_three_are_not():
    assert dates.read((NOW + timedelta(days=2)).isoformat(), NOW).at == NOW + timedelta(days=2)
    assert dates.read((NOW + timedelta(days=3)).isoformat(), NOW).flag == dates.IMPLAUSIBLE


def test_solar_hijri_days_follow_each_other_without_gap():
    before = None
    for year in range(1300, 1500):
        for month in range(1, 13):
            for day in range(1, 32):
                try:
                    at = date(*dates.gregorian(year, month, day))
                except ValueError:
                    continue
                assert before is None or at - before == timedelta(days=1), (year, month, day)
                before = at


@pytest.mark.parametrize(
    ("year", "first"),
    [
        (1300, "1921-03-21"),
        (1358, "1979-03-21"),
        (1399, "2020-03-20"),
        (1400, "2021-03-21"),
        (1403, "2024-03-20"),
        (1404, "2025-03-21"),
        (1408, "2029-03-20"),
    ],
)
def test_nowruz_falls_on_its_known_day(year, first):
    assert date(*dates.gregorian(year, 1, 1)).isoformat() == first


MOMENTS = st.datetimes(datetime(1995, 1, 2), datetime(2026, 11, 24))  # noqa: DTZ001 -- the zone is the second value


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_one_moment_in_any_form_is_the_same(naive, shift):
    zone = f"{'-' if shift < 0 else '+'}{abs(shift) // 60:02}:{abs(shift) % 60:02}"
    day = f"{naive:%d %b %Y}"
    forms = {
        f"{naive:%Y-%m-%dT%H:%M:%S}{zone}",
        f"{naive:%Y-%m-%dT%H:%M:%S}.5{zone}",
        f"{naive:%Y-%m-%d %H:%M:%S}{zone}",
        f"x, {day} {naive:%H:%M:%S} {zone.replace(':', '')}",
        f"{day} {naive:%H:%M:%S} {zone.replace(':', '')}",
        f"{day}, {naive:%H:%M:%S} GMT{zone}",
    }
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert {dates.read(raw, later).at for raw in forms} == {
        naive.replace(microsecond=0, tzinfo=UTC) - timedelta(minutes=shift)
    }


@given(st.text(max_size=60) | st.from_regex(r"[0-9۰-۹ :/T+-]{1,40}", fullmatch=True))
def test_nothing_makes_it_raise_and_every_answer_is_plausible(raw):
    moment = dates.read(raw, NOW)
    assert moment.at is None or datetime(1995, 1, 1, tzinfo=UTC) <= moment.at <= NOW + timedelta(days=2)
    assert moment.at is None or moment.flag is None
