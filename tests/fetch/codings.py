"""Content codings as a server makes them."""

import gzip
import zlib

import brotli

from aggregator.fetch import decoding

zstd = decoding._zstd()  # None where neither Python nor a package brings it: then it is not asked for


def bare_deflate(body):
    """Without the zlib header, as some servers send it."""
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(body) + deflate.flush()


CODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": bare_deflate,
    "br": brotli.compress,
} | ({"zstd": zstd.compress} if zstd else {})
