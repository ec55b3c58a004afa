"""Text arrives in the letters that were written, whatever was declared; a doubt is flagged."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import parse
from aggregator.parse import decode

DARI = "طالبان عفو عمومی اعلام کردند و گفتند مقام‌های پیشین در کابل می‌توانند به کار خود ادامه دهند"
PLAIN_DARI = DARI.replace("\u200c", " ").replace("ی", "ي").replace("ک", "ك")  # what windows-1256 and ISO 8859-6 can say
ARABIC = "قالت الحكومة في كابول ان العفو العام يشمل الموظفين السابقين"
RUSSIAN = "Правительство объявило общую амнистию для бывших чиновников в Кабуле"
FRENCH = "Le gouvernement a annoncé une amnistie générale à Kaboul, déjà étendue aux élèves"


def document(text, declared=None):
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else '<?xml version="1.0"?>'
    items = "".join(f"<item><title>{text} {n}</title><guid>{n}</guid></item>" for n in range(3))
    return f'{declaration}<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'


# name: text, bytes, HTTP charset, flags
PROBES = {
    "UTF-8, declared": (DARI, document(DARI, "UTF-8").encode(), None, set()),
    "UTF-8, undeclared": (DARI, document(DARI).encode(), None, set()),
    "UTF-8 with mark": (DARI, codecs.BOM_UTF8 + document(DARI).encode(), None, set()),
    "UTF-8, HTTP agrees": (DARI, document(DARI).encode(), "utf-8", set()),
    "UTF-16 LE with mark": (DARI, codecs.BOM_UTF16_LE + document(DARI, "UTF-16").encode("utf-16-le"), None, set()),
    "UTF-16 BE with mark": (DARI, codecs.BOM_UTF16_BE + document(DARI, "UTF-16").encode("utf-16-be"), None, set()),
    "UTF-16 LE without mark": (DARI, document(DARI, "UTF-16").encode("utf-16-le"), None, set()),
    "UTF-32 with mark": (DARI, codecs.BOM_UTF32_BE + document(DARI, "UTF-32").encode("utf-32-be"), None, set()),
    "windows-1256, declared": (PLAIN_DARI, document(PLAIN_DARI, "windows-1256").encode("cp1256"), None, set()),
    "windows-1256, HTTP": (PLAIN_DARI, document(PLAIN_DARI).encode("cp1256"), "windows-1256", set()),
    "windows-1256, HTTP by default Latin": (
        PLAIN_DARI,
        document(PLAIN_DARI, "windows-1256").encode("cp1256"),
        "iso-8859-1",
        set(),
    ),
    "ISO-8859-6, declared": (ARABIC, document(ARABIC, "iso-8859-6").encode("iso-8859-6"), None, set()),
    "UTF-8, declared windows-1256": (DARI, document(DARI, "windows-1256").encode(), None, {decode.WRONG}),
    "UTF-8, HTTP by default Latin": (DARI, document(DARI).encode(), "iso-8859-1", {decode.WRONG}),
    "windows-1256, declared UTF-8": (
        PLAIN_DARI,
        document(PLAIN_DARI, "utf-8").encode("cp1256"),
        None,
        {decode.WRONG, decode.GUESSED},
    ),
    "windows-1256, HTTP says UTF-8": (
        PLAIN_DARI,
        document(PLAIN_DARI).encode("cp1256"),
        "utf-8",
        {decode.WRONG, decode.GUESSED},
    ),
    "windows-1256, undeclared": (PLAIN_DARI, document(PLAIN_DARI).encode("cp1256"), None, {decode.GUESSED}),
    "windows-1256, declared Latin": (
        PLAIN_DARI,
        document(PLAIN_DARI, "iso-8859-1").encode("cp1256"),
        None,
        {decode.WRONG, decode.GUESSED},
    ),
    "windows-1251, undeclared": (RUSSIAN, document(RUSSIAN).encode("cp1251"), None, {decode.GUESSED}),
    "KOI8-R, undeclared": (RUSSIAN, document(RUSSIAN).encode("koi8-r"), None, {decode.GUESSED}),
    "Latin-1, declared": (FRENCH, document(FRENCH, "iso-8859-1").encode("latin-1"), None, set()),
    "Latin-1, undeclared": (FRENCH, document(FRENCH).encode("latin-1"), None, {decode.GUESSED}),
    "windows-1252 called Latin-1": ("it’s – “so”", document("it’s – “so”", "iso-8859-1").encode("cp1252"), None, set()),
    "GB 18030 called GB 2312": ("喀布尔大赦镕", document("喀布尔大赦镕", "gb2312").encode("gb18030"), None, set()),
    "ISO-2022-JP": ("カブールの恩赦", document("カブールの恩赦", "iso-2022-jp").encode("iso-2022-jp"), None, set()),
    "EBCDIC": ("Kabul amnesty", document("Kabul amnesty", "cp037").encode("cp037"), None, set()),
    "declared as punycode": (DARI, document(DARI, "punycode").encode(), None, {decode.WRONG}),
    "declared as undefined": (DARI, document(DARI, "undefined").encode(), None, {decode.WRONG}),
    "declared as nonsense": (DARI, document(DARI, "x-none").encode(), None, {decode.WRONG}),
    "HTTP says nonsense": (DARI, document(DARI).encode(), "\x00'", set()),
}


@pytest.mark.parametrize("name", PROBES)
def test_letters_are_right_and_doubts_are_flagged(name):
    text, body, charset, flags = PROBES[name]
    found = parse.feed(body, charset=charset)
    assert [item.title for item in found.items] == [f"{text} {n}" for n in range(3)]
    assert set(found.flags) == flags


@pytest.mark.parametrize("bad", [b"\xff", b"\xd8", b"\x80\x80", b"\xed\xa0\x80"], ids=bytes.hex)
def test_a_bad_byte_costs_a_letter_and_not_the_language(bad):
    body = document(DARI, "utf-8").encode()
    at = body.index("اعلام".encode()) + 2
    found = parse.feed(body[:at] + bad + body[at:])
    assert found.items[0].title.split()[3:] == f"{DARI} 0".split()[3:] or "کردند" in found.items[0].title
    assert [item.title for item in found.items[1:]] == [f"{DARI} {n}" for n in (1, 2)]
    assert decode.REPLACED in found.flags


def test_an_unknown_entry_alone_is_read_in_the_encoding_of_the_whole_document():
    old, new = (
        document(PLAIN_DARI).encode("cp1256"),
        document(PLAIN_DARI).replace(" 2</title>", " é</title>").encode("cp1256"),
    )
    known = {item.slice_hash for item in parse.feed(old).items}
    found = parse.feed(new, known=known)
    assert found.known == 2
    assert [item.title for item in found.items] == [f"{PLAIN_DARI} é"]


@given(
    st.binary(max_size=200),
    st.sampled_from([None, "utf-8", "utf-7", "hz", "base64", "idna", "utf-16", "windows-1256", "cp037"]),
)
def test_any_bytes_become_utf8(body, charset):
    decode.utf8(body, charset).body.decode()


@given(st.text(max_size=80))
def test_utf8_is_never_changed(text):
    body = ("x" + text).encode("utf-8", "ignore")
    assert decode.utf8(body, None).body == body
