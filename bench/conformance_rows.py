"""The rows that show themselves to a server within minutes: what it answers, and how its log is judged."""

from __future__ import annotations

import gzip
import re
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import brotli

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests"), str(ROOT / "tests" / "fetch")]

from far_side import Decided, Far, moved, reply  # noqa: E402
from support.world import rss  # noqa: E402

RUNS = 4  # of each program
DATE = "Sat, 01 Nov 2025 10:00:00 GMT"
NOT_MODIFIED = reply("304 Not Modified", b"")


def good(title, *headers, head=""):
    """A document of one item."""
    body = rss((title, title, f"http://127.0.0.1/{title}", "text")).replace(b"</title>", b"</title>" + head.encode(), 1)
    return reply("200 OK", body, "Content-Type: application/rss+xml", *headers)


# ---------------------------------------------------------------- what was seen


class UnseenError(LookupError):
    """The row did not come to pass."""


@dataclass
class Seen:
    """The requests of each run of one program, and the files that it keeps."""

    folder: Path
    runs: list = field(default_factory=list)
    port: int = 0
    secure: Far | None = None

    @property
    def all(self):
        return [asked for run in self.runs for asked in run]

    def nth(self, path, number):
        found = [asked for asked in self.all if asked.path == path]
        if len(found) <= number:
            raise UnseenError(path)
        return found[number]

    def after(self, path, etag):
        """The request that followed the first one with this ETag."""
        requests = [asked for asked in self.all if asked.path == path]
        for asked, following in pairwise(requests):
            if asked.one("If-None-Match") == etag:
                return following
        raise UnseenError(path)

    def echo(self, path, name):
        """What came back in this header; not every program sends it from the second request on."""
        self.nth(path, 2)
        return {value for asked in self.all if asked.path == path for value in asked.all(name)}

    def per_run(self, path):
        return [sum(asked.path == path for asked in run) for run in self.runs]

    def left_alone(self, *paths):
        """Asked in the first run and not again."""
        if not all(self.per_run(path)[0] for path in paths):
            raise UnseenError(paths)
        return all(self.per_run(path)[1:] == [0] * (RUNS - 1) for path in paths)

    def values(self, name):
        return {value for asked in self.all for value in asked.all(name)}

    def kept(self, title):
        files = (file for file in self.folder.rglob("*") if file.is_file())
        return any(title.encode() in file.read_bytes() for file in files)


# ---------------------------------------------------------------- the rows


@dataclass(frozen=True)
class Row:
    """Which feeds stand for a row, and how it is judged."""

    name: str
    script: dict  # path -> replies
    judge: Callable
    feeds: tuple  # those paths of the script that are given to the program


ROWS: list[Row] = []


def row(name, script=None, *, feeds=None):
    def keep(judge):
        ROWS.append(Row(name, script or {}, judge, tuple(script or ()) if feeds is None else feeds))
        return judge

    return keep


def known(etag, then, otherwise):
    """`then` for who sends this ETag, else `otherwise`."""
    return Decided(lambda asked: then if asked.one("If-None-Match") == etag.encode() else otherwise)


@row("V1", {"/V1": [good("V1", 'ETag: "abc"', f"Last-Modified: {DATE}"), NOT_MODIFIED]})
def _(seen):
    return seen.nth("/V1", 1).conditions == (b'"abc"', DATE.encode())


ETAGS = [b'W/"a"', b"bare", b'"with spaces"', '"گزارش"'.encode(), b'"' + b"x" * 1024 + b'"']


@row("V2", {f"/V2-{n}": [good(f"V2-{n}", b"ETag: " + etag)] for n, etag in enumerate(ETAGS)})
def _(seen):
    return all(seen.echo(f"/V2-{n}", "If-None-Match") == {etag} for n, etag in enumerate(ETAGS))


DATES = [
    b"Saturday, 01-Nov-25 10:00:00 GMT",
    b"sat, 01 nov 2025 10:00:00 gmt",
    b"Thu, 31 Dec 2041 23:59:59 GMT",
    b"Thu, 01 Jan 1970 00:00:00 GMT",
]


