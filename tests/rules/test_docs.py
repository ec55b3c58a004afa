"""What the pages say is so: commands exist and run, links lead somewhere, named tests exist, recipes are valid."""

import logging
import os
import re
import shlex
import shutil
import subprocess
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from support import world as web
from typer.testing import CliRunner

from aggregator import compose, config, watch
from aggregator.cli import COMMANDS, app, load
from aggregator.demo.stories import OUTLETS, WATCHED
from aggregator.model import Alert, Item, Reason, Trouble

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").glob("*.md")])
UNIT = ROOT / "docs" / "ops" / "aggregator.service"
DOCKERFILE = ROOT / "docs" / "ops" / "Dockerfile"
EVERYWHERE = {"--help", "-h", "--config", "--version"}
LONG = {"demo", "run"}  # tests/pipeline/test_demo.py and tests/cli/test_cli_process.py run them


def text(page):
    return page.read_text(encoding="utf-8")


def named(page):
    return str(page.relative_to(ROOT))


def code_lines(page):
    """Lines of code blocks, comments gone and continued lines joined."""
    for block in re.findall(r"(?ms)^```(?:sh|console)?\n(.*?)^```", text(page)):
        for line in block.replace("\\\n", " ").splitlines():
            yield re.sub(r"(^|\s+)#.*", "", line).removeprefix("$ ").strip()


