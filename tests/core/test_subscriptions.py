"""Feeds into feeds.yaml, OPML in and out, feeds that a page names."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import config as configs
from aggregator import subscriptions
from aggregator.errors import ConfigError, UsageError
from aggregator.subscriptions import FoundFeed, add, discover, export_opml, import_opml

PROJECT = Path(__file__).parents[2]
CORPUS = PROJECT.parent / "shared" / "corpus" / "opml"
URL = "https://new.example.org/feed"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "feeds.yaml"
    path.touch(0o600)
    return path


def outlines(*attributes):
    return (
        "<opml version='2.0'><body>" + "".join(f"<outline {one}/>" for one in attributes) + "</body></opml>"
    ).encode()


# ---------------------------------------------------------------- one feed


LAYOUTS = {
    "empty": ("", "feeds:\n  - url: https://new.example.org/feed\n"),
    "comments only": ("# mine\n", "# mine\nfeeds:\n  - url: https://new.example.org/feed\n"),
    "no line break at the end": ("# mine", "# mine\nfeeds:\n  - url: https://new.example.org/feed\n"),
    "no feeds yet": (
        "watchlists: [{name: a, rule: x}]\n",
        "watchlists: [{name: a, rule: x}]\nfeeds:\n  - url: https://new.example.org/feed\n",
    ),
    "feeds without a value": (
        "feeds:   # here\n  # - url: https://off.org\nconcepts: {}\n",
        "feeds:   # here\n  - url: https://new.example.org/feed\n  # - url: https://off.org\nconcepts: {}\n",
    ),
    "between comments": (
        "feeds:\n  - url: https://a.org  # first\n\n# ---- ideas\nconcepts: {}\n",
        "feeds:\n  - url: https://a.org  # first\n  - url: https://new.example.org/feed\n\n# ---- ideas\nconcepts: {}\n",
    ),
    "no indent": (
        "feeds:\n- url: https://a.org\n  name: A\n# end\n",
        "feeds:\n- url: https://a.org\n  name: A\n- url: https://new.example.org/feed\n# end\n",
    ),
    "wide indent": (
        "feeds:\n      -   name: A\n          url: https://a.org\n          tags:\n            - x\n            - y\n",
        "feeds:\n      -   name: A\n          url: https://a.org\n          tags:\n            - x\n            - y\n      - url: https://new.example.org/feed\n",
    ),
    "flow": (
        "feeds: [ {url: https://a.org,   weight: 2} ]  # one\n",
        "feeds: [ {url: https://a.org,   weight: 2} , {url: https://new.example.org/feed}]  # one\n",
    ),
    "empty flow": ("feeds: []\n", "feeds: [{url: https://new.example.org/feed}]\n"),
    "block scalar at the end": (
        "feeds:\n  - url: https://a.org\n    name: >-\n      A\n      B\n\nchannels: {}\n",
        "feeds:\n  - url: https://a.org\n    name: >-\n      A\n      B\n  - url: https://new.example.org/feed\n\nchannels: {}\n",
    ),
    "a key without a value at the end": (
        "feeds:\n  - url: https://a.org\n    name:\nchannels: {}\n",
        "feeds:\n  - url: https://a.org\n    name:\n  - url: https://new.example.org/feed\nchannels: {}\n",
    ),
    "windows": (
        "feeds:\r\n  - url: https://a.org\r\n\r\n# x\r\n",
        "feeds:\r\n  - url: https://a.org\r\n  - url: https://new.example.org/feed\r\n\r\n# x\r\n",
    ),
    "byte order mark": ("\ufefffeeds: []\n", "\ufefffeeds: [{url: https://new.example.org/feed}]\n"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_feed_is_added_and_every_other_byte_stays(file, layout):
    before, after = LAYOUTS[layout]
    file.write_bytes(before.encode())
    known = configs.load(file, {}).feeds
    spec = add(file, URL)
    assert file.read_bytes().decode() == after
    assert configs.load(file, {}).feeds == (*known, spec)


@pytest.mark.parametrize(
    "text",
    [
        "feeds:\n  - url: https://a.org\n    headers: &h {A: b}\n  - url: https://b.org\n    headers:\n      *h\n",
        "x: 1\n",
        "feeds: ~\n",
        "feeds: [{url: https://a.org} # why\n]\n...\n",
        "feeds: [{url: https://a.org}, # why\n]\n",
        "watchlists: []\n...\n",
    ],
)
def test_what_cannot_be_added_to_safely_is_left_alone(file, text):
    file.write_text(text)
    try:
        spec = add(file, URL)
    except (UsageError, ConfigError):
        assert file.read_text() == text
    else:
        assert configs.load(file, {}).feeds[-1] == spec
        assert configs.load(file, {}).feeds[:-1] == configs.parse(text.encode(), file, {}).feeds


@settings(max_examples=25, deadline=None)  # each is two files, synced to the disk
@given(
    name=st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufffe\uffff"),
        min_size=1,
        max_size=30,
    )
)
def test_any_name_comes_back_as_it_was_given(tmp_path_factory, name):
    if not name.strip():
        return
    for text in ("", "feeds: [{url: https://a.org}]"):
        path = tmp_path_factory.mktemp("names") / "feeds.yaml"
        path.write_text(text)
        assert add(path, URL, name).name == name


@pytest.mark.parametrize(
    ("url", "name", "words"),
    [
        ("file:///etc/passwd", None, "file: addresses are refused"),
        ("|reboot", None, "commands are never run"),
        ("nonsense", None, "must be a web address"),
        ("https://a.org/feed", None, "https://a.org/feed is listed already, as A"),
        ("https://b.org/feed", "A", "there is a feed named A already"),
    ],
)
def test_what_is_no_new_feed_is_refused_and_nothing_is_written(file, url, name, words):
    file.write_text("feeds: [{url: https://a.org/feed, name: A}]\n")
    before = file.read_bytes()
    with pytest.raises(UsageError, match=words.replace("|", r"\|")):
        add(file, url, name)
    assert file.read_bytes() == before


def test_a_faulty_file_is_not_touched(file):
    file.write_text("feeds: [{url: https://a.org, evry: 1m}]\n")
    with pytest.raises(ConfigError, match="evry"):
        add(file, URL)
    assert "new.example" not in file.read_text()


def test_mode_and_link_stay_and_no_scrap_is_left(tmp_path):
    real, link = tmp_path / "real.yaml", tmp_path / "feeds.yaml"
    real.touch()
    real.chmod(0o640)
    link.symlink_to(real)
    add(link, URL)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feeds.yaml", "real.yaml"]


def test_a_failing_disk_leaves_the_old_file(file, monkeypatch):
    file.write_text("# mine\n")
    monkeypatch.setattr(subscriptions.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space"):
        add(file, URL)
    assert file.read_text() == "# mine\n"
    assert list(file.parent.iterdir()) == [file]


def test_edits_at_the_same_time_lose_none(file):
    code = "import sys; from pathlib import Path; from aggregator.subscriptions import add\n"
    code += "for n in range(5): add(Path(sys.argv[1]), f'https://{sys.argv[2]}.org/{n}')"
    running = [subprocess.Popen([sys.executable, "-c", code, str(file), name]) for name in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(configs.load(file, {}).feeds) == 10


# ---------------------------------------------------------------- OPML


def test_folders_and_categories_become_tags(file):
    data = b"""<?xml version="1.0"?><opml version="1.0"><head><title>x</title></head><body>
      <outline text="Asia"><outline title="Kabul &amp; more" text="no">
        <outline type="rss" text="One" title="Uno" xmlUrl="https://one.org/rss" category="/news,/war"/>
      </outline></outline>
      <OUTLINE text="  Two\n  lines " XMLURL="feed://two.org/rss"/>
      <outline xmlUrl="https://three.org/rss"/>
      <outline text="A link" type="link" url="https://four.org"/>
    </body></opml>"""
    done = import_opml(file, data)
    assert [(feed.url, feed.name, feed.tags) for feed in done.added] == [
        ("https://one.org/rss", "Uno", ("Asia", "Kabul & more", "news", "war")),
        ("http://two.org/rss", "Two lines", ()),
        ("https://three.org/rss", "three.org", ()),
    ]
    assert configs.load(file, {}).feeds == done.added
    assert (done.duplicates, done.refused) == (0, ())


def test_every_outline_is_added_or_counted_or_refused_with_its_reason(file):
    add(file, "https://known.org/rss")
    done = import_opml(
        file,
        outlines(
            "xmlUrl='https://known.org/rss' text='x'",
            "xmlUrl='https://a.org/rss' text='Same'",
            "xmlUrl='https://a.org/rss' text='Same'",
            "xmlUrl='https://b.org/rss' text='Same'",
            "xmlUrl='file:///etc/passwd' text='x'",
            "xmlUrl='|reboot' text='x'",
        ),
    )
    assert [feed.name for feed in done.added] == ["Same", "Same-2"]
    assert done.duplicates == 2
    assert done.refused == (
        "file:///etc/passwd: file: addresses are refused: only http and https are fetched",
        "|reboot: commands are never run: write an http or https address",
    )
    again = import_opml(file, outlines("xmlUrl='https://a.org/rss'"))
    assert (again.added, again.duplicates) == ((), 1)


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE o [<!ENTITY a "x">]><opml><body><outline text="&a;" xmlUrl="https://a.org"/></body></opml>',
        b'<!DOCTYPE o [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml><body><outline text="x">&a;</outline></body></opml>',
        b'<!DOCTYPE o [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]><opml><body/></opml>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE o [<!ENTITY a "x">]><opml/>'.encode("utf-16"),
        b"<rss><channel/></rss>",
        b"<html><body>no</body></html>",
        b"{}",
        b"",
        b"\x00\xff",
    ],
)
def test_what_is_no_plain_opml_is_refused(file, data):
    with pytest.raises(UsageError, match=r"declares entities|no OPML"):
        import_opml(file, data)
    assert file.read_bytes() == b""


def test_an_entity_bomb_in_an_encoding_that_hides_it_does_not_explode(file):
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<?xml version="1.0" encoding="UTF-7"?><!DOCTYPE o [<!ENTITY a0 "ha">{entities}]>'
    text += '<opml><body><outline text="&a11;" xmlUrl="https://a.org/x"/></body></opml>'
    data = text.replace("<!ENTITY", "+ADwAIQ-ENTITY").encode()
    started = time.process_time()
    try:
        done = import_opml(file, data)
    except UsageError:
        pass
    else:
        assert all(len(feed.name) < 300 for feed in done.added)
    assert time.process_time() - started < 1


def test_a_document_type_is_not_fetched(file):
    data = b'<!DOCTYPE opml SYSTEM "file:///etc/passwd">' + outlines("xmlUrl='https://a.org/rss'")
    assert len(import_opml(file, data).added) == 1


def test_a_damaged_opml_gives_what_it_holds(file):
    data = b"""<opml><body><outline text='a' xmlUrl='https://a.org/?x=1&y=2'/><outline text="Folder">
      <outline text="The "Daily" Mail" type="rss" xmlUrl="https://b.org/rss" /><outline text='c' xmlUrl='https://c.org'/>"""
    added = import_opml(file, data).added
    assert [feed.url for feed in added] == ["https://a.org/?x=1&y=2", "https://b.org/rss", "https://c.org/"]
    assert [feed.tags for feed in added] == [(), ("Folder",), ("Folder",)]


def test_what_is_exported_is_imported_again(tmp_path):
    source = tmp_path / "feeds.yaml"
    source.write_text((PROJECT / "feeds.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    add(source, "https://odd.org/?a=1&b=<2>", '../../x "& <y>')
    config = configs.load(source, {})
    data = export_opml(config)
    target = tmp_path / "other.yaml"
    target.touch()
    import_opml(target, data)
    kept = {(feed.url, feed.name, feed.tags) for feed in configs.load(target, {}).feeds}
    assert kept == {(feed.url, feed.name, feed.tags) for feed in config.feeds}


@pytest.mark.skipif(not CORPUS.exists(), reason="../shared/corpus is not here")
def test_real_opml_files_lose_no_feed(file):
    seen = 0
    for path in sorted(CORPUS.glob("*.opml")):
        data = path.read_bytes()
        done = import_opml(file, data)
        seen += data.lower().count(b"xmlurl=")
        assert not done.refused
        assert len(done.added) + done.duplicates == data.lower().count(b"xmlurl="), path.name
    assert len(configs.load(file, {}).feeds) > 0.9 * seen > 200


# ---------------------------------------------------------------- discovery


def test_a_page_names_its_feeds_in_order_and_once():
    page = """<html><head><base href="/news/">
      <link rel="stylesheet" href="x.css">
      <LINK REL="Alternate" TYPE="application/rss+xml; charset=utf-8" TITLE="  طلوع\n نیوز " HREF=" rss.xml#top ">
      <link rel="alternate nofollow" type="application/atom+xml" href="https://cdn.example.net/atom">
      <link rel="alternate" type="application/feed+json" href="//example.net/feed.json">
      <link rel="alternate" type="application/rss+xml" href="rss.xml">
      <link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/1">
      <link rel="alternate" type="application/json+oembed" href="/oembed">
      <link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
      <link rel="alternate" type="application/rss+xml" href="file:///etc/passwd">
      <link rel="alternate" type="application/rss+xml">
      <link rel="alternate" hreflang="fa" href="/fa/">
      </head><body><p>unclosed""".encode()
    assert discover(page, "https://example.org/a/b") == (
        FoundFeed(url="https://example.org/news/rss.xml", title="طلوع نیوز", type="application/rss+xml"),
        FoundFeed(url="https://cdn.example.net/atom", title="", type="application/atom+xml"),
        FoundFeed(url="https://example.net/feed.json", title="", type="application/feed+json"),
    )


def test_the_charset_of_a_page_is_honoured():
    page = '<meta charset="windows-1256"><link rel=alternate type=application/rss+xml href=/x title="عفو">'
    (found,) = discover(page.encode("windows-1256"), "https://a.org")
    assert found.title == "عفو"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_page(page):
    assert isinstance(discover(page + b"<link rel=alternate type=text/xml href='http://[x'>", "https://a.org/"), tuple)