@row("V3", {f"/V3-{n}": [good(f"V3-{n}", b"Last-Modified: " + date)] for n, date in enumerate(DATES)})
def _(seen):
    return all(seen.echo(f"/V3-{n}", "If-Modified-Since") == {date} for n, date in enumerate(DATES))


BOTH = ('ETag: "1"', f"Last-Modified: {DATE}")


@row("V4", {"/V4": [known('"1"', good("V4b", 'ETag: "2"'), good("V4a", *BOTH))]})
def _(seen):
    return seen.after("/V4", b'"1"').conditions == (b'"2"', None)


@row("V5", {"/V5": [known('"1"', good("V5b"), good("V5a", *BOTH))]})
def _(seen):
    return seen.after("/V5", b'"1"').conditions == (None, None)


@row("V6", {"/V6": [known('"1"', good("V6b", 'ETag: "2"', BOTH[1]), good("V6a", *BOTH))]})
def _(seen):
    return seen.after("/V6", b'"1"').conditions == (b'"2"', DATE.encode())


@row("V7", {"/V7": [known('"1"', good("V7", 'ETag: "2"'), good("V7", 'ETag: "1"'))]})
def _(seen):
    return seen.after("/V7", b'"1"').one("If-None-Match") == b'"2"'


@row("V8", {"/V8": [known('"1"', reply("304 Not Modified", b"", 'ETag: "2"'), good("V8", *BOTH))]})
def _(seen):
    return seen.after("/V8", b'"1"').conditions == (b'"2"', DATE.encode())


@row("V9", {"/V9": [reply("304 Not Modified", b"", 'ETag: "trap"'), good("V9")]})
def _(seen):
    return seen.per_run("/V9")[0] == 1 and seen.nth("/V9", 1).conditions == (None, None)


BAD = {
    "cut": reply(
        "200 OK", rss(("V10cut", "V10cut", "", ""))[:-60], 'ETag: "bad"', "Content-Length: 9999", length=False
    ),
    "html": reply("200 OK", b"<html><body>log in</body></html>", 'ETag: "bad"', "Content-Type: text/html"),
}


def _broken_once(kind):
    """A good document, a broken one, and then one more item, which stays hidden from who kept the broken one's ETag."""
    told = []

    def answer(asked):
        tag = asked.one("If-None-Match")
        if tag == b'"good"' and not told:
            told.append(tag)
            return BAD[kind]
        return NOT_MODIFIED if tag == b'"bad"' else good(f"saved{kind}" if told else f"first{kind}", 'ETag: "good"')

    return Decided(answer)


@row("V10", {f"/V10{kind}": [_broken_once(kind)] for kind in BAD})
def _(seen):
    return all(seen.after(f"/V10{kind}", b'"good"') and seen.kept(f"saved{kind}") for kind in BAD)


@row(
    "V12",
    {"/V12": [known('"old"', moved("/V12new"), good("V12a", 'ETag: "old"'))], "/V12new": [good("V12b", 'ETag: "new"')]},
    feeds=("/V12",),
)
def _(seen):
    return (
        seen.nth("/V12new", 0).one("If-None-Match") is None
        and seen.after("/V12", b'"old"').one("If-None-Match") != b'"new"'
    )


@row("V13", {"/V13": [good("V13", 'ETag: "abc-gzip"')]})
def _(seen):
    return seen.echo("/V13", "If-None-Match") == {b'"abc-gzip"'}


@row("S1", {"/S1": [good("S1", "Cache-Control: max-age=43200")]})
def _(seen):
    return seen.left_alone("/S1")


@row("S2", {"/S2a": [good("S2a", 'Cache-Control: public , MAX-AGE="43200"')], "/S2b": [good("S2b", "Cache-Control: max-age=43200, max-age=1")],
            "/S2c": [good("S2c", "Cache-Control: s-maxage=1, max-age=43200")]})  # fmt: skip
