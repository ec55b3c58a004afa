"""The nouns, each with one meaning. This page is the glossary.

*feed document*: the bytes of one fetch. *item*: an entry of a feed; *revision*: a changed text under the same
identity. *article*: the text read from the item's page. *story*: one text wherever it stands (revisions, syndicated
copies). *term*: a leaf of a rule and the unit that is told: a concept name or one folded keyword. *hit*: a term at a
place. *alert*: a watchlist and a story. *trouble*: what keeps a feed or a watchlist from being watched. *notice*: a
trouble that began or ended. *delivery*: an alert or a notice owed to one recipient of one channel. *message*: what is
sent, one or more deliveries.

All records are frozen. Times are aware UTC datetimes; None means "unknown", never "failed".
"""

from __future__ import annotations

from aggregator.model.documents import Enclosure, FieldName, Item, Older, ParsedFeed, Rejected
from aggregator.model.findings import Excerpt, Finding, Hit, StoryMarks
from aggregator.model.outcomes import Failed, Fetched, Hints, NotModified, Outcome, Reason, Request, Validators
from aggregator.model.rhythm import Doubt, Due, History, Observation, Pace
from aggregator.model.telling import Alert, Message, NotDelivered, Receipt, Route
from aggregator.model.troubles import Notice, Standing, Trouble
from aggregator.model.units import ArticleLease, Document, FeedLease, OutcomeName, Reading, StandIn, Visit, VisitReport

__all__ = [
    "Alert",
    "ArticleLease",
    "Document",
    "Doubt",
    "Due",
    "Enclosure",
    "Excerpt",
    "Failed",
    "FeedLease",
    "Fetched",
    "FieldName",
    "Finding",
    "Hints",
    "History",
    "Hit",
    "Item",
    "Message",
    "NotDelivered",
    "NotModified",
    "Notice",
    "Observation",
    "Older",
    "Outcome",
    "OutcomeName",
    "Pace",
    "ParsedFeed",
    "Reading",
    "Reason",
    "Receipt",
    "Rejected",
    "Request",
    "Route",
    "StandIn",
    "Standing",
    "StoryMarks",
    "Trouble",
    "Validators",
    "Visit",
    "VisitReport",
]
