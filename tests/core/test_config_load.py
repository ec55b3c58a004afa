"""feeds.yaml to a Config, or to all that is wrong with it."""

import base64
import json
import os
import pickle
import re
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import config as configs
from aggregator import settings as say
from aggregator.config.provenance import written
from aggregator.config.shape import duration
from aggregator.errors import ConfigError

PROJECT = Path(__file__).parents[2]
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


def read(text, environ=None, path=Path("/nowhere/feeds.yaml")):
    return configs.parse(text.encode(), path, environ or {})


def problems(text, environ=None):
    with pytest.raises(ConfigError) as caught:
        read(text, environ)
    return list(caught.value.problems)


# ---------------------------------------------------------------- what is right


def test_an_empty_file_is_all_defaults():
    config = read("")
    assert config.settings == say.Settings(database=Path("/nowhere/data/aggregator.db"))
    assert config.channels == (say.ConsoleChannel(name="console"),)
    assert config.feeds == config.concepts == config.watchlists == ()
    assert "nothing will be told" in config.warnings[0]


def test_every_key_of_the_contract_is_read():
    config = read(
        """
settings:
  database: store/news.db
  full_text: always
  network: {allow_private_feeds: true, allow_private_webhooks: true, ports: any, contact: a@b.org, proxy: "http://p:3128"}
  polling: {floor: 5m, cap: 1d, cost: 500, concurrency: 8, per_host: 64, host_gap: 0s}
  smtp: {host: mail, port: 587, security: starttls, username: me, password: "${env:PW}", sender: m@b.org}
feeds:
  - url: http://localhost:8000/rss.xml
    name: Local
    lang: ps
    tags: [a, b]
    weight: 10
    every: 1h
    full_text: never
    headers: {X-Test: yes}
  - url: https://www.example.org/feed
concepts:
  amnesty: {en: [general amnesty], fa: [عفو عمومی], except: [Amnesty International]}
watchlists:
  - name: one
    label: L
    rule: "@amnesty AND NOT title:sport"
    severity: critical
    notify: [hook, hook]
  - name: two
    keywords: [general amnesty, عفو]
channels:
  desk: {type: email, to: [a@b.org, c@d.org]}
  hook: {type: webhook, url: "https://h.org/x", secret: "${env:KEY}", minimal: true}
  screen: {type: console}
""",
        {"PW": "pw", "KEY": KEY},
    )
    assert config.settings == say.Settings(
        database=Path("/nowhere/store/news.db"),
        full_text="always",
        network=say.Network(
            allow_private_feeds=True,
            allow_private_webhooks=True,
            ports=None,
            contact="a@b.org",
            proxy=say.Secret(config.settings.network.proxy.reveal()),
        ),
        polling=say.Polling(
            floor=timedelta(minutes=5),
            cap=timedelta(days=1),
            cost=500.0,
            concurrency=8,
            per_host=64,
            host_gap=timedelta(0),
        ),
        smtp=say.Smtp(
            host="mail", port=587, security="starttls", username="me", password=say.Secret("pw"), sender="m@b.org"
        ),
    )
    assert config.feeds == (
        say.FeedSpec(
            url="http://localhost:8000/rss.xml",
            name="Local",
            lang="ps",
            tags=("a", "b"),
            weight=10,
            every=timedelta(hours=1),
            full_text="never",
            headers=(("X-Test", say.Secret("yes")),),
        ),
        say.FeedSpec(url="https://www.example.org/feed", name="example.org", full_text="always"),
    )
    assert config.concepts == (
        say.Concept(
            name="amnesty",
            terms=(("en", ("general amnesty",)), ("fa", ("عفو عمومی",))),
            excepts=("Amnesty International",),
        ),
    )
    assert config.watchlists == (
        say.Watchlist(
            name="one", label="L", rule="@amnesty AND NOT title:sport", severity="critical", notify=("hook",)
        ),
        say.Watchlist(
            name="two", label="Watch 2", keywords=("general amnesty", "عفو"), notify=("desk", "hook", "screen")
        ),
    )
    assert config.channels == (
        say.EmailChannel(name="desk", to=("a@b.org", "c@d.org")),
        say.WebhookChannel(name="hook", url=say.Secret("https://h.org/x"), secret=say.Secret(KEY), minimal=True),
        say.ConsoleChannel(name="screen"),
    )
    assert config.warnings == ()
    assert pickle.loads(pickle.dumps(config)) == config


