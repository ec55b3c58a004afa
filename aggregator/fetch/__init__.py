"""One polite, bounded, guarded GET. Nothing else in the program speaks to the web, but for delivery."""

from aggregator.fetch.client import Client
from aggregator.fetch.guard import is_local
from aggregator.fetch.line import Fault, Limits

__all__ = ["Client", "Fault", "Limits", "is_local"]