def _(seen):
    return seen.left_alone("/S2a", "/S2b", "/S2c")


def _http_date(seconds):
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))


@row("S4", {"/S4": [Decided(lambda _: good("S4", f"Date: {_http_date(0)}", f"Expires: {_http_date(43_200)}"))]})
def _(seen):
    return seen.left_alone("/S4")


@row(
    "S7",
    {"/S7": [known('"1"', reply("304 Not Modified", b"", "Cache-Control: max-age=43200"), good("S7", 'ETag: "1"'))]},
)
def _(seen):
    requests = [asked.one("If-None-Match") for asked in seen.all if asked.path == "/S7"]
    if b'"1"' not in requests[: RUNS - 1]:
        raise UnseenError
    return requests.count(b'"1"') == 1


@row("S13", {"/S13": [good("S13")], "/S13/": [good("S13")]})
def _(seen):
    return seen.per_run("/S13")[0] + seen.per_run("/S13/")[0] == 1


@row("R1", {"/R1": [reply("429 Too Many", b"", "Retry-After: 3600")]})
def _(seen):
    return seen.left_alone("/R1")


@row("R2", {"/R2": [reply("429 Too Many", b"")]})
def _(seen):
    return seen.left_alone("/R2")


@row("R3", {"/R3": [reply("503 Busy", b"", "Retry-After: 3600")]})
def _(seen):
    return seen.left_alone("/R3")


@row("R4", {"/R4a": [good("R4a", "Retry-After: 3600")], "/R4b": [reply("403 No", b"", "Retry-After: 3600")]})
def _(seen):
    return seen.left_alone("/R4a", "/R4b")


@row("R8", {"/R8": [reply("410 Gone", b"")]})
def _(seen):
    return seen.left_alone("/R8")


@row("R9", {"/R9": [known('"good"', reply("500 Oops", b""), good("R9", 'ETag: "good"'))]})
def _(seen):
    return seen.after("/R9", b'"good"').one("If-None-Match") == b'"good"'


@row("R10", {"/R10": [reply("429 Too Many", b"", "Retry-After: 3600")]})
def _(seen):
    return seen.left_alone("/R10")


@row("D1", {"/D1": [moved("/D1new", "301 Moved")], "/D1new": [good("D1")]}, feeds=("/D1",))
def _(seen):
    if seen.per_run("/D1")[1] == 0 < seen.per_run("/D1new")[1]:
        return False  # believed at first sight
    raise UnseenError  # whether it is believed in time takes days


@row("D2", {"/D2": [moved("/D2new", "302 Found")], "/D2new": [good("D2")]}, feeds=("/D2",))
def _(seen):
    return min(seen.per_run("/D2")) == min(seen.per_run("/D2new")) == 1 and seen.kept("D2")


HOPS = {f"/D5-{n}": [moved(f"/D5-{n + 1}")] for n in range(6)} | {"/D5-6": [good("D5")]}
LOOP = {"/D5a": [moved("/D5b")], "/D5b": [moved("/D5a")], "/D5c": [moved("file:///etc/hostname")]}


@row("D5", HOPS | LOOP, feeds=("/D5-0", "/D5a", "/D5c"))
def _(seen):
    return seen.per_run("/D5a")[0] + seen.per_run("/D5b")[0] <= 6 and sum(seen.per_run("/D5-6")) == 0


def _to_another_host(asked):
    port = asked.one("Host").decode().rpartition(":")[2]
    return moved(f"http://127.0.0.1:{port}/D6away")


@row("D6", {"/D6login": [Decided(_to_another_host)], "/D6away": [good("D6")]}, feeds=("/D6login",))
def _(seen):
    return (
        seen.nth("/D6login", 0).one("Authorization") is not None and seen.nth("/D6away", 0).one("Authorization") is None
    )


@row(
    "D9",
    {"/D9a": [moved("/D9new", "300 Choices")], "/D9b": [reply("301 Moved", b"")], "/D9new": [good("D9")]},
    feeds=("/D9a", "/D9b"),
)
def _(seen):
    return sum(seen.per_run("/D9new")) == 0 and seen.per_run("/D9b")[0] == 1


