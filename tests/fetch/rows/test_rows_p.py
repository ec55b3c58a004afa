# ruff: noqa: N802 - tests are named after the rows of docs/fetching.md
"""Rows P: extras of the protocol, and what the operator can see."""

import asyncio
import json
import sys

import pytest
from far_side import reply
from polite import HOUR, news

from aggregator.model import Trouble

pytestmark = pytest.mark.anyio


def archived(path, *numbers):
    link = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="prev-archive" href="{path}"/>'
    return reply("200 OK", news(*(f"item {number}" for number in numbers), head=link))


async def test_P1_after_a_gap_the_archive_is_walked_and_otherwise_not(world):
    world.far.on("/older", archived("/oldest", *range(5, 8)))
    world.far.on("/archive", archived("/older", *range(8, 12)))
    documents = (range(5, 10), range(6, 11), range(12, 17), range(13, 18))
    world.feed(*(archived(world.far.url("/archive"), *numbers) for numbers in documents), every="1h")
    await world.poll(2)
    assert {asked.path for asked in world.far.asked} == {"/feed"}, "there was no gap"
    await world.wait(5 * HOUR)
    assert {f"item {number}" for number in range(5, 18)} <= world.titles
    assert len(world.asked("/archive")) == 1
    assert not world.asked("/oldest"), "the walk went on past what is known"


async def test_P2_a_document_without_a_known_item_is_told_and_shrinks_the_interval(world):
    world.feed(*(reply("200 OK", news(*(f"item {day} {nth}" for nth in range(5)))) for day in range(8)))
    await world.poll()
    assert not world.troubles()
    await world.poll(6)
    assert world.troubles() == {Trouble.OVERFLOW}
    assert world.gaps()[-1] < world.gaps()[0] / 2


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