def test_nameless_feeds_are_named_by_host_and_never_take_a_name_that_is_given():
    config = read(
        """
feeds:
  - url: https://www.a.org/1
  - url: https://a.org/2
  - url: https://b.org/1
    name: a.org-2
  - url: https://a.org/3
"""
    )
    assert [feed.name for feed in config.feeds] == ["a.org", "a.org-3", "a.org-2", "a.org-4"]


def test_a_key_without_a_value_says_nothing():
    config = read("settings:\n  network:\n    # ports: any\n  database:\nfeeds:\nchannels:\nconcepts:\n")
    assert config.settings == read("").settings


def test_a_feed_address_is_taken_as_it_will_be_fetched():
    (feed,) = read("feeds: [{url: 'feed://example.org/rss'}]").feeds
    assert feed.url == "http://example.org/rss"


def test_the_console_may_be_named_when_no_channel_is():
    (watchlist,) = read("watchlists: [{name: a, keywords: [x], notify: [console]}]").watchlists
    assert watchlist.notify == ("console",)


def test_operators_are_channels_from_the_file_or_the_environment():
    text = "channels: {desk: {type: console}, screen: {type: console}}"
    told = lambda *args: read(*args).settings.notify_operator  # noqa: E731
    assert told(text) == ()
    assert told(f"settings: {{notify_operator: [desk, desk]}}\n{text}") == ("desk",)
    assert told(text, {"AGGREGATOR_NOTIFY_OPERATOR": "screen, desk"}) == ("screen", "desk")
    assert told("settings: {notify_operator: [console]}") == ("console",)
    (wrong,) = problems(f"settings: {{notify_operator: [dsk]}}\n{text}")
    assert wrong == 'feeds.yaml:1:30: settings.notify_operator.0: there is no channel dsk (did you mean "desk"?)'
    (wrong,) = problems(text, {"AGGREGATOR_NOTIFY_OPERATOR": "dsk"})
    assert "settings.notify_operator.0: there is no channel dsk" in wrong


# ---------------------------------------------------------------- what is wrong


