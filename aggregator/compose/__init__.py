"""An alert or a notice put into words: excerpts of what was found, then mail, webhook, console and JSON forms. Pure.

Every form shows foreign text through the escaping of its sink (`text.escape`), so that no title can act.
"""

from aggregator.compose import letter, notices, records
from aggregator.compose.blocks import COLOURED, PLAIN, Paint, block, line
from aggregator.compose.letter import Mail
from aggregator.compose.notices import ADVICE
from aggregator.compose.records import record
from aggregator.compose.windows import excerpts
from aggregator.model import Message

__all__ = [
    "ADVICE", "COLOURED", "PLAIN", "Mail", "Paint", "block", "blocks_of", "excerpts", "line", "mail", "record", "webhook",
]  # fmt: skip


def mail(message: Message) -> Mail:
    """`message` as a mail."""
    return notices.mail(message) if message.notices else letter.mail(message)


def webhook(message: Message, *, minimal: bool) -> bytes:
    """The JSON body that tells `message`, the same on every attempt. A minimal one never holds a watched term."""
    tell = notices.webhook if message.notices else records.webhook
    return tell(message, minimal=minimal)


def blocks_of(message: Message, paint: Paint = PLAIN, columns: int | None = None) -> str:
    """`message` on a terminal or in a plain file."""
    if message.notices:
        return notices.block(message, paint)
    return "\n".join(block(alert, paint, columns) for alert in message.alerts)
