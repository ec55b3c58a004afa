"""Rounds of the real program that die where they are told to; see zygote.py."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def started():
    """A function that has one round run, killed at the given place, and says how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "support.zygote"], cwd=Path(__file__).parents[1], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip

    def order(path, at_statement=None, after_receipt=None, minutes=0, split=False):
        line = {
            "config": str(path), "at_statement": at_statement, "after_receipt": after_receipt, "minutes": minutes,
            "split": split,
        }  # fmt: skip
        process.stdin.write(json.dumps(line) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield order
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()
