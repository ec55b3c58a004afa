"""Content codings undone in bounded steps: a bomb is noticed before it is in memory."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Protocol

import brotli  # type: ignore[import-untyped]  # it ships no types

from aggregator.fetch.line import Fault
from aggregator.model import Reason

STEP_BYTES = 256 << 10
MAX_CODINGS = 2
_ZSTD_WINDOW_LOG = 23  # 8 MiB, all that a decoder of HTTP content must hold (RFC 9659)


class Stage(Protocol):
    """One coding being undone."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What `chunk` adds, in pieces of about `STEP_BYTES`. Raises what the library raises."""

    def complete(self) -> bool:
        """Whether the coded stream has come to its end."""


class Body:
    """The plain bytes of one answer, gathered from its coded chunks."""

    def __init__(self, content_encodings: Sequence[str], limit_bytes: int) -> None:
        """Raises `Fault` for a coding that was never asked for, and for more than two."""
        self._stages = [_stage(coding) for coding in reversed(_codings(content_encodings))]
        self._limit = limit_bytes
        self._plain: list[bytes] = []
        self._sizes = [0] * (len(self._stages) + 1)

    def feed(self, chunk: bytes) -> None:
        """Take one chunk from the wire. Raises `Fault` when it is broken or swells past the limit."""
        try:
            self._descend(chunk, 0)
        except (zlib.error, brotli.error, *_zstd_errors()) as failure:
            raise Fault(Reason.TRUNCATED, f"broken content coding: {failure}") from failure

    def end(self) -> None:
        """Raises `Fault` when a coded stream ends before its end."""
        if self._sizes[0] and not all(stage.complete() for stage in self._stages):
            raise Fault(Reason.TRUNCATED, "the compressed body ends early")

    def plain(self) -> bytes:
        """All that was decoded so far."""
        return b"".join(self._plain)

    def _descend(self, chunk: bytes, depth: int) -> None:
        self._sizes[depth] += len(chunk)
        if self._sizes[depth] > self._limit:
            raise Fault(Reason.TOO_LARGE, f"more than {self._limit} bytes decoded")
        if depth == len(self._stages):
            self._plain.append(chunk)
            return
        for piece in self._stages[depth].feed(chunk):
            self._descend(piece, depth + 1)


def accepted() -> str:
    """The value of Accept-Encoding: exactly what we decode."""
    return "gzip, deflate, br, zstd" if _zstd() else "gzip, deflate, br"


def _codings(content_encodings: Sequence[str]) -> list[str]:
    """The codings in the order they were applied."""
    named = [coding.strip().lower() for line in content_encodings for coding in line.split(",")]
    found = [coding for coding in named if coding not in {"", "identity"}]
    if len(found) > MAX_CODINGS:
        raise Fault(Reason.BAD_ENCODING, f"{len(found)} content codings")
    return found


def _stage(coding: str) -> Stage:
    if coding in {"gzip", "x-gzip"}:
        return _Gzip()
    if coding == "deflate":
        return _Deflate()
    if coding == "br":
        return _Brotli()
    if coding == "zstd" and (zstd := _zstd()):
        return _Zstd(zstd)
    raise Fault(Reason.BAD_ENCODING, f"unknown content coding {coding[:40]!r}")


class _Gzip:
    """One or more gzip members (RFC 1952 section 2.2); whatever follows them is padding."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._inflate.eof:
                if not chunk.startswith(b"\x1f"):
                    return
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield from _inflated(self._inflate, chunk)
            chunk = self._inflate.unused_data

    def complete(self) -> bool:
        return self._inflate.eof


class _Deflate:
    """Deflate as RFC 9110 says (inside zlib) and as some servers send it (bare)."""

    def __init__(self) -> None:
        self._inflate: zlib._Decompress | None = None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if not chunk:
            return
        if self._inflate is None:
            wrapped = chunk[0] & 0x0F == zlib.DEFLATED and chunk[0] >> 4 <= 7  # noqa: PLR2004 - RFC 1950 section 2.2
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        yield from _inflated(self._inflate, chunk)

    def complete(self) -> bool:
        return self._inflate is not None and self._inflate.eof


def _inflated(inflate: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    full = True
    while not inflate.eof and (chunk or full):
        piece = inflate.decompress(chunk, STEP_BYTES)
        full = len(piece) == STEP_BYTES  # then zlib may hold more although all input is taken
        chunk = inflate.unconsumed_tail
        if piece:
            yield piece


class _Brotli:
    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        more = bool(chunk)
        while more and not self._decompressor.is_finished():
            piece = self._decompressor.process(chunk, output_buffer_limit=STEP_BYTES)
            chunk = b""
            more = not self._decompressor.can_accept_more_data()
            if piece:
                yield piece

    def complete(self) -> bool:
        return bool(self._decompressor.is_finished())


class _Zstd:
    """One or more frames (RFC 8878 section 3)."""

    def __init__(self, zstd: Any) -> None:
        self._zstd = zstd
        self._decompressor = self._new()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._decompressor.eof:
                self._decompressor = self._new()
            more = True
            while more:
                piece = self._decompressor.decompress(chunk, STEP_BYTES)
                chunk = b""
                more = not (self._decompressor.needs_input or self._decompressor.eof)
                if piece:
                    yield piece
            chunk = self._decompressor.unused_data if self._decompressor.eof else b""

    def complete(self) -> bool:
        return bool(self._decompressor.eof)

    def _new(self) -> Any:
        window = self._zstd.DecompressionParameter.window_log_max
        return self._zstd.ZstdDecompressor(options={window: _ZSTD_WINDOW_LOG})


@cache
def _zstd() -> Any:
    """The zstd module of Python 3.14 or its backport, which comes with an extra of httpx2; None without either."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:  # then Accept-Encoding does not offer it
            continue
    return None


def _zstd_errors() -> tuple[type[Exception], ...]:
    zstd = _zstd()
    return (zstd.ZstdError,) if zstd else ()
