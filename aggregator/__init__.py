"""A news monitor for people who must not miss a story."""

__version__ = "0.1.0"
