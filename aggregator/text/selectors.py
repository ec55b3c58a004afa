"""CSS selectors, as the XPath that lxml understands."""

from __future__ import annotations

from aggregator.errors import SelectorError


def xpath(selector: str) -> str:
    """The XPath of all elements that a CSS selector names.

    Raises:
        SelectorError: it is none; says why and where.
    """
    import cssselect  # noqa: PLC0415 - few feeds need it

    try:
        path: str = cssselect.HTMLTranslator().css_to_xpath(selector)
    except (cssselect.SelectorError, RecursionError) as error:
        raise SelectorError(f"is no CSS selector: {error}") from error
    return path
