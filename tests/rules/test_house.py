"""The rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.fetch import dns
from aggregator.store import network

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "aggregator").rglob("*.py"))
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX|VIRTUAL)|PRAGMA)\s",
    re.DOTALL,
)
READING_PATH = ("ingest.py", "fetch/client.py", "parse/__init__.py", "watch/evaluate.py", "store/items.py", "outbox.py")


def texts(path):
    """Every string of a module that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_sql_stands_in_the_store_and_nowhere_else():
    outside = [
        f"{path.relative_to(ROOT)}: {text[:60]}"
        for path in MODULES
        if "store" not in path.relative_to(ROOT / "aggregator").parts
        for text in texts(path)
        if SQL.search(text)
    ]
    assert outside == []


def test_the_search_for_sql_finds_some_in_the_store():
    found = [text for path in MODULES if "store" in path.parts for text in texts(path) if SQL.search(text)]
    assert len(found) > 20


def code_lines(path):
    """Lines that hold code: no blanks, comments or docstrings."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    prose = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose.update(range(node.lineno, node.end_lineno + 1))
    return sum(
        1
        for number, line in enumerate(source.splitlines(), 1)
        if number not in prose and line.strip() and not line.strip().startswith("#")
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_grows_past_its_ceiling(path):
    assert code_lines(path) <= 300


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_is_longer_than_sixty_lines(path):
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1})"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 60
    ]
    assert long == []


def test_one_item_can_be_followed_through_six_files_of_1500_lines():
    lines = {name: len((ROOT / "aggregator" / name).read_text(encoding="utf-8").splitlines()) for name in READING_PATH}
    assert sum(lines.values()) <= 1500, lines


def test_the_readme_names_the_reading_path():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in READING_PATH if name not in readme] == []


BROAD = {  # where every exception is caught, and why
    "aggregator/work.py": "round a unit of work: logged, and due again",
    "aggregator/fetch/wire.py": "what the HTTP library raises becomes a reason, all else rises again",
    "aggregator/parse/__init__.py": "one bad entry must not cost its neighbours: it is rejected and counted",
    "aggregator/parse/fallback.py": "feedparser raises kinds that nobody lists",
}


def test_broad_excepts_stand_only_where_a_reason_is_written():
    broad = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name) and node.type.id == "Exception"
    ]
    assert {place.split(":")[0] for place in broad} == set(BROAD), broad


def test_imports_go_down_the_layers_only():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_nothing_of_a_machine_or_a_registry_is_written_down():
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    private = re.compile(rb"(?<![\w.])/(work|farm|root)/|index-url|hosted\.org|registry\.np")
    found = [
        name for name in names if name != "tests/rules/test_house.py" and private.search((ROOT / name).read_bytes())
    ]
    assert found == []


def test_the_store_waits_out_what_the_resolver_remembers():
    """Two rooms that may not import each other know one number."""
    assert network.NAMES_KEPT >= dns.KEPT