WRONG = [
    ("feeds:\n  - url: https://a.org\n    evry: 15m\n", 'feeds.yaml:3:5: feeds.0.evry: unknown key (did you mean "every"?)'),
    ("chanels: {}\n", 'feeds.yaml:1:1: chanels: unknown key (did you mean "channels"?)'),
    ("settings: {smtp: {hots: x}}", 'feeds.yaml:1:19: settings.smtp.hots: unknown key (did you mean "host"?)'),
    ("channels:\n  d: {type: email, to: [a@b], form: c}\n", "feeds.yaml:2:31: channels.d.form: unknown key"),
    ("- just\n- a list\n", "feeds.yaml:1:1: must be a block of keys: settings, feeds, concepts, watchlists, channels"),
    ("feeds: {url: x}\n", "feeds.yaml:1:8: feeds: must be a list of feeds"),
    ("concepts: [x]\n", "feeds.yaml:1:11: concepts: must be a block of concepts"),
    ("watchlists: 3\nchannels: x\n", "feeds.yaml:1:13: watchlists: must be a list of watchlists"),
    ("feeds: [https://a.org]\n", "feeds.yaml:1:9: feeds.0: must be a block of keys"),
    ("feeds: [[true]]\n", "feeds.yaml:1:9: feeds.0: must be a block of keys"),
    ("feeds: [{name: x}]\n", "feeds.yaml:1:9: feeds.0.url: is missing"),
    ("feeds: [{url: 'https://a.org', lang: English}]", "feeds.yaml:1:38: feeds.0.lang: must be a language code such as en, fa, ps"),
    ("feeds: [{url: 'https://a.org', tags: afghan}]", "feeds.yaml:1:38: feeds.0.tags: must be a list, such as [one, two]"),
    ("feeds: [{url: 'https://a.org', name: 12}]", "feeds.yaml:1:38: feeds.0.name: must be text: put it in quotes"),
    ('feeds: [{url: "https://a.org", name: "a\\nb"}]', "feeds.yaml:1:38: feeds.0.name: must be one line of text, and not empty"),
    ("feeds: [{url: 'https://a.org', weight: 11}]", "feeds.yaml:1:40: feeds.0.weight: must be at most 10"),
    ("feeds: [{url: 'https://a.org', weight: 0.5}]", "feeds.yaml:1:40: feeds.0.weight: must be a whole number"),
    ("feeds: [{url: 'https://a.org', every: 15}]", "feeds.yaml:1:39: feeds.0.every: must be a number and one of s, m, h, d, such as 15m"),
    ("feeds: [{url: 'https://a.org', every: 0m}]", "feeds.yaml:1:39: feeds.0.every: must be longer than 0"),
    ("feeds: [{url: 'https://a.org', every: 99999999d}]", "feeds.yaml:1:39: feeds.0.every: must not be longer than 366d"),
    ("feeds: [{url: 'https://a.org', full_text: yes}]", "feeds.yaml:1:43: feeds.0.full_text: must be auto, always or never"),
    ("feeds: [{url: 'https://a.org', headers: {A B: x}}]", "feeds.yaml:1:42: feeds.0.headers.A B: is no name of a header"),
    ('feeds: [{url: "https://a.org", headers: {A: "x\\r\\nB: c"}}]', "feeds.yaml:1:45: feeds.0.headers.A: must be one line of ASCII text"),
    ("settings: {network: {allow_private_feeds: yes}}", "feeds.yaml:1:43: settings.network.allow_private_feeds: must be true or false"),
    ("settings: {network: {ports: [80, 99999]}}", "feeds.yaml:1:29: settings.network.ports: must be a list of port numbers, such as [80, 443], or any"),
    ("settings: {network: {ports: []}}", "feeds.yaml:1:29: settings.network.ports: must be a list of port numbers, such as [80, 443], or any"),
    ("settings: {polling: {cost: .inf}}", "feeds.yaml:1:28: settings.polling.cost: must be a number"),
    ("settings: {polling: {floor: 2h, cap: 1h}}", "feeds.yaml:1:21: settings.polling: cap must not be shorter than floor"),
    ("settings: {smtp: {username: x}}", "feeds.yaml:1:18: settings.smtp: username and password go together"),
    ("settings: {smtp: {sender: me}}", "feeds.yaml:1:27: settings.smtp.sender: must be a mail address, such as desk@example.org"),
    ("settings: {smtp: {security: ssl}}", "feeds.yaml:1:29: settings.smtp.security: must be none, starttls or tls"),
    ("concepts: {a: {en: [x], excpet: [y]}}", 'feeds.yaml:1:25: concepts.a.excpet: must be a language code such as en, fa, ps; or except, weights, min, case (did you mean "except"?)'),
    ("concepts: {a: {en: 5}}", "feeds.yaml:1:20: concepts.a.en: must be a list, such as [one, two]"),
    ("concepts: {a: {min: [x], en: [x]}}", "feeds.yaml:1:21: concepts.a.min: must be a whole number from 1 to 1000"),
    ("concepts: {a: {case: 1, en: [x]}}", "feeds.yaml:1:22: concepts.a.case: must be true or false"),
    ("concepts: {a: {weights: 3, en: [x]}}", "feeds.yaml:1:25: concepts.a.weights: must be a block of spellings with their weights"),
    ("concepts: {a: {weights: {visas: 3}, en: [visa]}}", 'feeds.yaml:1:33: concepts.a.weights.visas: is no spelling of this concept (did you mean "visa"?)'),
    ("concepts: {a: {weights: {visa: 0}, en: [visa]}}", "feeds.yaml:1:32: concepts.a.weights.visa: must be a whole number from 1 to 1000"),
    ("concepts: {a: {min: 3, en: [visa]}}", "feeds.yaml:1:15: concepts.a: min is 3, but all spellings together weigh 1: it would never be found"),
    ("concepts: {a: {case: true, en: [rel*, '*x', relo*]}}", "feeds.yaml:1:39: concepts.a.en.1: *x begins with a wildcard, which would match nearly everything; write the first letters"),
    ("concepts: {a: {except: ['rel*'], en: [visa]}}", "feeds.yaml:1:15: concepts.a: rel*: wildcards work in rules and concepts; common endings are found without one"),
    ("concepts: {a: {en: x}}", "feeds.yaml:1:20: concepts.a.en: must be a list, such as [one, two]"),
    ("concepts: {a: {en: []}}", "feeds.yaml:1:20: concepts.a.en: must not be empty"),
    ("concepts: {a: {}}", "feeds.yaml:1:15: concepts.a: must not be empty"),
    ("concepts: {a: {except: [x]}}", "feeds.yaml:1:15: concepts.a: needs spellings in a language, such as en: [relocation]"),
    ("concepts: {a b: {en: [x]}}", "feeds.yaml:1:12: concepts.a b: the name of a concept is letters, digits, _ and -, and begins with a letter"),
    ("concepts: {a: {en: ['!!', x]}}", 'feeds.yaml:1:21: concepts.a.en.0: "!!" holds no letter or digit, so it can stand nowhere; leave it out'),
    ("watchlists: [{name: a, keywords: ['...']}]", 'feeds.yaml:1:35: watchlists.0.keywords.0: "..." holds no letter or digit, so it can stand nowhere; leave it out'),
    ("watchlists: [{name: a, keywords: [2021]}]", "feeds.yaml:1:35: watchlists.0.keywords.0: must be text: put it in quotes"),
    ("watchlists: [{name: a, keywords: []}]", "feeds.yaml:1:34: watchlists.0.keywords: must not be empty"),
    ("watchlists: [{name: a}]", "feeds.yaml:1:14: watchlists.0: needs keywords or a rule"),
    ("watchlists: [{name: a, rule: x, keywords: [x]}]", "feeds.yaml:1:14: watchlists.0: keywords and rule do not go together: use one"),
    ("watchlists: [{name: a, rule: x, severity: hgih}]", 'feeds.yaml:1:43: watchlists.0.severity: must be low, normal, high or critical (did you mean "high"?)'),
    ("watchlists: [{name: a, rule: x, notify: [dsk]}]\nchannels: {desk: {type: console}}", 'feeds.yaml:1:42: watchlists.0.notify.0: there is no channel dsk (did you mean "desk"?)'),
    ("channels: {a: {type: emial, to: [x@y]}}", 'feeds.yaml:1:22: channels.a.type: must be email, webhook or console (did you mean "email"?)'),
    ("channels: {a: {to: [x@y]}}", "feeds.yaml:1:15: channels.a.type: is missing"),
    ("channels: {a: {type: email, to: []}}", "feeds.yaml:1:33: channels.a.to: must not be empty"),
    ("channels: {a: {type: email, to: [me]}}", "feeds.yaml:1:34: channels.a.to.0: must be a mail address, such as desk@example.org"),
    ("channels: {a: {type: email, to: [a@b, a@b]}}", "feeds.yaml:1:39: channels.a.to.1: is named twice"),
    ("channels: {a: {type: webhook, secret: x}}", "feeds.yaml:1:15: channels.a.url: is missing"),
    ("channels: {a: {type: webhook, url: 'file:///etc/passwd'}}", "feeds.yaml:1:36: channels.a.url: must be an http or https address"),
    ("channels: {a: {type: webhook, url: 'http://h.org', secret: abc}}", "feeds.yaml:1:60: channels.a.secret: must be whsec_ and then base64 of 24 to 64 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), WRONG)
def test_a_fault_is_told_with_line_column_key_and_what_to_write(text, problem):
    assert problem in problems(text)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("file:///etc/passwd", "file: addresses are refused"),
        ("ftp://example.org/feed", "ftp: addresses are refused"),
        ("gopher://example.org/1", "gopher: addresses are refused"),
        ("exec:cat /etc/passwd", "exec: addresses are refused"),
        ("FILE:/etc/passwd", "file: addresses are refused"),
        ("javascript:alert(1)", "javascript: addresses are refused"),
        ("|cat /etc/passwd", "commands are never run"),
        (" |cat", "commands are never run"),
        ("/etc/passwd", "must be a web address"),
        ("example", "must be a web address"),
        ("https://", "must be a web address"),
    ],
)
def test_only_web_addresses_are_feeds(address, words):
    ((only),) = problems(f"feeds:\n  - name: x\n    url: {json.dumps(address)}\n")
    assert only.startswith("feeds.yaml:3:10: feeds.0.url: ")
    assert words in only


