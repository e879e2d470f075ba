"""What rendering needs to know of a template in one language: plain values, nothing to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The text of one language. Pickles; made by ``Template.variant``, checked already."""

    #: As BCP 47 writes it. Empty: the template names no language.
    language: str
    #: The Jinja text, with its includes.
    body: str
    #: Names the text reads from the row, sorted.
    fields: tuple[str, ...]
    #: Those of ``fields`` a recipient must have; see ``core.content.fields`` for the rule.
    required: tuple[str, ...]
    #: Field to the text that stands in for a blank one.
    defaults: Mapping[str, str]
    #: Name to text of every block it takes, those within blocks as well.
    blocks: Mapping[str, str]
    #: Line of the file at which the body begins, for the reasons of failed rows.
    first_line: int = field(default=1, compare=False)
