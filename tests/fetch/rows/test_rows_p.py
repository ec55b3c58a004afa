# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Rows P: extras of the protocol, and what the operator can see."""

import asyncio
import json
import sys

import pytest
from far_side import reply
from polite import HOUR, news

pytestmark = pytest.mark.anyio


async def test_P4_a_cloud_element_is_ignored(world):
    world.feed(
        reply("200 OK", news("item", head='<cloud domain="127.0.0.1" port="9" path="/rpc" protocol="xml-rpc"/>'))
    )
    await world.days(2)
    assert world.titles == {"item"}
    assert {asked.path for asked in world.far.asked} == {"/feed"}


async def test_P5_each_feed_says_when_it_was_and_will_be_asked_and_why(world):
    world.feed(reply("200 OK", news("item"), "Cache-Control: max-age=36000"), name="News")
    await world.poll()
    command = [sys.executable, "-m", "aggregator", "feeds", "list", "--json", "--config", str(world.file)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    shown = json.loads((await process.communicate())[0])
    asked = world.asked()[0].at
    assert shown["visited"] == shown["new"] == shown["read"] == f"{asked:%Y-%m-%dT%H:%M:%SZ}"
    assert f"{asked + 10 * HOUR:%Y-%m-%dT%H}" <= shown["next"] <= f"{asked + 11 * HOUR:%Y-%m-%dT%H}"
    assert shown["why"] == "max_age"
