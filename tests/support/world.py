"""A loopback web of feeds, pages and a webhook receiver whose ledger stands outside the system under test."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape


@dataclass
class World:
    """What the far sides serve and what they received. Change `pages` at any time."""

    pages: dict = field(default_factory=dict)  # path -> bytes, or (status, headers, bytes)
    asked: list = field(default_factory=list)  # (path, headers) of each GET
    received: list = field(default_factory=list)  # (webhook-id, body) of each POST that was read to its end
    receives: object = None  # called with each (webhook-id, body); returns the status to answer
    port: int = 0

    def url(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        world = self.server.world
        world.asked.append((self.path, dict(self.headers)))
        found = world.pages.get(self.path, (404, {}, b""))
        status, headers, body = found if isinstance(found, tuple) else (200, {}, found)
        if status == 200 and headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
            status, body = 304, b""
        self._answer(status, headers, body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        world = self.server.world
        name = self.headers["webhook-id"]
        world.received.append((name, json.loads(body)))
        self._answer(world.receives(name, body) if world.receives else 200, {}, b"")

    def _answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304 and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def start(world):
    """Serve `world` from a thread; call the returned function to stop."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.world = world
    world.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()

    def stop():
        server.shutdown()
        thread.join()
        server.server_close()

    return stop


def rss(*entries):
    """An RSS 2.0 document of (guid, title, link, description) entries."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{escape(guid)}</guid><title>{escape(title)}</title>"
        f"<link>{escape(link)}</link><description>{escape(text)}</description></item>"
        for guid, title, link, text in entries
    )
    return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>World</title>{items}</channel></rss>".encode()


def page(text):
    """An article page long enough to be one."""
    filler = (
        "The authorities in the province said on Monday that the families who had left the valley after the floods would be "
        "able to return before winter, and that schools and clinics would open again as soon as the road was repaired."
    )
    return (
        f"<html><head><title>Page</title></head><body><nav>Home</nav><article><h1>Page</h1><p>{filler}</p>"
        f"<p>{escape(text)}</p><p>{filler}</p></article></body></html>"
    ).encode()
