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
# next "<" or quotation mark: linear. A quotation mark counts only after "="; "<Q3 figures" without ">" or "=" is text.
# Against the standard, a quoted value may hold "<" only when what follows its end is a tag's: else its own end is lost,
# and a browser would take text for it up to the next quotation mark.
_QUOTED: Final = r"""(?:"[^"<]*+(?:"|<[^"]*+(?<!=)"(?=\s|/?>))|'[^'<]*+(?:'|<[^']*+(?<!=)'(?=\s|/?>)))"""
_REST: Final = rf"""(?:
    [^<>=]*+>
  | (?:[^<>="']*+="[^"<>]*+")++[^<>="']*+>
  | (?:[^<>=]++|(?P<attribute>=)\s*+{_QUOTED}?+)*+(?:>|(?(attribute)(?=<|\Z)|(?!)))
)"""
_SPECIAL: Final = re.compile(
    rf"""
    <(?:
      !(?:--(?:-?>|.*?(?:--!?>|\Z))|\[CDATA\[|[^<>]*+>)
    | \?[^<>]*+>
    | /(?![a-zA-Z])[^<>]*+>
    | [iInNsS](?<=(?P<first>.))(?i:
        (?P<raw>(?<=s)cript|(?<=s)tyle|(?<=i)frame|(?<=n)oembed|(?<=n)oframes)(?=[\s/>])[^>]*+
        (?:(?<=/)>|.*?(?:</(?P=first)(?P=raw)(?=[\s/>])[^>]*+>?|\Z))
      | (?P<image>(?<=i)mg(?=[\s/]){_REST})
      )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_WITHIN_WORDS: Final = (  # all other tags part words
    "a|s(?:trong|pan)|b|i|em|"  # these are most
    "a(?:bbr|cronym)|b(?:di|do|ig)|c(?:ite|ode)|d(?:ata|el|fn)|font|ins|kbd|label|mark|nobr|q|"
    "r(?:b|t|p|uby)|s(?:amp|mall|trike|u[bp])?|t(?:ime|t)|u|var|wbr"
)
_INLINE: Final = re.compile(rf"</?+(?:{_WITHIN_WORDS}|{_WITHIN_WORDS.upper()})(?:>|(?=[\s/]){_REST})", re.VERBOSE)
_BLOCK: Final = re.compile(
    rf"<(?:/?+[a-zA-Z][^<>=]*+>\s*+(?:</?+[a-zA-Z][^<>=]*+>\s*+)*+|/?+[a-zA-Z][^\s/<>]*+{_REST})", re.VERBOSE
)
_ALT: Final = re.compile(r"""(?<=[\s"'/])alt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)

_ENTITY: Final = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")
_TAG: Final = re.compile(r"</?(?i:p|br|div|span|a|b|i|em|strong|li|ul|ol|h[1-6]|img)\b[^<>]*>")
_HUGE: Final = re.compile(r"&#[0-9]{9,};?")  # no character; int() refuses thousands of digits

_BLANK: Final = b"\t\r\x0b\x0c\x1c\x1d\x1e\x1f"
_SPACES: Final = bytes.maketrans(_BLANK, b" " * len(_BLANK))
_SILENT: Final = bytes({*range(32), 127} - {*_BLANK, ord("\n")})
_ODD: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]")
_RUN: Final = re.compile("  +")


def plain(html: str) -> str:
    """The text of `html`: a line for each block, single spaces between words, no controls.

    Tags inside a word do not part it; images speak their alternative text; scripts, styles, frames and comments are
    silent. What was escaped twice is read twice. A text without tags keeps its own lines. Letters, zero-width
    non-joiners and direction marks stay; lone surrogates become U+FFFD. Never raises; linear in time.
    """
    text = _read(html)
    if ("&" in text and ";" in text and _ENTITY.search(text)) or ("<" in text and _TAG.search(text)):
        text = _read(text)
    text = _spaced(text)
    return "\n".join(filter(None, map(str.strip, text.split("\n")))) if "\n" in text else text.strip()


def _read(html: str) -> str:
    """`html` without tags, entities resolved."""
    text = html
    if "<" in html:
        flat = html.replace("\n", " ").replace("\r", " ")  # a line of the source is no line of the text
        text = _SPECIAL.sub(_spoken, flat)
        if flat.rfind("<![CDATA[") >= 0:  # from the end takes half the time
            text = text.replace("]]>", "")
        text = _BLOCK.sub("\n", _INLINE.sub("", text))
        if text == flat:
            text = html
    if "&" not in text:
        return text
    try:
        return entities.unescape(text)
    except ValueError:  # int() refuses thousands of digits
        return entities.unescape(_HUGE.sub("\ufffd", text))


def _spoken(found: re.Match[str]) -> str:
    """The alternative text of an image; nothing for all else that is not shown."""
    alt = _ALT.search(found["image"] or "")
    return f" {alt[alt.lastindex or 0]} " if alt else ""


def _spaced(text: str) -> str:
    """`text` with single spaces for blanks other than a line's end, and without controls."""
    if text.isascii():
        text = text.encode().translate(_SPACES, _SILENT).decode()
    else:
        text = text.replace("\xa0", " ").replace("\t", " ").replace("\r", " ")  # frequent ones, in a tenth of the time
        text = _ODD.sub(_usual, text)
    return _RUN.sub(" ", text) if text.rfind("  ") >= 0 else text


def _usual(odd: re.Match[str]) -> str:
    """A space for a blank, U+FFFD for a surrogate, nothing for a control."""
    return " " if odd[0].isspace() else "\ufffd" if odd[0] >= "\ud800" else ""
