"""Bytes that coverage leads to, against the parser: nothing escapes it, every entry is accounted for, nothing known is lost.

    pip install atheris
    python bench/fuzz_parse.py -max_total_time=600 -max_len=20000 -timeout=20 [FOLDER OF FEEDS]

The options are libFuzzer's. It writes inputs that it likes to the folder, so give it a copy. A finding ends the run and
lies in a file `crash-...`; hand that file to the script to see it again.
"""

from __future__ import annotations

import sys
import warnings
from datetime import UTC, datetime

import atheris

with atheris.instrument_imports(include=["aggregator.parse", "aggregator.text"]):
    from aggregator import parse
    from aggregator.parse import slices
    from aggregator.text.html import plain

NOW = datetime(2026, 11, 24, tzinfo=UTC)
URL = "https://example.org/feed"


def one(data: bytes) -> None:
    found = parse.feed(data, url=URL, now=NOW)
    assert not [one for one in found.rejected if one.reason.startswith("entry-unreadable:")], found.rejected
    known = {item.slice_hash for item in found.items} - {None}
    assert known <= set(slices.hashes(data))
    if known:
        again = parse.feed(data, url=URL, now=NOW, known=known)
        assert again.entries == found.entries, (again.entries, found.entries)
        assert not {item.slice_hash for item in again.items} & known or not again.known
    for item in found.items:
        for _, text in item.texts():
            text.encode()  # no lone surrogate
    plain(data.decode("utf-8", "surrogateescape")).encode()


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # feedparser
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