@pytest.mark.parametrize(
    ("written_rule", "place"),
    [
        ("amnesty AND @nope", "2:23"),
        ("'amnesty AND @nope'", "2:24"),
        ("'''x'' AND @nope'", "2:22"),
        ('"amnesty AND @nope"', "2:24"),
        (r'"\"general amnesty\" AND @nope"', "2:36"),
        (r'"\u0627\u0641 AND @nope"', "2:29"),
        (">-\n      amnesty AND\n      @nope", "2:11"),
        ("|\n      @nope", "2:11"),
    ],
)
def test_a_fault_in_a_rule_points_into_the_rule(written_rule, place):
    text = f"watchlists:\n  - rule: {written_rule}\n    name: a\nconcepts: {{}}\n"
    (only,) = problems(text)
    assert only == f"feeds.yaml:{place}: watchlists.0.rule: there is no concept @nope; define it under `concepts:`"


def test_names_and_addresses_are_unique_and_the_second_is_told():
    found = problems(
        "feeds:\n  - {url: 'https://a.org', name: x}\n  - {url: 'https://a.org', name: x}\n"
        "watchlists:\n  - {name: w, rule: x}\n  - {name: w, rule: y}\n"
    )
    assert found == [
        "feeds.yaml:3:11: feeds.1.url: is the same as in line 2",
        "feeds.yaml:3:34: feeds.1.name: is the same as in line 2",
        "feeds.yaml:6:12: watchlists.1.name: is the same as in line 5",
    ]


