"""Dates as feeds write them. Unknown beats wrong: what is ambiguous, unreadable or out of this age is None and flagged."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

UNREADABLE: Final = "date-unreadable"
AMBIGUOUS: Final = "date-ambiguous"  # 05/02/2024, or a zone name that several countries use
IMPLAUSIBLE: Final = "date-implausible"

_FIRST_YEAR = 1995  # no feed is older; epoch zero and year 1 are defaults of broken software
_AHEAD = timedelta(days=2)  # clocks and zones may be wrong that far
_SOLAR_HIJRI = range(1300, 1500)


class Moment(NamedTuple):
    """A time, or the flag that says why there is none."""

    at: datetime | None
    flag: str | None = None


class _Unclear(Exception):
    """Carries the flag."""


def read(raw: str, now: datetime) -> Moment:
    """The moment that `raw` names, in UTC; without a zone it is taken as UTC (what feeds mean, RFC 822 4.3 aside).

    Reads RFC 822 and 3339 and their usual corruptions, dates with month names (English, Iranian, Dari, Pashto),
    Persian and Arabic digits, Solar Hijri years, epoch seconds and milliseconds.
    """
    text = raw.strip()
    if not text or len(text) > 200:  # noqa: PLR2004 -- the longest real form, Java's with a long zone, has 45
        return Moment(None, UNREADABLE if text else None)
    try:
        at = _usual(text) or _any(" ".join(text.translate(_PLAIN).split()).strip(" ,"))
    except _Unclear as unclear:
        return Moment(None, str(unclear))
    except OverflowError:  # a zone that leads past the calendar's ends
        return Moment(None, IMPLAUSIBLE)
    except ValueError:  # month 13, 31 February
        return Moment(None, UNREADABLE)
    if at.year < _FIRST_YEAR or at > now + _AHEAD:
        return Moment(None, IMPLAUSIBLE)
    return Moment(at)


# ---------------------------------------------------------------- the forms, fastest and most frequent first

_ISO = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?|(\d\d)(\d\d))"
    r"(?:(?:[Tt]| ?- | ?, | )(\d{1,2}):(\d\d)(?::(\d{1,2})(?:[.,]\d+)?)?| ?T(\d\d)(\d\d)(\d\d))?(.*)"
)
_EPOCH = re.compile(r"(\d{9,10})(?:\.\d+)?|(\d{12,13})")
_TIME = re.compile(r"(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,]\d+)?)?(?: ?([AaPp])\.?[Mm]\b\.?)?")
_NUMERIC = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{2,4})")
_OFFSET = re.compile(r"(?:GMT|UTC|UT|Z)?([+-])(\d{1,2}):?(\d\d)?(?: ?\([^)]*\))?", re.IGNORECASE)


def _usual(text: str) -> datetime | None:
    """The moment of a date in RFC 822 or 3339 as most write them, left to C; None when it is not so simple."""
    try:
        if text[10:11] == "T":
            at = datetime.fromisoformat(text if text[19:] else f"{text}Z")
            zone = at.utcoffset() if len(text) <= _SECONDS else None
            if zone is None:
                return None
            at = at if at.tzinfo is UTC else at.astimezone(UTC)
        else:
            _weekday, day, name, year, clock, word = text.split()
            at = datetime.fromisoformat(f"{year}-{_MONTHS[name.lower()]:02}-{day:0>2}T{clock}Z")
            zone = _shift(word)
            at -= zone
    except (ValueError, KeyError):
        return None
    return at if at.year > _SOLAR_HIJRI[-1] and -_FARTHEST <= zone <= _FARTHEST else None


_SECONDS = len("2024-02-05T10:00:00+04:30")
_FARTHEST = timedelta(hours=14)


@lru_cache(maxsize=256)
def _shift(name: str) -> timedelta:
    return timedelta(minutes=_zone(name))


def _any(text: str) -> datetime:
    return _epoch(text) or _iso(text) or _loose(text)


def _iso(text: str) -> datetime | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    year, _, month, day, month2, day2, hour, minute, second, hour2, minute2, second2, zone = found.groups()
    half = zone.strip().lower().rstrip(".").replace(".", "")
    clock = (_afternoon(hour, half[0]) if half in {"am", "pm"} else hour or hour2, minute or minute2, second or second2)
    shift = 0 if half in {"am", "pm"} else _zone(zone)
    return _moment(int(year), int(month or month2), int(day or day2 or 1), clock, shift)


def _epoch(text: str) -> datetime | None:
    found = _EPOCH.fullmatch(text)
    if not found:
        return None
    seconds = int(found[1]) if found[1] else int(found[2]) / 1000
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0)


def _loose(text: str) -> datetime:
    """Any order of weekday, day, month name or number, year, time and zone, as long as only one reading is possible."""
    clock: tuple[str | None, str | None, str | None] = ("0", "0", "0")
    if when := _TIME_AFTER_DATE.search(text):
        hour, minute, second, half = when.group(1, 2, 3, 4)
        clock = (_afternoon(hour, half.lower()) if half else hour, minute, second)
        text = f"{text[: when.start()]} {text[when.end() :]}"
    if offset := _OFFSET_WORD.search(text):
        shift = _zone(offset[0])
        text = f"{text[: offset.start()]} {text[offset.end() :]}"
    else:
        shift = _zone_word(text)
    if numeric := _NUMERIC.search(text):
        day = _ordered(int(numeric[1]), int(numeric[3]), int(numeric[4]), text)
        return _moment(*day, clock, shift)
    return _moment(*_named(text), clock, shift)


_TIME_AFTER_DATE = re.compile(r"(?<![\d:./-])" + _TIME.pattern.replace("[:.]", ":") + r"(?![\d:])")
_OFFSET_WORD = re.compile(r"(?<![\w/-])" + _OFFSET.pattern + r"(?![\w:/-])", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+")


def _named(text: str) -> tuple[int, int, int]:
    """Year, month, day of a text with one month name and two numbers."""
    words = [word.casefold() for word in _WORD.findall(text)]
    months = [_MONTHS[word] for word in words if word in _MONTHS]
    numbers = _NUMBER.findall(text)
    if len(months) != 1 or len(numbers) != 2:  # noqa: PLR2004 -- day and year
        raise _Unclear(UNREADABLE)
    day, year = numbers if len(numbers[0]) <= len(numbers[1]) else reversed(numbers)
    century = (2000 if int(year) < 69 else 1900) if len(year) == 2 else 0  # noqa: PLR2004 -- RFC 2822 4.3, POSIX
    if len(year) not in {2, 4} or len(day) > 2:  # noqa: PLR2004
        raise _Unclear(UNREADABLE)
    return int(year) + century, months[0], int(day)


def _ordered(first: int, second: int, third: int, text: str) -> tuple[int, int, int]:
    """Year, month, day of three numbers: a four-digit year must be there, and day and month must be told apart."""
    if first > 999:  # noqa: PLR2004
        return first, second, third
    if third <= 999:  # noqa: PLR2004
        raise _Unclear(AMBIGUOUS)
    weekdays = {WEEKDAYS[word[:3].casefold()] for word in _WORD.findall(text) if word[:3].casefold() in WEEKDAYS}
    readings = {(third, month, day) for month, day in ((first, second), (second, first)) if month <= 12 and day <= 31}  # noqa: PLR2004
    if weekdays and third not in _SOLAR_HIJRI:
        readings = {one for one in readings if datetime(*one, tzinfo=UTC).weekday() in weekdays}
    if len(readings) != 1:
        raise _Unclear(AMBIGUOUS)
    return readings.pop()


# ---------------------------------------------------------------- parts

_Clock = tuple[str | None, str | None, str | None]  # hour, minute, second


def _moment(year: int, month: int, day: int, clock: _Clock, shift_minutes: int) -> datetime:
    if month > 12:  # noqa: PLR2004 -- a Solar Hijri month name
        month -= 12
        if year not in _SOLAR_HIJRI:
            raise _Unclear(UNREADABLE)
    if year in _SOLAR_HIJRI:
        year, month, day = gregorian(year, month, day)
    hour, minute, second = int(clock[0] or 0), int(clock[1] or 0), int(clock[2] or 0)
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):  # noqa: PLR2004
        raise _Unclear(UNREADABLE)
    at = datetime(year, month, day, hour % 24, minute, min(second, 59), tzinfo=UTC)
    shift = (hour // 24) * 1440 - shift_minutes
    return at + timedelta(minutes=shift) if shift else at


def gregorian(year: int, month: int, day: int) -> tuple[int, int, int]:
    """The Gregorian date of a Solar Hijri one, exact for the years 1244 to 1502 (33-year cycle).

    Raises:
        ValueError: there is no such day.
    """
    cycles, place = divmod(year + 1595, 33)
    leap = (place + 4) // 4 > (place + 3) // 4 and place != 32  # noqa: PLR2004
    length = 31 if month <= 6 else 30 if month <= 11 or leap else 29  # noqa: PLR2004
    if not 1 <= month <= 12 or not 1 <= day <= length:  # noqa: PLR2004
        raise ValueError(day)
    days = 365 * (year - 1) + 8 * cycles + (place + 3) // 4 + 31 * (month - 1) - max(0, month - 7) + day
    at = datetime.fromordinal(days + 226507)  # so that 1 Hamal 1403 is 20 March 2024
    return at.year, at.month, at.day


def _afternoon(hour: str, half: str) -> str:
    if not 1 <= int(hour) <= 12:  # noqa: PLR2004
        return hour  # "14:30 PM" is written, and means what it says
    return str(int(hour) % 12 + (12 if half == "p" else 0))


@lru_cache(maxsize=256)
def _zone(name: str | None) -> int:
    """Minutes east of UTC."""
    name = (name or "").strip()
    if not name:
        return 0
    if found := _OFFSET.fullmatch(name):
        sign, hours, minutes = found.groups()
        shift = int(hours) * 60 + int(minutes or 0)
        if shift > 14 * 60 or int(minutes or 0) > 59:  # noqa: PLR2004
            raise _Unclear(UNREADABLE)
        return shift if sign == "+" else -shift
    if name.upper() not in _ZONES:
        raise _Unclear(AMBIGUOUS)
    return _ZONES[name.upper()]


def _zone_word(text: str) -> int:
    """Minutes east of UTC as the first word in capitals says that is no part of the date."""
    for word in _WORD.findall(text):
        part_of_date = word.casefold() in _MONTHS or word[:3].casefold() in WEEKDAYS or word in {"T", "AM", "PM"}
        if word.isascii() and word.isupper() and not part_of_date:
            return _zone(word)
    return 0


def _months() -> dict[str, int]:
    table = {name[:length]: at for at, name in enumerate(_ENGLISH.split(), 1) for length in {3, len(name)}}
    table["sept"] = 9
    for offset, names in _NAMES:
        for at, same in enumerate(names.split(), 1):
            table.update({name.translate(_PLAIN): at + offset for name in same.split("=")})
    return table


_ENGLISH = "january february march april may june july august september october november december"
# Gregorian months as Iran, as Afghanistan and as Arabs name them; then Solar Hijri: Iranian, Dari, Pashto.
_NAMES = (
    (0, "ژانویه فوریه مارس آوریل=اوریل مه ژوئن ژوئیه=جولای اوت=آگوست سپتامبر اکتبر نوامبر دسامبر"),
    (0, "جنوری فبروری مارچ اپریل می جون جولای اگست سپتمبر=سپتامبر اکتوبر نومبر=نوامبر دسمبر"),
    (0, "يناير فبراير مارس أبريل=ابريل مايو يونيو يوليو أغسطس=اغسطس سبتمبر أكتوبر=اكتوبر نوفمبر ديسمبر"),
    (12, "فروردین اردیبهشت خرداد تیر مرداد=امرداد شهریور مهر آبان=ابان آذر=اذر دی بهمن اسفند"),
    (12, "حمل ثور جوزا سرطان اسد سنبله میزان عقرب قوس جدی دلو حوت"),
    (12, "وری غویی غبرګولی چنګاښ زمری وږی تله لړم لیندۍ مرغومی سلواغه کب"),
)
_PLAIN = {
    **{ord(digit): str(at) for row in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩") for at, digit in enumerate(row)},
    **dict.fromkeys(map(ord, "يىېۍ"), "ی"),
    ord("ك"): "ک",
    **dict.fromkeys((0x200C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0xFEFF), None),
    ord("،"): ",",
    ord("−"): "-",
    ord("\u2013"): "-",
    0xA0: " ",
    0x202F: " ",
    ord("٫"): ".",
}
_MONTHS = _months()
WEEKDAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
# RFC 822, then the zones of the region and those that only one country uses. IST, for one, is used by three.
_ZONES = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0,
    "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
    "AKST": -540, "AKDT": -480, "HST": -600, "AST": -240, "ADT": -180, "NST": -210, "NDT": -150,
    "AFT": 270, "IRST": 210, "IRDT": 270, "PKT": 300, "NPT": 345, "UZT": 300, "TJT": 300, "TMT": 300, "TRT": 180,
    "BST": 60, "CET": 60, "MEZ": 60, "CEST": 120, "MESZ": 120, "EET": 120, "EEST": 180, "MSK": 180, "SAST": 120,
    "WIB": 420, "ICT": 420, "SGT": 480, "HKT": 480, "JST": 540, "KST": 540, "AEST": 600, "AEDT": 660, "ACST": 570,
    "AWST": 480, "NZST": 720, "NZDT": 780, "BRT": -180, "ART": -180, "WEST": 60,
}  # fmt: skip
