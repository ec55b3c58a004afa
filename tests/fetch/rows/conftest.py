"""A world for each row."""

import tempfile
from pathlib import Path

import pytest
from polite import World
from support.inline import Inline

from aggregator import app

_MEMORY = Path("/dev/shm")  # simulated days are thousands of commits, and no row is about the disk
_PLACE = _MEMORY if _MEMORY.is_dir() else None


@pytest.fixture
async def world(monkeypatch):
    monkeypatch.setattr(app, "Workers", Inline)
    with tempfile.TemporaryDirectory(dir=_PLACE) as folder:
        made = World(Path(folder))
        await made.far.listen()
        yield made
        await made.close()