def test_all_faults_come_at_once_in_the_order_of_the_file():
    texts = [
        "settings: {full_text: sometimes}",
        "feeds:\n  - {url: 'https://a.org', evry: 3}\n  - {url: 'file:x'}\n  - {url: 'https://a.org'}\n  - {url: 'https://a.org', weight: x}",
        "concepts: {a: {en: ['?']}}",
        "watchlists:\n  - {name: w, rule: '@b', severty: low}\n  - {name: w, rule: '@a', notify: [nobody]}",
        "channels: {c: {type: email, to: ['${env:NOBODY}']}}",
        "odd: 1",
    ]
    found = problems("\n".join(texts))
    assert [line.split(": ")[1] for line in found] == [
        "settings.full_text",
        "feeds.0.evry",
        "feeds.1.url",
        "feeds.2.url",
        "feeds.3.url",
        "feeds.3.weight",
        "concepts.a.en.0",
        "watchlists.0.rule",
        "watchlists.0.severty",
        "watchlists.1.name",
        "watchlists.1.notify.0",
        "channels.c.to.0",
        "odd",
    ]


def test_a_faulty_concept_or_channel_is_told_once_and_not_again_where_it_is_named():
    found = problems(
        "concepts: {a: {en: x}}\nchannels: {c: {type: no}}\nwatchlists: [{name: w, rule: '@a', notify: [c]}]"
    )
    assert len(found) == 2


@pytest.mark.parametrize("content", [b"feeds: []\n# \xff\n", b"\xef\xbb\xbfa: \xc3\n"])
def test_what_is_no_utf8_is_told_with_its_place(content):
    with pytest.raises(ConfigError, match=r"feeds.yaml:[12]:[34]: is no UTF-8 text"):
        configs.parse(content, Path("feeds.yaml"), {})


def test_a_message_is_one_line_without_controls():
    (only,) = problems('"a\\e[2J\\u202E\\nb": 1')
    assert only == "feeds.yaml:1:1: a\\x1b[2J\\u202e\\nb: unknown key"


