"""What we did wrong, or were told wrong. What the world does is data, never an exception.

AggregatorError                 exit code 1
├── ConfigError                 exit code 3: feeds.yaml cannot be used; carries every problem found
├── RuleError                   a watchlist rule cannot be read; carries the column
├── SelectorError               a CSS selector cannot be read
├── StoreError                  the database cannot be used
│   ├── StoreLocked             exit code 6: another daemon holds the database
│   └── LeaseLost               a late worker's write was refused; its work was done by another
└── UsageError                  exit code 2: a command was asked for something that does not exist
"""

from __future__ import annotations


class AggregatorError(Exception):
    """Something went wrong in the aggregator itself."""

    exit_code = 1

    def __str__(self) -> str:
        """The given message, or the first line of the class's docstring."""
        given = super().__str__()
        return given or (type(self).__doc__ or "").splitlines()[0]


class ConfigError(AggregatorError):
    """The configuration cannot be used."""

    exit_code = 3

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[str, ...]]]:
        """Rebuild from the problems, so that the error survives a process border."""
        return type(self), (self.problems,)


class RuleError(AggregatorError):
    """A watchlist rule cannot be read."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column  # code points from 1 in the rule's text

    def __reduce__(self) -> tuple[type[RuleError], tuple[str, int]]:
        """Rebuild from message and column, so that the error survives a process border."""
        return type(self), (str(self), self.column)


class SelectorError(AggregatorError):
    """A CSS selector cannot be read."""


class StoreError(AggregatorError):
    """The database cannot be used."""


class StoreLocked(StoreError):
    """Another daemon holds the database."""

    exit_code = 6


class LeaseLost(StoreError):
    """The lease ran out and another worker did the work."""


class UsageError(AggregatorError):
    """There is nothing of that name."""

    exit_code = 2
