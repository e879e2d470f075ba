"""Rows invented for a template that nobody has given rows for: people who do not exist."""

from __future__ import annotations

import re
from typing import Final

from smsflow_provider.core.content.template import Template

Row = dict[str, str | int | float]

#: What a field is about, by a word in its name, and a value for each of the three rows: a usual
#: one, a long one, and one outside GSM 7-bit.
_BY_WORD: Final[tuple[tuple[tuple[str, ...], tuple[str | int | float, ...]], ...]] = (
    (("first_name", "firstname", "prenom", "given"), ("Zoe", "Maximilienne", "Łucja")),
    (("name", "nom"), ("Martin", "Featherstonehaugh-Smith", "Wójcik")),
    (("date", "day", "until", "_at", "_on"), ("2026-12-24", "2026-12-31", "2026-12-28")),
    (
        ("url", "link"),
        ("https://example.com/a", "https://example.com/offers/spring", "https://example.com/b"),
    ),
    (("city", "town", "ville"), ("Lyon", "Saint-Germain-en-Laye", "Łódź")),
    (("shop", "store", "magasin"), ("Lyon 2", "Saint-Germain-en-Laye", "Łódź")),
    (("code", "voucher", "coupon"), ("SPRING20", "SPRING20-EXTRA", "SPRING20")),
    (("price", "amount", "total", "balance", "prix"), (19.9, 1249.5, 5.0)),
    (("count", "points", "number_of", "percent", "discount", "quantity"), (20, 12500, 5)),
    (("product", "item", "produit"), ("Oak chair", "Extendable dining table, oak", "Krzesło")),
)
_OTHER: Final = ("example", "a much longer example", "przykład")
_AS_NUMBER: Final = re.compile(r"\b(\w+)\s*\|\s*(?:money|int|float|round|abs)\b")
_AS_DATE: Final = re.compile(r"\b(\w+)\s*\|\s*date\b")
_MONEY: Final = (19.9, 1249.5, 5.0)
_DATES: Final = ("2026-12-24", "2026-12-31", "2026-12-28")


def example_rows(template: Template) -> list[Row]:
    r"""
    Invent rows that fill *template*: for each language a usual one, a long one, an accented one.

    Example:
        >>> from smsflow_provider.core.content.template import read_template
        >>> template = read_template("---\nsender: A\n---\nHi {{ first_name }}", name="hi")
        >>> [row["first_name"] for row in example_rows(template)]
        ['Zoe', 'Maximilienne', 'Łucja']
    """
    texts = "\n".join([*template.variants.values(), *template.blocks.values()])
    numbers, dates = set(_AS_NUMBER.findall(texts)), set(_AS_DATE.findall(texts))
    values = {name: _values(name, numbers=numbers, dates=dates) for name in template.fields}
    rows: list[Row] = [{name: values[name][place] for name in values} for place in range(3)]
    column = template.settings.language
    if column is None:
        return rows
    return [{**row, column: code} for code in template.variants for row in rows[:2]][:20]


def _values(name: str, *, numbers: set[str], dates: set[str]) -> tuple[str | int | float, ...]:
    if name in numbers:
        return _MONEY
    if name in dates:
        return _DATES
    lower = name.lower()
    return next((values for words, values in _BY_WORD if any(w in lower for w in words)), _OTHER)