def test_a_file_that_cannot_be_read_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.yaml: cannot be read"):
        configs.load(tmp_path / "nothing.yaml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        configs.load(tmp_path, {})


@settings(deadline=None)  # the first call builds the models
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text("ab@$&-{}", max_size=6), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["settings", "feeds", "concepts", "watchlists", "channels", "url", "name", "type", "to", "en", "except", "rule", "notify", "keywords", "polling", "floor", "headers", "webhook", "x"]), inner, max_size=4), max_leaves=12))  # fmt: skip
def test_no_data_of_any_shape_is_more_than_a_config_error(value):
    try:
        found = read(json.dumps(value)).warnings
    except ConfigError as error:
        found = error.problems
    assert all(found), "an error without a word"
    assert not any("\n" in line for line in found)


# ---------------------------------------------------------------- what is worth a look


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("feeds: [{url: 'https://a.org', every: 4m}]", "feeds.yaml:1:39: feeds.0.every: sooner than every 5m"),
        ("feeds: [{url: 'http://8.8.8.8/x', every: 1s}]", "feeds.0.every: sooner than every 5m"),
        ("feeds: [{url: 'https://a.org'}]\nsettings: {polling: {floor: 299s}}", "2:29: settings.polling.floor: sooner"),
        (
            "feeds:\n- url: https://a.org/feed\n- url: http://a.org/feed/",
            "feeds.yaml:3:8: feeds.1.url: is the document of line 2: one of both is fetched",
        ),
        ("watchlists: [{name: a, keywords: ['@taliban']}]", 'for the concept write rule: "@taliban"'),
        (
            "settings: {smtp: {host: mail.example.org, username: a, password: '${env:P}'}}",
            "settings.smtp.security: the password travels unencrypted",
        ),
    ],
)
def test_what_is_usable_but_worth_a_look_draws_a_warning(text, words):
    assert any(words in warning for warning in read(text, {"P": "x"}).warnings), read(text, {"P": "x"}).warnings


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/x", "http://localhost/x", "http://10.0.0.1/x", "http://[::1]/x", "http://wiki.lan/x", "http://intranet/x"]
)  # fmt: skip
def test_a_private_host_may_be_asked_often(url):
    config = read(f"settings: {{polling: {{floor: 1s}}}}\nfeeds: [{{url: '{url}', every: 1s}}, {{url: '{url}2'}}]")
    assert not [warning for warning in config.warnings if "sooner" in warning]


# ---------------------------------------------------------------- the environment


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        ("AGGREGATOR_DATABASE", "x.db", "database", Path("/nowhere/x.db")),
        ("AGGREGATOR_DATABASE", "/abs/x.db", "database", Path("/abs/x.db")),
        ("AGGREGATOR_FULL_TEXT", "never", "full_text", "never"),
        ("AGGREGATOR_POLLING__FLOOR", "1m", "polling.floor", timedelta(minutes=1)),
        ("AGGREGATOR_POLLING__COST", "12.5", "polling.cost", 12.5),
        ("AGGREGATOR_POLLING__CONCURRENCY", "3", "polling.concurrency", 3),
        ("AGGREGATOR_NETWORK__ALLOW_PRIVATE_FEEDS", "true", "network.allow_private_feeds", True),
        ("AGGREGATOR_NETWORK__PORTS", "any", "network.ports", None),
        ("AGGREGATOR_SMTP__PORT", "2525", "smtp.port", 2525),
        ("AGGREGATOR_SMTP__HOST", "404", "smtp.host", "404"),
    ],
)
def test_a_variable_wins_over_the_file(name, text, key, value):
    config = read("settings: {polling: {floor: 10m}, smtp: {port: 26}}", {name: text})
    assert attrgetter(key)(config.settings) == value


def test_an_empty_variable_says_nothing():
    assert read("", {"AGGREGATOR_DATABASE": ""}) == read("")


def test_variables_may_say_together_what_neither_may_alone():
    config = read("", {"AGGREGATOR_SMTP__USERNAME": "me", "AGGREGATOR_SMTP__PASSWORD": "secret"})
    assert config.settings.smtp.password == say.Secret("secret")
    assert not [warning for warning in config.warnings if "secret" in warning]


def test_a_faulty_variable_is_told_by_its_name():
    assert problems("", {"AGGREGATOR_POLLING__FLOOR": "soon", "AGGREGATOR_SMTP__PORT": "x"}) == [
        "AGGREGATOR_POLLING__FLOOR: settings.polling.floor: must be a number and one of s, m, h, d, such as 15m",
        "AGGREGATOR_SMTP__PORT: settings.smtp.port: must be a whole number",
    ]
    (only,) = problems("", {"AGGREGATOR_POLLING__FLOOR": "9h"})
    assert only == "AGGREGATOR_POLLING__FLOOR: settings.polling: cap must not be shorter than floor"


