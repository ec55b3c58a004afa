"""What the operator is told when a feed is no longer heard, through the real program, its mail and its clock."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime

import pytest
from support.mailbox import Mailbox, serving
from support.making import NOW
from support.world import page, rss

from aggregator import app, config, daemon, parse
from aggregator.store import Store

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CAPTCHA = b"<!DOCTYPE html><title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/h'></script>"


class Clock:
    """The time, moved by hand."""

    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at


class Desk:
    """An operator who reads mail, beside a running program and its moved clock."""

    def __init__(self, path, mailbox):
        self.path, self.mailbox, self.clock = path, mailbox, Clock()

    async def round(self, wait=timedelta(0), names=None):
        """One round, `wait` after the one before."""
        self.clock.at += wait
        loaded = config.load(self.path)
        async with app.opened(loaded, now=self.clock) as opened:
            return await opened.work.round(names or [feed.name for feed in loaded.feeds])

    def troubles(self):
        with Store.open_to_read(config.load(self.path).settings.database) as store:
            return {(one.feed or one.watchlist or "the network", one.kind): one.detail for one in store.troubles()}

    def mails(self):
        """Subject and text of what came since the last look."""
        read, self.mailbox.taken = self.mailbox.read(), []
        return [(mail["Subject"], mail.get_body("plain").get_content()) for mail in read]


@pytest.fixture
def desk(world, folder):
    """A desk for these feeds and watchlists; troubles go to its mailbox."""

    @asynccontextmanager
    async def made(feeds, watchlists="[{name: any, keywords: [Taliban]}]"):
        mailbox = Mailbox()
        async with serving(mailbox) as port:
            path = folder / "feeds.yaml"
            path.write_text(
                "settings:\n"
                "  full_text: never\n"
                "  notify_operator: [ops]\n"
                "  network: {allow_private_feeds: true, ports: any}\n"
                "  polling: {floor: 15m, cap: 6h, host_gap: 0s, per_host: 64}\n"
                f"  smtp: {{host: 127.0.0.1, port: {port}}}\n"
                "feeds:\n"
                + "".join(f"  - {{url: '{world.url(at)}', name: {name}}}\n" for name, at in feeds.items())
                + f"watchlists: {watchlists}\n"
                "channels:\n  ops: {type: email, to: [ops@example.org]}\n  screen: {type: console}\n",
                encoding="utf-8",
            )
            yield Desk(path, mailbox)

    return made


def dated(*moments):
    """A feed with an item of each moment, the newest first."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{at.timestamp()}</guid><title>News of {at:%d %H:%M:%S}</title>"
        f"<pubDate>{format_datetime(at)}</pubDate></item>"
        for at in sorted(moments, reverse=True)
    )
    return f"<rss version='2.0'><channel><title>World</title>{items}</channel></rss>".encode()


async def until(condition):
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("waited in vain")


