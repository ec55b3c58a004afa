r"""Foreign text made safe for one line of a terminal, a mail header, a log, or a mail body.

What could act is shown in place of acting, as a visible escape such as `\x1b` or `\u202e`: control characters,
bidirectional overrides, embeddings and isolates, and lone surrogates, which no encoder takes. Letters, ZWNJ and ZWJ
stay, and so do the harmless marks LRM, RLM and ALM (98 ALM in 39 real Afghan files, 2026-11). Nothing is dropped.
"""

from __future__ import annotations

_BREAKS = "\t\n\v\f\r\x85\u2028\u2029"
_STEERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # unbalanced ones reorder what follows
_CONTROLS = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029"]
_SURROGATES = map(chr, range(0xD800, 0xE000))
_SHOWN = {ord(c): c.encode("unicode_escape").decode() for c in (*_CONTROLS, *_STEERING, *_SURROGATES)}
_LINE = _SHOWN | dict.fromkeys(map(ord, _BREAKS), " ")


def terminal(text: str) -> str:
    """`text` as one line that a terminal only prints: line breaks and tabs become spaces, controls are shown."""
    return text.translate(_LINE)


def body(text: str) -> str:
    """`text` as one line of a mail body; HTML still needs its own escaping on top."""
    return text.translate(_LINE)


def header(text: str) -> str:
    r"""`text` as the value of a mail header: no line break, no control, and nothing that reads as an encoded word.

    The standard library decodes `=?utf-8?q?...?=` when a header is set, so that a title could smuggle in a line
    break; its opening is shown as `=\x3f`.
    """
    return " ".join(text.translate(_LINE).split()).replace("=?", "=\\x3f")


def log(text: str) -> str:
    """`text` as part of one log record: line breaks are shown, not turned into spaces."""
    return text.translate(_SHOWN)


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` code points, ending with an ellipsis when something is missing.

    It is cut at a space when one stands in the last fifth.
    """
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    space = kept.rfind(" ", limit * 4 // 5)
    return (kept[:space] if space > 0 else kept).rstrip() + "…"
