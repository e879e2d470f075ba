"""From a kept recipient to a text: render, transliterate, measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from smsflow_provider.core.content.encoding import (
    MAX_PARTS,
    encoding_of,
    measure,
    part_boundaries,
)
from smsflow_provider.core.content.render import Failed, Missing, Renderer
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.content.transliteration import transliterate
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.model import Encoding

#: Units in each part of a text of several: 140 octets less a header of 6 (3GPP TS 23.040).
_FULL_PART: Final = {Encoding.GSM7: 153, Encoding.UCS2: 67}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One rendered text, measured."""

    body: str = field(repr=False)
    encoding: Encoding
    #: Septets or UTF-16 units.
    units: int
    parts: int
    #: The gateway cuts this text inside a character: what arrives may be broken.
    is_cut: bool = False


class Personaliser:
    """Renders rows of one template for one gateway."""

    def __init__(self, template: Template, *, dialect: Dialect) -> None:
        self._template = template
        self._dialect = dialect
        self._renderer = Renderer(template)

    def texts(
        self, rows: Mapping[str, Sequence[object]], *, count: int
    ) -> list[Text | Missing | Failed]:
        """Render *count* rows given as columns; each is a text, or what keeps it from being one."""
        return [
            self._measured(one) if isinstance(one, str) else one
            for one in self._renderer.render_chunk(rows, count=count)
        ]

    def _measured(self, rendered: str) -> Text | Failed:
        body = transliterate(rendered, self._template.settings.transliteration)
        if not body.strip():
            return Failed(reason="the text is empty")
        encoding = encoding_of(body)
        split = self._dialect.splitting[encoding].value
        try:
            size = measure(body, split=split)
        except ValueError:
            return Failed(reason=f"more than {MAX_PARTS} parts")
        return Text(
            body=body,
            encoding=encoding,
            units=size.units,
            parts=size.parts,
            is_cut=size.parts > 1 and split == "unit" and _is_cut(body, encoding),
        )


def _is_cut(body: str, encoding: Encoding) -> bool:
    """Whether cutting by units puts a boundary inside a surrogate pair (or an escape pair)."""
    # Cut with its pairs whole, a part is one unit short exactly where a pair would be cut.
    starts = [0, *part_boundaries(body, split="code_point")]
    full = _FULL_PART[encoding]
    return any(_units(body[start:end], encoding) < full for start, end in pairwise(starts))


def _units(text: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return measure(text).units
    return len(text.encode("utf-16-be")) // 2