NEW_URL = (
    '<x:new-feed-url xmlns:x="http://www.itunes.com/dtds/podcast-1.0.dtd">http://127.0.0.1/D10new</x:new-feed-url>'
)


@row("D10", {"/D10": [good("D10", head=NEW_URL)]})
def _(seen):
    return min(seen.per_run("/D10")) == 1


@row("Q1")
def _(seen):
    return {asked.line.split()[0] for asked in seen.all} == {"GET"} and not seen.values("Range")


@row("Q2")
def _(seen):
    agents = seen.values("User-Agent")
    return len(agents) == 1 and all(re.match(rb"(?!Mozilla)[\w.-]+/v?\d", agent) for agent in agents)


@row("Q3")
def _(seen):
    kinds = (b"application/atom+xml", b"application/rss+xml", b"rdf+xml", b"feed+json", b"application/xml")
    accepts = seen.values("Accept")
    return bool(accepts) and all(
        all(kind in accept for kind in kinds) and re.search(rb"\*/\*;\s*q=0", accept) for accept in accepts
    )


CODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}


def _coded(coding):
    def answer(asked):
        if coding not in (asked.one("Accept-Encoding") or b"").decode():
            return good(f"Q4{coding}")
        body = CODERS[coding](rss((f"Q4{coding}", f"Q4{coding}", "", "text")))
        return reply("200 OK", body, f"Content-Encoding: {coding}", "Content-Type: application/rss+xml")

    return Decided(answer)


@row("Q4", {f"/Q4{coding}": [_coded(coding)] for coding in CODERS})
def _(seen):
    return b"gzip" in seen.nth("/Q4gzip", 0).one("Accept-Encoding") and all(
        seen.kept(f"Q4{coding}") for coding in CODERS
    )


@row(
    "Q5",
    {"/Q5": [good("Q5", "Set-Cookie: id=1; Path=/")], "/Q5r": [moved("/Q5", "302 Found", "Set-Cookie: id=2; Path=/")]},
)
def _(seen):
    return not seen.values("Cookie")


@row("Q6", {"/Q6#part": []}, feeds=("/Q6#part",))
def _(seen):
    others = [asked for asked in seen.all if not asked.path.startswith("/D6")]  # where a login was given
    return not any(asked.all(name) for asked in others for name in ("Referer", "Authorization")) and all(
        asked.path == "/Q6" for asked in others if "Q6" in asked.path
    )


@row("Q7")
def _(seen):
    known = {path.partition("#")[0] for one in ROWS for path in one.script}
    return {asked.path for asked in seen.all} <= known


@row("Q8", {"/Q8": [good("Q8")]})
def _(seen):
    return seen.per_run("/Q8") == [1] * RUNS


@row("Q9")
def _(seen):
    return not seen.values("Cache-Control") and not seen.values("Pragma")


@row("X7")
def _(seen):
    if not seen.secure.greeted:
        raise UnseenError
    return not seen.secure.asked


SECRET = b'<!DOCTYPE rss [<!ENTITY x SYSTEM "http://127.0.0.1:%d/X8secret">]>'


def _with_entity(asked):
    port = int(asked.one("Host").decode().rpartition(":")[2])
    return reply(
        "200 OK",
        rss(("X8", "X8 &amp;x;", "", "")).replace(b"<rss", SECRET % port + b"<rss", 1).replace(b"&amp;x;", b"&x;"),
    )


@row("X8", {"/X8": [Decided(_with_entity)]})
def _(seen):
    return bool(seen.nth("/X8", 0)) and sum(seen.per_run("/X8secret")) == 0


@row(
    "P4",
    {
        "/P4": [
            good(
                "P4",
                head='<cloud domain="127.0.0.1" port="80" path="/P4rpc" registerProcedure="" protocol="http-post"/>',
            )
        ]
    },
)
def _(seen):
    return sum(seen.per_run("/P4rpc")) == 0
