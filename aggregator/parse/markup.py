"""The text or markup that stands in an XML element."""

from __future__ import annotations

import base64
import re
from html import escape

from lxml import etree

from aggregator.parse.entry import HTML, TEXT, Form
from aggregator.parse.names import ATOM10, Element, local

_XMLNS = re.compile(r""" xmlns(?::[\w.-]+)?=(?:"[^"]*"|'[^']*')""")


def text_of(node: Element, own: str) -> tuple[Form, str]:
    """The text or markup of an element, and which of both it is."""
    kind = (node.get("type") or "").strip().lower()
    if len(node):
        return HTML, _markup(node)
    text = node.text or ""
    if kind in {"", "text", "text/plain"} and (kind or own == ATOM10):
        form: Form = TEXT
    else:
        form = HTML
    if node.get("mode") == "base64" or (
        kind and "/" in kind and not kind.startswith("text/") and not kind.endswith("xml")
    ):
        return form, _from_base64(text)
    return form, text


def _markup(node: Element) -> str:
    """What stands inside an element, as HTML: no prefixes, no namespaces, no wrapping div."""
    only = node[0]
    if len(node) == 1 and local(only) == "div" and not (node.text or "").strip() and not (only.tail or "").strip():
        node = only
    for inner in node.iterdescendants("{*}*"):
        inner.tag = local(inner)
    parts = [escape(node.text or "", quote=False)]
    parts.extend(_XMLNS.sub("", etree.tostring(child, encoding="unicode")) for child in node)
    return "".join(parts)


def _from_base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=False).decode()
    except ValueError:  # not base64, or no text: an image inside a feed
        return ""
