"""Characters and references that XML does not know, and what was meant by them."""

from __future__ import annotations

import re
from html.entities import html5

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos);)(?:#(\d{1,8}|[xX][\da-fA-F]{1,7});|([A-Za-z]\w{1,31});|(#\w*;))?", re.ASCII
)
_ENTITY = re.compile(r"""<!ENTITY\s+([\w.-]{1,64})\s+["']([^"'&<%]{0,1000})["']\s*>""", re.ASCII)


def without_doctype(text: str) -> tuple[str, dict[str, str]]:
    """The document without its DOCTYPE, and the plain text entities that stood there. Others are never expanded."""
    start = text.find("<!DOCTYPE")
    end = text.find(">", start)
    if start < 0 or end < 0:
        return text, {}
    subset = text.find("[", start, end)
    if subset >= 0 and (close := text.find("]>", subset)) >= 0:
        end = close + 1
    return text[:start] + text[end + 1 :], dict(_ENTITY.findall(text[start:end]))


def with_references(text: str, entities: dict[str, str]) -> str:
    """`text` with references that XML knows: HTML's and the document's own by what they mean, a bare & as itself."""

    def reference(found: re.Match[str]) -> str:
        number, name, nonsense = found.groups()
        if number:
            code = int(number[1:], 16) if number[0] in "xX" else int(number)
            return f"&#{code};" if _is_character(code) else ""
        if nonsense:
            return ""
        if name in entities:
            return entities[name]
        if name and f"{name};" in html5:
            return html5[f"{name};"].replace("&", "&amp;").replace("<", "&lt;")
        return f"&amp;{found[0][1:]}"

    return _REFERENCE.sub(reference, text) if "&" in text else text


def _is_character(code: int) -> bool:
    """XML 1.0, production 2."""
    return code in {9, 10, 13} or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000  # noqa: PLR2004


_C1 = re.compile(r"&(amp;)?#(?:(1[2-5]\d)|[xX]0{0,6}([89][0-9a-fA-F]));|[\x80-\x9f]")


def modern(text: str) -> str:
    """`text` with C1 controls as the windows-1252 letters that were meant, as HTML reads them (13.2.5.80)."""

    def letter(found: re.Match[str]) -> str:
        code = int(found[2]) if found[2] else int(found[3], 16) if found[3] else ord(found[0])
        if not 0x80 <= code <= 0x9F:  # noqa: PLR2004 -- C1
            return found[0]
        meant = bytes((code,)).decode("cp1252", "ignore")
        return f"&amp;#x{ord(meant):x};" if found[1] and meant else meant  # what was escaped twice stays so

    return _C1.sub(letter, text)
