"""The table of docs/fetching.md and the tests of its rows say the same."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "fetching.md"
FAMILIES = {"V": 18, "S": 14, "R": 11, "D": 10, "Q": 12, "X": 11, "P": 5}
SAID = {"met", "not met", "not built"}
PEERS = {"yes", "no", "-"}


def table():
    """The cells of each row, by its id."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("|"))
    return {row[0]: row[1:] for row in cells if re.fullmatch(r"[A-Z]\d+", row[0])}


def row_tests():
    """Names of the rows' tests, and whether each is expected to fail."""
    paths = set((ROOT / "tests" / "fetch" / "rows").glob("test_*.py"))
    for path in sorted(path for path in paths if path.name != "test_hostile.py"):  # cases of another numbering
        tree = ast.parse(path.read_text(encoding="utf-8"))
        marks = {
            node.targets[0].id
            for node in tree.body
            if isinstance(node, ast.Assign) and "mark.xfail" in ast.unparse(node.value)
        }
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                said = [ast.unparse(decorator) for decorator in node.decorator_list]
                yield node.name, any(one in marks or "mark.xfail" in one for one in said)


def row_of(name):
    found = re.match(r"test_([A-Z]\d+)_", name)
    return found[1] if found else None


def test_the_table_has_every_row_in_its_order():
    assert list(table()) == [f"{family}{nth}" for family, most in FAMILIES.items() for nth in range(1, most + 1)]


def test_every_test_of_a_row_is_named_after_one_that_is_published():
    assert [name for name, _ in row_tests() if row_of(name) not in table()] == []


def test_every_row_has_a_test_of_its_name_or_says_that_it_is_not_built():
    tested = {row_of(name) for name, _ in row_tests()}
    assert {row for row, cells in table().items() if cells[2] != "not built"} == tested


def test_a_row_is_met_when_no_test_of_it_is_expected_to_fail():
    failing = {row_of(name) for name, fails in row_tests() if fails}
    assert {row for row, cells in table().items() if cells[2] == "not met"} == failing


@pytest.mark.parametrize("row", table())
def test_a_row_says_nothing_but_what_was_seen(row):
    _, _, ours, *others = table()[row]
    assert ours in SAID
    assert len(others) == 5
    assert set(others) <= PEERS


def test_the_sums_are_those_of_the_table():
    columns = zip(*(cells[3:] for cells in table().values()), strict=True)
    sums = [(column.count("yes"), len(column) - column.count("-")) for column in columns]
    said = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("Rows met"))
    assert [(int(met), int(seen)) for met, seen in re.findall(r"(\d+) of (\d+)", said)] == sums
