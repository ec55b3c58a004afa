import unicodedata
from email import message_from_bytes, policy
from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.text import escape

EVERY = "".join(map(chr, range(0x110000)))
STEERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
SINKS = (escape.terminal, escape.body, escape.header, escape.log)


@pytest.mark.parametrize("sink", SINKS)
def test_no_code_point_acts_in_any_sink(sink):
    out = sink(EVERY)
    assert len(out) > len(EVERY) - 100, "nothing is dropped"
    for character in set(out):
        assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}, ascii(character)
        assert unicodedata.bidirectional(character) not in STEERING, ascii(character)
    out.encode()


@pytest.mark.parametrize("sink", SINKS)
def test_letters_joiners_marks_and_emoji_stay_as_they_are(sink):
    text = "Taliban نمی‌بینند \u200f\u200e\u061c بښنې 👩\u200d👧 {{7*7}} {0.__class__} ${x} %s [/x] @everyone <!channel>"
    assert sink(text) == text


@pytest.mark.parametrize(
    ("text", "terminal", "log"),
    [
        ("a\x1b]52;c;AAAA\x07b", "a\\x1b]52;c;AAAA\\x07b", "a\\x1b]52;c;AAAA\\x07b"),
        ("a\x9b31mb", "a\\x9b31mb", "a\\x9b31mb"),
        ("one\r\ntwo\tthree\u2028four\x85five", "one  two three four five", "one\\r\\ntwo\\tthree\\u2028four\\x85five"),
        ("a\u202egpj.exe", "a\\u202egpj.exe", "a\\u202egpj.exe"),
        ("a\ud800\x00\x7f", "a\\ud800\\x00\\x7f", "a\\ud800\\x00\\x7f"),
    ],
)
def test_what_would_act_is_shown(text, terminal, log):
    assert (escape.terminal(text), escape.body(text), escape.log(text)) == (terminal, terminal, log)


@given(st.text(max_size=300) | st.text(st.sampled_from("=?utf-8qb_ \r\n\u2028\x0bسلا\u200c\u202e👩"), max_size=300))
def test_a_header_carries_its_value_and_nothing_else(text):
    value = "[Desk] " + escape.cut(escape.header(text), 190)
    encoded = Header(value, header_name="Subject").encode(linesep="\r\n")
    raw = f"Subject: {encoded}\r\n\r\nbody".encode()
    read = message_from_bytes(raw, policy=policy.default)
    assert read.keys() == ["Subject"]
    assert read["Subject"].rstrip() == value.rstrip()
    assert read.get_content() == "body"


@given(st.text(max_size=60), st.integers(min_value=2, max_value=40))
def test_cut_is_short_and_says_so(text, limit):
    short = escape.cut(text, limit)
    assert len(short) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


def test_cut_ends_at_a_word_when_one_ends_near():
    assert escape.cut("one two three", 9) == "one two…"
    assert escape.cut("onetwothree", 9) == "onetwoth…"
