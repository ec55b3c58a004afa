"""HTML as text: what a reader would see, one line for each block.

Only the tokens of HTML count for that, not its tree, and tokens are read in linear time whatever a page holds. (A tree
builder cannot promise that: lexbor, by selectolax 1.0.2, took 3 s for 50,000 nested divs and did not end for 200,000.)
Where a browser loses text to a broken tag, the text stays: a monitor may show an odd sign, never miss a word.
"""

from __future__ import annotations

import html as entities
import re
from typing import Final

# The tokens follow the HTML standard, 13.2.5. All repeats are possessive and each start either matches or ends at the
# next "<": linear. A quotation mark counts only after "="; "<Q3 figures" without ">" or "=" is text.
_REST: Final = r"""(?:[^<>=]++|(?P<attribute>=)\s*+(?:"[^"]*+"|'[^']*+')?+)*+(?:>|(?(attribute)(?=<|\Z)|(?!)))"""
_SPECIAL: Final = re.compile(
    rf"""
    <(?:
      !--(?:-?>|.*?(?:--!?>|\Z))
    | !\[CDATA\[
    | (?:[!?]|/(?![a-zA-Z]))[^<>]*+>
    | (?=[iInNsS])(?i:
        (?P<raw>script|style|iframe|noembed|noframes)(?=[\s/>])[^>]*+
        (?:(?<=/)>|.*?(?:</(?P=raw)(?=[\s/>])[^>]*+>?|\Z))
      | (?P<image>img(?=[\s/]){_REST})
      )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_WITHIN_WORDS: Final = (  # all other tags part words
    "a(?:bbr|cronym)?|b(?:di|do|ig)?|c(?:ite|ode)|d(?:ata|el|fn)|em|font|i(?:ns)?|kbd|label|mark|nobr|q|"
    "r(?:b|t|p|uby)|s(?:amp|mall|pan|trike|trong|u[bp])?|t(?:ime|t)|u|var|wbr"
)
_INLINE: Final = re.compile(rf"</?(?:{_WITHIN_WORDS}|{_WITHIN_WORDS.upper()})(?=[\s/>]){_REST}")
_BLOCK: Final = re.compile(rf"</?[a-zA-Z][^\s/<>]*+{_REST}")
_ALT: Final = re.compile(r"""(?<=[\s"'/])alt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)

_ENTITY: Final = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")
_TAG: Final = re.compile(r"</?(?i:p|br|div|span|a|b|i|em|strong|li|ul|ol|h[1-6]|img)\b[^<>]*>")
_HUGE: Final = re.compile(r"&#[0-9]{9,};?")  # no character; int() refuses thousands of digits

_ZWNJ: Final = "\u200c"
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")  # but those that count as blanks
_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")


def plain(html: str) -> str:
    """The text of `html`: a line for each block, single spaces between words, no controls.

    Tags inside a word do not part it; images speak their alternative text; scripts, styles, frames and comments are
    silent. What was escaped twice is read twice. A text without tags keeps its own lines. Letters, zero-width
    non-joiners and direction marks stay; lone surrogates become U+FFFD. Never raises; linear in time.
    """
    text = _read(html)
    if _ENTITY.search(text) or _TAG.search(text):
        text = _read(text)
    return "\n".join(filter(None, map(_line, text.split("\n"))))


def _read(html: str) -> str:
    """`html` without tags, entities resolved."""
    text = html
    if "<" in html:
        flat = html.replace("\n", " ").replace("\r", " ")  # a line of the source is no line of the text
        text = _SPECIAL.sub(_spoken, flat)
        if "<![CDATA[" in flat:
            text = text.replace("]]>", "")
        text = _BLOCK.sub("\n", _INLINE.sub("", text))
        if text == flat:
            text = html
    if "&" not in text:
        return text
    return entities.unescape(_HUGE.sub("\ufffd", text) if "&#" in text else text)


def _spoken(found: re.Match[str]) -> str:
    """The alternative text of an image; nothing for all else that is not shown."""
    alt = _ALT.search(found["image"] or "")
    return f" {alt[alt.lastindex or 0]} " if alt else ""


def _line(text: str) -> str:
    """`text` with single spaces and without controls."""
    if "  " not in text and text.replace(_ZWNJ, "").isprintable():  # nearly always, and ten times faster
        return text.strip(" ")
    return _SURROGATES.sub("\ufffd", " ".join(_CONTROLS.sub("", text).split()))