def hourly(begin, end):
    """A moment each hour from `begin` to `end`."""
    return [begin + n * HOUR for n in range((end - begin) // HOUR + 1)]


def test_a_feed_that_turns_into_a_captcha_is_told_by_mail_and_so_is_its_return(world, desk):
    async def main():
        async with desk({"News": "/feed", "Other": "/other"}) as here:
            world.pages |= {
                "/feed": rss(("1", "Rain", world.url("/1"), "")),
                "/other": rss(("1", "Snow", None or "", "")),
            }
            await here.round()
            world.pages["/feed"] = CAPTCHA
            await here.round(HOUR)
            assert (here.troubles(), here.mails()) == ({}, []), "it may be a bad moment"
            await here.round(HOUR)
            assert here.troubles() == {("News", "not-a-feed"): "not_a_feed: a captcha (no content type)"}
            ((subject, text),) = here.mails()
            assert subject == "[monitor] News: not-a-feed"
            assert "a captcha" in text
            assert "What to do: " in text
            world.pages["/feed"] = rss(("1", "Rain", world.url("/1"), ""))
            await here.round(2 * HOUR)
            assert here.troubles() == {}
            assert [subject for subject, _ in here.mails()] == ["[monitor] News: over: not-a-feed"]
            await here.round(8 * HOUR)
            assert here.mails() == []

    asyncio.run(main())


def test_forty_feeds_that_go_at_once_are_one_mail_that_names_them(world, desk):
    names = {f"Feed {n}": f"/{n}" for n in range(40)}
    world.pages |= dict.fromkeys(names.values(), (410, {}, b""))

    async def main():
        async with desk(names) as here:
            await here.round()
            ((subject, text),) = here.mails()
            assert subject == "[monitor] 40 in trouble: gone 40"
            assert [name for name in names if f"- {name}, since " not in text] == []
            assert text.count("What to do: ") == 1

    asyncio.run(main())


def test_a_feed_that_falls_silent_is_told_within_a_day_and_no_sooner(world, desk):
    async def main():
        async with desk({"News": "/feed"}) as here:
            history = hourly(NOW - 30 * DAY, NOW)
            world.pages["/feed"] = dated(*history)
            await here.round()
            news = [NOW + 20 * MINUTE * n for n in range(1, 5)]
            for n, at in enumerate(news, 1):
                world.pages["/feed"] = dated(*history[n:], *news[:n])
                await here.round(at - here.clock.at)
            died = here.clock.at
            while not here.troubles():
                assert here.clock.at - died < DAY, "silence went unnoticed"
                await here.round(2 * HOUR)
            assert here.clock.at - died >= 12 * HOUR
            assert here.troubles()["News", "silent"].startswith("nothing new since 2026-11-24 09:20 UTC, where about ")
            assert [subject for subject, _ in here.mails()] == ["[monitor] News: silent"]
            world.pages["/feed"] = dated(*history[5:], here.clock.at)
            await here.round(HOUR)
            assert here.troubles() == {}

    asyncio.run(main())


def test_a_server_that_hides_news_behind_304_is_found_out_and_told(world, desk):
    async def main():
        async with desk({"News": "/feed"}) as here:
            history = hourly(NOW - 30 * DAY, NOW)
            world.pages["/feed"] = (200, {"ETag": '"always"'}, dated(*history))
            await here.round()
            for _ in range(40):
                published = [
                    at for at in hourly(NOW - 20 * DAY, here.clock.at + 2 * HOUR) if at <= here.clock.at + HOUR
                ]
                world.pages["/feed"] = (200, {"ETag": '"always"'}, dated(*published))
                await here.round(2 * HOUR)
                if ("News", "unchanging") in here.troubles():
                    break
            assert ("News", "unchanging") in here.troubles()
            subjects = [subject for subject, _ in here.mails()]
            assert subjects == ["[monitor] News: silent", "[monitor] News: unchanging, 1 over"]

    asyncio.run(main())


def test_a_costly_rule_is_told_and_the_other_watchlists_still_alert(world, desk):
    costly = r"{name: costly, label: W1, rule: 'taliban AND /(a|b|ab)*[a-t ]{300}x/', notify: [screen]}"
    rules = f"[{costly}, {{name: plain, keywords: [Taliban], notify: [screen]}}]"

    async def main():
        async with desk({"News": "/feed"}, rules) as here:
            world.pages["/feed"] = rss(("1", "Taliban", world.url("/1"), "ab cd " * 200_000))
            tally = await here.round()
            assert (tally.alerts, tally.visits[0].new) == (1, 1), "the other watchlist heard it"
            assert here.troubles() == {
                ("costly", "watchlist-stopped"): "its rule cost too much for an item of News, which it did not judge"
            }
            ((subject, text),) = here.mails()
            assert subject == "[monitor] watchlist costly: watchlist-stopped"
            assert "taliban" not in text.lower(), "a notice holds no watched term"
            world.pages["/feed"] = rss(("2", "Taliban again", world.url("/2"), "short"))
            await here.round(25 * HOUR)
            assert [what for what in here.troubles() if what[0] == "costly"] == []

    asyncio.run(main())


def test_a_rule_that_an_article_makes_costly_is_told_at_its_reading_and_at_each_revision(world, desk):
    costly = r"{name: costly, rule: 'taliban AND /[a-t ]{999}y[a-t ]{999}z[b-t ]{999}w/', notify: [screen]}"

    async def main():
        async with desk({"News": "/feed"}, f"[{costly}]") as here:
            here.path.write_text(here.path.read_text().replace("full_text: never", "full_text: always"))
            world.pages["/feed"] = rss(("1", "Taliban issue a decree", world.url("/1"), ""))
            world.pages["/1"] = page("It was read at length. " * 1500)
            await here.round()
            assert set(here.troubles()) == {("costly", "watchlist-stopped")}
            await here.round(25 * HOUR)
            assert here.troubles() == {}
            world.pages["/feed"] = rss(("1", "Taliban issue a decree at last", world.url("/1"), ""))
            world.pages["/1"] = (503, {}, b"")
            await here.round(HOUR)
            assert set(here.troubles()) == {("costly", "watchlist-stopped")}

    asyncio.run(main())


def test_a_full_reading_shows_what_the_quick_way_had_passed_over(world, desk):
    """The database is made to believe that it knows the bytes of an entry that it does not know."""

    async def main():
        async with desk({"News": "/feed"}) as here:
            old, new = ("1", "Rain", world.url("/1"), ""), ("2", "Taliban", world.url("/2"), "")
            world.pages["/feed"] = rss(old)
            await here.round()
            world.pages["/feed"] = rss(new, old)
            believed = parse.slices.hashes(world.pages["/feed"])[0]
            with Store.open(config.load(here.path).settings.database) as store:
                store._conn.execute("UPDATE items SET slice_hash = ?", (believed,))
            assert (await here.round(HOUR)).visits[0].new == 0, "the quick way is deceived"
            world.pages["/feed"] = rss(new, old, ("3", "Snow", world.url("/3"), ""))
            with Store.open(config.load(here.path).settings.database) as store:
                store._conn.execute("UPDATE items SET slice_hash = ?", (believed,))
                store._conn.execute("UPDATE feeds SET partial_reads = 20")
            assert (await here.round(HOUR)).visits[0].new == 2
            assert here.troubles() == {("News", "slices-differ"): "new items that were taken for known: 1"}

    asyncio.run(main())


def test_who_left_feeds_yaml_is_sent_nothing_more_and_what_he_is_owed_is_kept(world, desk):
    async def main():
        async with desk({"News": "/feed"}) as here:
            here.path.write_text(
                here.path.read_text().replace("[ops@example.org]", "[ops@example.org, left@example.org]")
            )
            here.mailbox.rcpt = {"left@example.org": "451 later"}
            world.pages["/feed"] = rss(("1", "Taliban", world.url("/1"), ""))
            tally = await here.round()
            assert (tally.sent, tally.undelivered) == (2, 1)
            here.mailbox.rcpt = {}
            both = here.path.read_text()
            here.path.write_text(both.replace(", left@example.org]", "]"))
            assert (await here.round(HOUR)).sent == 0
            here.path.write_text(both)
            assert (await here.round(HOUR)).sent == 1

    asyncio.run(main())


def test_a_fallback_that_stands_in_is_told_with_why_and_so_is_the_return(world, desk):
    async def main():
        async with desk({"News": "/feed"}) as here:
            text = here.path.read_text().replace("name: News}", f"name: News, fallback: ['{world.url('/other')}']}}")
            here.path.write_text(text)
            own, other = ([(str(n), f"{of} news {n}", world.url(f"/{of}{n}"), "") for n in range(3)] for of in "ab")
            world.pages |= {"/feed": rss(*own), "/other": rss(*other)}
            await here.round()
            world.pages["/feed"] = (410, {}, b"")
            await here.round(HOUR)
            assert set(here.troubles()) == {("News", "fallback")}
            assert "(gone: " in here.troubles()["News", "fallback"]
            assert [subject for subject, _ in here.mails()] == ["[monitor] News: fallback"]
            world.pages["/feed"] = rss(("3", "a news 3", world.url("/a3"), ""), *own)
            await here.round(31 * DAY)
            assert here.troubles() == {}
            assert [subject for subject, _ in here.mails()] == ["[monitor] News: over: fallback"]

    asyncio.run(main())


def test_a_network_that_is_down_is_one_trouble_and_no_feed_is_blamed(world, desk):
    """Six hosts, of which none listens; then one does."""

    async def main():
        async with desk({f"Feed {n}": f"/{n}" for n in range(6)}) as here:
            text = here.path.read_text()
            for n in range(6):
                text = text.replace(world.url(f"/{n}'"), world.url(f"/{n}'", host=f"127.0.0.{n + 2}"))
            here.path.write_text(text)
            await here.round()
            assert (here.troubles(), here.mails()) == ({}, []), "it may be back in a minute"
            for _ in range(3):
                await here.round(10 * HOUR)
            assert here.troubles() == {("the network", "offline"): "hardly any host can be reached"}
            ((subject, told),) = here.mails()
            assert subject == "[monitor] the network: offline"
            assert "name server" in told
            here.path.write_text(text.replace("127.0.0.2", "127.0.0.1"))
            world.pages["/0"] = rss(("1", "Rain", world.url("/1"), ""))
            await here.round(2 * HOUR)
            assert here.troubles() == {}
            assert [subject for subject, _ in here.mails()] == ["[monitor] the network: over: offline"]

    asyncio.run(main())


def test_the_daemon_finds_what_fails_for_a_day_though_no_visit_is_due(world, desk):
    """Its server asked for a pause of three days, so no visit comes, and housekeeping tells."""
    world.pages["/feed"] = (503, {"Retry-After": "80000"}, b"")

    async def main():
        async with desk({"News": "/feed"}) as here:
            await here.round()
            world.pages["/feed"] = (503, {"Retry-After": str(3 * 86_400)}, b"")
            await here.round(23 * HOUR)
            assert [subject for subject, _ in here.mails()] == ["[monitor] News: paused"]
            asked = len(world.asked)
            here.clock.at += 2 * HOUR
            stop = asyncio.Event()
            running = asyncio.create_task(daemon.run(config.load(here.path), stop, now=here.clock))
            await until(lambda: ("News", "failing") in here.troubles())
            here.clock.at += 2 * HOUR
            await until(lambda: here.mailbox.taken)
            stop.set()
            await running
            assert [subject for subject, _ in here.mails()] == ["[monitor] News: failing"]
            assert len(world.asked) == asked

    asyncio.run(main())


def test_a_webhook_is_told_in_the_form_of_the_contract(world, write_config):
    path = write_config({"one": "/gone"})
    path.write_text(path.read_text().replace("settings:\n", "settings:\n  notify_operator: [hook]\n"))
    world.pages["/gone"] = (410, {}, b"")

    async def main():
        async with app.opened(config.load(path)) as opened:
            tally = await opened.work.round(["one"])
            assert (tally.sent, tally.alerts) == (1, 0)

    asyncio.run(main())
    ((name, body),) = world.received
    assert body.keys() == {"type", "timestamp", "data"}
    assert body["data"].keys() == {"id", "kind", "feed", "watchlist", "detail", "since", "advice"}
    assert (body["type"], body["data"]["feed"], body["data"]["watchlist"]) == ("notice.created", "one", None)
    assert name
    assert json.dumps(body)
