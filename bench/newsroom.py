"""A loopback server of many feeds, in a process of its own: `python bench/newsroom.py FEEDS ITEMS BYTES`.

Prints its port, then serves /feed/N.xml with an ETag until its standard input closes. Each line it reads there adds one
new item to every feed. Texts are made from a fixed seed: three quarters Latin letters, one quarter Persian.
"""

import asyncio
import random
import sys
from html import escape

LATIN = ["the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on", "not", "he", "his", "but", "at", "are", "this", "have", "from", "which", "one", "had", "or", "government", "council", "province", "school", "winter", "road", "district", "families", "officials", "market", "doctors", "harvest", "border", "minister", "report", "water", "bridge", "teachers", "payment", "village", "hospital", "court", "season", "radio", "prices"]  # fmt: skip
PERSIAN = ["و", "در", "به", "از", "که", "این", "را", "با", "است", "برای", "آن", "یک", "خود", "تا", "بر", "هم", "نیز", "دولت", "مردم", "ولایت", "مکتب", "زمستان", "سرک", "ولسوالی", "خانواده", "بازار", "داکتر", "سرحد", "وزیر", "گزارش", "آب", "پل", "معلم", "قریه", "شفاخانه", "محکمه", "فصل", "رادیو", "قیمت"]  # fmt: skip
SPICE = ["Taliban", "general amnesty", "relocation", "طالبان", "عفو عمومی"]


def text(rng, size):
    words, length = [], 0
    while length < size:
        pick = rng.random()
        word = rng.choice(SPICE) if pick < 0.00002 else rng.choice(PERSIAN if pick > 0.8 else LATIN)
        words.append(word)
        length += len(word.encode()) + 1
    return " ".join(words)


def item(feed, number, size):
    rng = random.Random(feed * 100_000 + number)
    body = "".join(f"<p>{text(rng, size // 5)}</p>" for _ in range(5))
    hour, minute = divmod(number % 1440, 60)
    return (
        f"<item><title>{text(rng, 60)}</title><link>http://127.0.0.1/f{feed}/i{number}</link>"
        f"<guid isPermaLink='false'>f{feed}-i{number}</guid>"
        f"<pubDate>Mon, 02 Nov 2026 {hour:02}:{minute:02}:00 GMT</pubDate><description>{escape(body)}</description></item>"
    )


class Newsroom:
    def __init__(self, feeds, items, size):
        self.items, self.size, self.new = items, size, 0
        self.bodies = {}
        self.prepare(feeds)

    def prepare(self, feeds):
        for feed in range(feeds):
            entries = "".join(item(feed, n, self.size) for n in range(self.new + self.items - 1, self.new - 1, -1))
            self.bodies[f"/feed/{feed}.xml"] = (
                "<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel>"
                f"<title>Feed {feed}</title><link>http://127.0.0.1/f{feed}</link><description>bench</description>{entries}"
                "</channel></rss>"
            ).encode()

    def more(self):
        self.new += 1
        self.prepare(len(self.bodies))

    async def serve(self, reader, writer):
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                lines = request.decode("latin-1").split("\r\n")
                path = lines[0].split(" ")[1]
                asked = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
                writer.write(self.answer(path, asked.get("if-none-match")))
                await writer.drain()
                if asked.get("connection", "").lower() == "close":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, path, known):
        body = self.bodies.get(path)
        if body is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        tag = f'"{self.new}"'
        if known == tag:
            return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nETag: {tag}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


async def main(feeds, items, size):
    room = Newsroom(feeds, items, size)
    server = await asyncio.start_server(room.serve, "0.0.0.0", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        room.more()
        print("more", flush=True)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
