"""Feed bytes to UTF-8, so that one bad byte or one wrong declaration never spoils a document.

UTF-8 is tried first whatever is declared: text in another encoding is hardly ever valid UTF-8 by chance, and feeds whose
UTF-8 is declared as windows-1256 exist. A few bad bytes (letters cut in half by excerpt functions that count bytes) are
replaced and flagged; only text that is mostly not UTF-8 is read as the HTTP header or the document says, and by letter
frequency where neither helps.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import Final, NamedTuple

GUESSED: Final = "charset-guessed"  # nobody named a charset that fits: letter frequency decided
WRONG: Final = "charset-wrong"  # a charset was named, and the bytes are in another
REPLACED: Final = "bytes-replaced"  # some bytes mean nothing; U+FFFD stands in their place

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_STARTS = (  # "<" and the next sign without a mark, in wide encodings
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_EBCDIC = b"\x4c\x6f\xa7\x94"  # "<?xm"
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']\s{0,9}([\w.:-]{1,40})""")
_STATEFUL = ("iso2022", "hz", "utf-7")  # escape into other letters with ASCII bytes, so they pass for UTF-8
_SUPERSETS = {  # as the WHATWG Encoding Standard reads these labels, for publishers do
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"})
_UTF8 = frozenset({"utf-8", "utf-8-sig"})
# The commonest letters of Persian and Arabic, and of Russian.
_LETTERS = {"cp1255": "יולהאמרתבשנ", "cp1256": "ایيندرهومتلبسک", "cp1251": "оеаинтсрвлкм", "koi8-r": "оеаинтсрвлкм"}
_LEAST = 0.5
_ASCII = bytes(range(0x80))
_RUN = re.compile(rb"[\x80-\xff]{2,}")


class Decoded(NamedTuple):
    """A document in UTF-8 without a byte order mark, and what had to be done for it."""

    body: bytes
    flags: tuple[str, ...] = ()


def utf8(body: bytes, charset: str | None, whole: bytes | None = None) -> Decoded:
    """`body` in UTF-8; `charset` is what the HTTP header says. Never raises.

    `whole` is the document that `body` is a part of, when it is: more text to judge by.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _wide(body[len(mark) :], encoding)
    for start, encoding in _STARTS:
        if body.startswith(start):
            return _wide(body, encoding)
    if body.startswith(_EBCDIC):
        return _transcoded(body, declared(body[:300].decode("cp037").encode()) or "cp037", ())
    named = tuple(dict.fromkeys(filter(None, (_codec(charset), declared(body)))))
    stateful = next((name for name in named if name.startswith(_STATEFUL)), None)
    if stateful:
        return _transcoded(body, stateful, ())
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        encoding, flags = _legacy(whole or body, named)
        return _transcoded(body, encoding, flags)
    unknown = not named and _DECLARED.search(body[:1024])
    wrong = unknown or not (body.isascii() or not named or _UTF8.intersection(named))
    return Decoded(body, (WRONG,) if wrong else ())


def declared(body: bytes) -> str | None:
    """The Python name of the encoding in the XML declaration, None when there is none that is known."""
    found = _DECLARED.search(body[:1024])
    return _codec(found[1].decode("ascii", "ignore")) if found else None


def _wide(body: bytes, encoding: str) -> Decoded:
    return Decoded(body) if encoding == "utf-8" and _is_utf8(body) else _transcoded(body, encoding, ())


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _legacy(body: bytes, named: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The encoding to read text by that is not wholly UTF-8, and the flags for it."""
    legacy = tuple(name for name in named if name not in _UTF8)
    text = body.decode("utf-8", "replace")
    bad = text.count("\ufffd") - body.count("\ufffd".encode())
    good = len(text) - (len(body) - len(_high(body))) - text.count("\ufffd")
    if good >= bad:  # a lost letter is better than two wrong ones
        return "utf-8", (WRONG,) if legacy else ()
    flags = (WRONG,) if named and not legacy else ()
    fitting = next((name for name in legacy if _fits(body, name)), None)
    if fitting and fitting != "cp1252":  # cp1252 fits nearly all and is what servers say by default
        return fitting, flags
    if guess := _guess(body):
        return guess, (GUESSED, WRONG) if named else (GUESSED,)
    if fitting or not legacy:
        return "cp1252", flags if fitting else (GUESSED, *flags)
    return legacy[0], flags


def _guess(body: bytes) -> str | None:
    """The single-byte encoding under which the high bytes read like a language of other letters, or None."""
    high = _high(body[:400_000])
    runs = b"".join(_RUN.findall(body[:400_000]))
    if len(runs) < 0.7 * len(high):  # Latin text has its accents one by one, between ASCII letters
        return None

    def share(encoding: str) -> float:
        text = runs.decode(encoding, "replace").lower()
        return sum(map(text.count, _LETTERS[encoding])) / len(text)

    best = max(_LETTERS, key=share)
    return best if share(best) >= _LEAST else None


def _fits(body: bytes, encoding: str) -> bool:
    text = body.decode(encoding, "replace")
    return text.count("\ufffd") * 50 <= len(_high(body))


def _high(body: bytes) -> bytes:
    """What is no ASCII in it."""
    return body.translate(None, _ASCII)


def _transcoded(body: bytes, encoding: str, flags: tuple[str, ...]) -> Decoded:
    text = body.decode(encoding, "replace")
    return Decoded(text.encode("utf-8", "replace"), (*flags, REPLACED) if "\ufffd" in text else flags)


@lru_cache(maxsize=256)
def _codec(label: str | None) -> str | None:
    """The Python name of a charset label; None for what is unknown or turns bytes into something else than text."""
    try:
        name = codecs.lookup((label or "").strip().strip("\"'")).name
        b"<".decode(name, "replace")
    except (LookupError, UnicodeError, ValueError):  # also what is no text encoding: base64
        return None
    return None if name in _NO_CHARSETS else _SUPERSETS.get(name, name)