def inline_code(page):
    return re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```", "", text(page)))


def aggregator_calls(page):
    """The arguments of every `aggregator ...` that a page names."""
    call = re.compile(
        r"^(?:sudo -u aggregator |docker run .* (?=aggregator [a-z])|docker exec \w+ |)(?:\S*/)?aggregator ([^|>&]+)"
    )
    for line in (*code_lines(page), *inline_code(page)):
        if found := call.match(line):
            yield found[1].strip()


def fault(call):
    """What is wrong with a call: a command or an option that there is not."""
    words = re.sub(r"--config \S+", "--config", call).translate(str.maketrans("", "", "[]")).split()
    options = {word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1}
    names = [word for word in words if not word.startswith("-")]
    known = set(EVERYWHERE)
    if names:
        if names[0] not in COMMANDS:
            return names[0] != "COMMAND"
        command = load(names[0])
        if hasattr(command, "commands") and len(names) > 1:
            if names[1] not in command.commands:
                return True
            command = command.commands[names[1]]
        known.update(option for param in command.params for option in param.opts)
    return bool(options - known)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_that_a_page_names_exists(page):
    assert [call for call in aggregator_calls(page) if fault(call)] == []


@pytest.mark.parametrize("call", ["ftech", "feeds lost", "status --jsno", "--config x.yaml db chekc"])
def test_a_command_that_does_not_exist_is_seen(call):
    assert fault(call)


def test_the_readme_names_enough_commands_to_prove_anything():
    assert len(list(aggregator_calls(ROOT / "README.md"))) > 15


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_make_target_that_a_page_names_exists(page):
    targets = set(re.findall(r"(?m)^([a-z]+):", text(ROOT / "Makefile")))
    asked = {
        found[1] for line in (*code_lines(page), *inline_code(page)) if (found := re.match(r"make ([a-z]+)", line))
    }
    assert asked <= targets


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_file_that_a_page_runs_or_installs_exists(page):
    paths = {
        word for line in code_lines(page) for word in re.findall(r"(?<![\w/.])(?:bench|docs|tests)/[\w./-]+", line)
    }
    assert [path for path in paths if not (ROOT / path).exists()] == []


# ---------------------------------------------------------------- links


def slugs(page):
    """The anchors that headings get."""
    headings = re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", text(page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    """Targets inside the repository, as (path, anchor)."""
    prose = re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", text(page))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_inside_leads_somewhere(page):
    broken = [
        f"{path}#{anchor}"
        for path, anchor in links(page)
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in slugs(path))
    ]
    assert broken == []


def test_every_page_can_be_reached_from_the_readme():
    seen, todo = set(), deque([ROOT / "README.md"])
    while todo:
        page = todo.popleft()
        if page not in seen and page.suffix == ".md":
            seen.add(page)
            todo.extend(path for path, _ in links(page))
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} <= seen


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_test_that_a_page_names_as_proof_exists(page):
    missing = [
        f"{path}::{name}"
        for path, name in re.findall(r"(tests/[\w/]+\.py)::(\w+)", text(page))
        if not (ROOT / path).exists() or not re.search(rf"(?m)^(?:async )?def {name}\(", text(ROOT / path))
    ]
    assert missing == []


# ---------------------------------------------------------------- the quick start, run


@pytest.fixture
def newsroom():
    """What stands behind the starter's addresses, on loopback."""
    world = web.World()
    stop = web.start(world)
    world.pages["/rss.xml"] = web.rss(("1", "Taliban issue a decree", world.url("/1"), "It was read in Kabul."))
    world.pages["/1"] = web.page("It promises a general amnesty.")
    world.pages["/fa/rss.xml"] = web.rss(("2", "باران در هرات", world.url("/2"), ""))
    yield world
    stop()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to stand in, where loopback may be asked."""
    for name in [name for name in os.environ if name.startswith("AGGREGATOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AGGREGATOR_NETWORK__ALLOW_PRIVATE_FEEDS", "true")
    monkeypatch.setenv("AGGREGATOR_NETWORK__PORTS", "any")
    monkeypatch.setenv("AGGREGATOR_POLLING__HOST_GAP", "0s")
    monkeypatch.chdir(tmp_path)
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield tmp_path
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


def test_the_commands_of_the_readme_do_what_it_says(here, newsroom):
    (here / "article.txt").write_text("The Taliban speak of relocation.")
    calls = list(dict.fromkeys(aggregator_calls(ROOT / "README.md")))
    assert [call for call in calls if call in {"init", "config check", "fetch"}] == ["init", "config check", "fetch"]
    said = {}
    for call in calls:
        if call.split()[0] in LONG or call.startswith(("feeds add", "feeds import")):
            continue
        words = shlex.split(call.replace(" ID", " 1").replace(" NAME", " TOLOnews").replace(" FILE", " copy.db"))
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0, f"aggregator {call}: {done.output}"
        said[call] = done.stdout
        if call == "init":
            starter = here / "feeds.yaml"
            starter.write_text(text(starter).replace("https://tolonews.com", newsroom.url("")), encoding="utf-8")
    assert "*general amnesty*" in said["fetch"]
    assert "sent" in said["alerts show ID"]
    assert (here / "copy.db").exists()


def guiding_alert():
    """The demo's guiding case as an alert, at fixed times."""
    outlet = next(outlet for outlet in OUTLETS if outlet.slug == "courier")
    story = outlet.stories[0]
    item = Item(
        title=story.title, summary=story.summary, article="\n".join((story.title, *story.page)),
        link="https://courier.example/press-conference", lang="en", published=datetime(2026, 11, 24, 8, 5, tzinfo=UTC),
    )  # fmt: skip
    return outlet, item


def test_the_alert_in_the_readme_is_what_is_sent(tmp_path):
    path = tmp_path / "feeds.yaml"
    path.write_text(
        WATCHED.replace("[desk, hook]", "[screen]") + "channels: {screen: {type: console}}\n", encoding="utf-8"
    )
    loaded = config.load(path)
    outlet, item = guiding_alert()
    hits = watch.compile(loaded.watchlists, loaded.concepts).hits(item)
    watchlist = next(one for one in loaded.watchlists if one.name == hits[0].watchlist)
    seen = datetime(2026, 11, 24, 8, 11, tzinfo=UTC)
    alert = Alert(
        id="1", watchlist=watchlist.name, label=watchlist.label, severity=watchlist.severity, item="1", story="1",
        feed=outlet.name, title=item.title, link=item.link, lang=item.lang, published=item.published, first_seen=seen,
        created=seen, update=False, terms=hits, excerpts=compose.excerpts(item, hits),
    )  # fmt: skip
    assert compose.block(alert) in text(ROOT / "README.md")
    assert compose.block(replace(alert, severity="low")) not in text(ROOT / "README.md")


def test_the_picture_shows_the_demo_and_asks_nobody_for_anything():
    picture = text(ROOT / "docs" / "demo.svg")
    words = re.sub(r"<[^>]*>", "", picture).replace("&#160;", " ")
    assert OUTLETS[0].stories[0].title in words
    assert "Every promised alert arrived exactly once." in words
    assert re.findall(r"url\((?!#)|@font-face|@import|<script|<image|href", picture) == []


# ---------------------------------------------------------------- decisions and changes


def decisions():
    return re.findall(r"(?ms)^## (\d+)\. (.+?)\n(.*?)(?=^## |\Z)", text(ROOT / "docs" / "decisions.md"))


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(number) for number, _, _ in decisions()]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    ("title", "body"), [pytest.param(title, body, id=number) for number, title, body in decisions()]
)
def test_every_decision_has_its_four_parts(title, body):
    parts = dict(re.findall(r"(?ms)^\*(Question|Decision|Figures|Would change it)\.\*\s*(.*?)(?=^\*|\Z)", body))
    assert {part for part, words in parts.items() if len(words.split()) > 1} == {
        "Question", "Decision", "Figures", "Would change it",
    }, title  # fmt: skip


def test_fragments_are_named_by_their_change_and_say_something():
    fragments = [path for path in (ROOT / "changelog.d").iterdir() if not path.name.startswith(".")]
    assert [
        path.name for path in fragments if not re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed)\.md", path.name)
    ] == []
    assert [path.name for path in fragments if len(text(path).split()) < 4] == []


# ---------------------------------------------------------------- recipes


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_the_systemd_unit_is_valid_and_tight(tmp_path):
    program = tmp_path / "aggregator"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / UNIT.name
    unit.write_text(text(UNIT).replace("/opt/aggregator/bin/aggregator", str(program)))

    def analyze(*args):
        return subprocess.run(["systemd-analyze", *args, unit], capture_output=True, text=True, check=False)

    verified = analyze("verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    exposed = analyze("security", "--offline=yes", "--threshold=15")  # tenths; 14 when written
    assert exposed.returncode == 0, exposed.stdout[-2000:]


def test_the_unit_and_the_image_run_a_command_that_exists():
    assert re.search(r"(?m)^ExecStart=/opt/aggregator/bin/aggregator run$", text(UNIT))
    recipe = text(DOCKERFILE)
    calls = re.findall(r'(?m)^(?:CMD|HEALTHCHECK .* CMD) \["(?:aggregator", ")?(\w+)"\]', recipe)
    assert calls == ["status", "run"]
    assert [call for call in calls if fault(call)] == []


def test_the_image_is_pinned_and_runs_as_nobody_in_particular_with_one_volume():
    recipe = text(DOCKERFILE)
    bases = re.findall(r"(?m)^FROM (\S+)", recipe)
    assert len(bases) == 2
    assert [
        base for base in bases if not re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    ] == []
    assert "--constraint constraints.txt" in recipe
    last_stage = recipe.rpartition("\nFROM ")[2]
    assert re.findall(r"(?m)^USER (.+)$", last_stage) == ["10001:10001"]
    assert re.findall(r"(?m)^VOLUME (.+)$", last_stage) == ["/monitor"]


def test_the_image_is_made_of_what_is_there_and_sees_nothing_private():
    sources = [
        word for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", text(DOCKERFILE)) for word in line.split()[:-1]
    ]
    assert [name for name in sources if not (ROOT / name).exists()] == []
    ignored = text(DOCKERFILE.with_name("Dockerfile.dockerignore")).splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == set(sources)


# ---------------------------------------------------------------- troubles


def test_every_trouble_has_a_row_in_the_runbook_and_words_for_the_operator():
    runbook = text(ROOT / "docs" / "ops" / "README.md").partition("in trouble\n")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| `([a-z-]+)` \|(.+)\|(.+)\|(.+)\|$", runbook)
    assert [kind for kind, *_ in rows] == list(Trouble)
    assert compose.ADVICE.keys() == set(Trouble)
    assert [kind for kind, *words in rows if not all(word.strip() for word in words)] == []


def test_every_reason_has_a_row_in_the_runbook():
    runbook = text(ROOT / "docs" / "ops" / "README.md").partition("was not read\n")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| `([a-z_0-9]+)` \|(.+)\|(.+)\|$", runbook)
    assert [reason for reason, *_ in rows] == list(Reason)
    assert [reason for reason, *words in rows if not all(word.strip() for word in words)] == []


def test_the_commands_that_an_advice_names_exist():
    calls = [call for _, advice in compose.ADVICE.values() for call in re.findall(r"`aggregator ([^`]+)`", advice)]
    assert len(calls) > 3
    assert [call for call in calls if fault(call)] == []
