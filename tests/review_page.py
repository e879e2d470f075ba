"""Reads what stands on the page of a review, as a person would: by heading and by table."""

from __future__ import annotations

import re

_SMALL_PRINT = re.compile(r'<small>.*?</small>|<span class="bar">.*?</span>', re.DOTALL)


def rows_of(page: str, heading: str) -> list[list[str]]:
    """Read the table below a heading, without its first row and without small print."""
    table = page[page.index(f"<h2>{heading}</h2>") :]
    plain = _SMALL_PRINT.sub("", table[: table.index("</table>")])
    rows = re.findall(r"<tr.*?>(.*?)</tr>", plain, flags=re.DOTALL)
    return [
        [_text_of(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in rows[1:]
    ]


def tiles_of(page: str) -> dict[str, str]:
    """Read the figures at the top, by name."""
    found = re.findall(r'<div class="tile[^>]*>(.*?)<b>(.*?)</b>', page)
    return dict(found)


def _text_of(cell: str) -> str:
    return re.sub("<[^>]*>", "", cell).strip()
