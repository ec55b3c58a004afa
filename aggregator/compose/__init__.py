"""An alert put into words: excerpts of what was found, then mail, webhook, console and JSON forms. Pure.

Every form shows foreign text through the escaping of its sink (`text.escape`), so that no title can act.
"""

from aggregator.compose.blocks import COLOURED, PLAIN, Paint, block, line
from aggregator.compose.letter import Mail, mail
from aggregator.compose.records import record, webhook
from aggregator.compose.windows import excerpts

__all__ = ["COLOURED", "PLAIN", "Mail", "Paint", "block", "excerpts", "line", "mail", "record", "webhook"]