def test_a_misspelt_variable_draws_a_warning():
    config = read("", {"AGGREGATOR_POLING__FLOOR": "1m", "AGGREGATOR_CONFIG": "x", "AGGREGATOR_HOOK_URL": "x"})
    assert config.warnings[0].startswith('AGGREGATOR_POLING__FLOOR: unknown setting (did you mean "POLLING__FLOOR"?)')
    assert not [warning for warning in config.warnings if "CONFIG" in warning or "HOOK" in warning]


def test_the_file_is_looked_for_in_order(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", f"{tmp_path / 'system'}{os.pathsep}{tmp_path / 'other'}")
    places = [
        tmp_path / "feeds.yaml",
        tmp_path / "user/aggregator/feeds.yaml",
        tmp_path / "system/aggregator/feeds.yaml",
    ]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    environ = {"AGGREGATOR_CONFIG": "named.yaml"}
    assert configs.find(Path("this.yaml"), environ, tmp_path) == tmp_path / "this.yaml"
    assert configs.find(None, environ, tmp_path) == tmp_path / "named.yaml"
    for place in places:
        assert configs.find(None, {}, tmp_path) == place
        place.unlink()
    with pytest.raises(ConfigError, match="`aggregator init` makes one"):
        configs.find(None, {}, tmp_path)


# ---------------------------------------------------------------- what others read


def test_every_setting_is_shown_with_its_value_and_where_it_came_from(tmp_path):
    path = tmp_path / "feeds.yaml"
    path.write_text(
        "settings:\n  polling: {floor: 90s}\n  smtp: {username: u, password: hunter2}\n"
        f"channels:\n  hook: {{type: webhook, url: 'https://h.org/tok', secret: {KEY}}}\n  desk: {{type: email, to: [a@b]}}\n"
    )
    environ = {"AGGREGATOR_SMTP__PORT": "26"}
    rows = configs.describe(configs.load(path, environ), environ)
    shown = {key: (value, place) for key, value, place in rows}
    assert shown["settings.polling.floor"] == ("90s", "feeds.yaml:2")
    assert shown["settings.polling.cap"] == ("6h", "default")
    assert shown["settings.polling.host_gap"] == ("2s", "default")
    assert shown["settings.smtp.port"] == ("26", "AGGREGATOR_SMTP__PORT")
    assert shown["settings.smtp.password"] == ("(secret)", "feeds.yaml:3")
    assert shown["settings.network.ports"] == ("[80, 443, 8080, 8443]", "default")
    assert shown["settings.network.allow_private_feeds"] == ("false", "default")
    assert shown["channels.hook"] == ("webhook, signed", "feeds.yaml:5")
    assert shown["channels.desk"] == ("email to a@b", "feeds.yaml:6")
    assert shown["feeds"] == ("0", "default")
    assert not re.search("hunter2|whsec|tok", repr(rows))


@given(st.integers(0, 366 * 86400))
def test_a_duration_shown_is_a_duration_read(seconds):
    assert duration(written(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_what_a_setting_is_shown_as_can_be_written():
    rows = {key: value for key, value, _ in configs.describe(replace(read(""), path=PROJECT / "feeds.yaml"), {})}
    lines = [(key.split(".")[1:], value) for key, value in rows.items() if key.startswith("settings.")]
    text = "settings:\n" + "".join(f"  {key[0]}: {value}\n" for key, value in lines if len(key) == 1)
    for section in ("network", "polling", "smtp"):
        text += f"  {section}:\n" + "".join(f"    {key[1]}: {value}\n" for key, value in lines if key[0] == section)
    assert read(text).settings == read("").settings


SOURCES = """
feeds:
  - url: https://one.example/
    type: page
    select: main h2 > a
    fallback:
      - https://one.example/rss.xml
      - {url: "https://one.example/map.xml", type: sitemap}
      - {url: "https://two.example/", type: page, select: "a.story"}
"""


def test_a_feed_says_what_stands_at_its_addresses():
    (feed,) = read(SOURCES).feeds
    assert (feed.type, feed.select, feed.address) == ("page", "main h2 > a", say.Address(url="https://one.example/", type="page", select="main h2 > a"))  # fmt: skip
    assert feed.fallback == (
        say.Address(url="https://one.example/rss.xml"),
        say.Address(url="https://one.example/map.xml", type="sitemap"),
        say.Address(url="https://two.example/", type="page", select="a.story"),
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("main h2 > a", "main h2 > > a", "feeds.yaml:5:13: feeds.0.select: is no CSS selector: Expected selector, got <DELIM '>' at 10>"),
        ('"a.story"', '"a["', "feeds.yaml:9:59: feeds.0.fallback.2.select: is no CSS selector: Expected ident or '*', got <EOF at 2>"),
        ("type: page\n    select", "select", "feeds.yaml:3:5: feeds.0: select is for pages: add type: page"),
        ("sitemap}", "map}", "feeds.yaml:8:52: feeds.0.fallback.1.type: must be feed, sitemap or page"),
        ("https://one.example/rss.xml", "ftp://one.example/", "feeds.yaml:7:9: feeds.0.fallback.0.url: ftp: addresses are refused: only http and https are fetched"),
        ("https://two.example/", "https://one.example/rss.xml", "feeds.yaml:9:9: feeds.0.fallback.2: is an address of this feed already"),
        ("type: page, sel", "typ: page, sel", "unknown key"),
    ],
)  # fmt: skip
def test_a_wrong_address_or_selector_is_told_with_its_place(old, new, told):
    assert old in SOURCES
    assert any(told in line for line in problems(SOURCES.replace(old, new))), problems(SOURCES.replace(old, new))


def test_the_schema_refuses_unknown_keys_and_explains_every_key():
    schema = configs.schema()
    blocks = [schema, *(block for block in schema["$defs"].values() if block["type"] == "object")]
    for block in blocks:
        assert block["additionalProperties"] is False
        for name, field in block.get("properties", {}).items():
            assert "description" in field or "$ref" in field or name == "type", name
    json.dumps(schema)


def test_the_starter_and_the_shipped_file_load_without_a_word():
    for text in (configs.starter(), (PROJECT / "feeds.yaml").read_text(encoding="utf-8")):
        config = read(text)
        assert config.warnings == ()
        assert config.feeds
        assert config.watchlists
        assert config.channels == (say.ConsoleChannel(name="console"),)


def test_no_address_in_the_shipped_file_carries_a_watched_term():
    config = read((PROJECT / "feeds.yaml").read_text(encoding="utf-8"))
    terms = {term.casefold() for concept in config.concepts for _, terms in concept.terms for term in terms}
    for feed in config.feeds:
        asked = feed.url.casefold().partition("?")[2]
        assert not [term for term in terms if term.replace(" ", "+") in asked], feed.url


def test_the_examples_in_comments_of_the_shipped_file_work_when_uncommented():
    text = (PROJECT / "feeds.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^( *)# (- \{url)", r"\1\2", text)
    text = re.sub(r"(?m)^# (settings:|channels:|  \w+: [\[{])", r"\1", text)
    config = read(
        text.replace("${file:secrets/far-url}", "${env:HOOK_URL}"), {"HOOK_URL": "https://h.org/x", "HOOK_SECRET": KEY}
    )
    assert len(config.channels) == 3
    assert config.settings.network.contact


def test_every_key_is_named_in_the_documentation():
    text = (PROJECT / "docs" / "config.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", text)) | set(re.findall(r"(?m)^#+ ([a-z]+)$", text))
    schema = configs.schema()
    keys = set(schema["properties"])
    for block in schema["$defs"].values():
        keys |= set(block["properties"])
    assert keys <= named, keys - named


def test_the_examples_in_the_documentation_load():
    text = (PROJECT / "docs" / "config.md").read_text(encoding="utf-8")
    for example in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        rest = "" if "concepts:" in example else "concepts: {amnesty: {en: [general amnesty]}}\n"
        read((example + rest).replace("${file:secrets/desk-token}", "${env:T}"), {"T": "t"})
