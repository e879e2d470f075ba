"""The opt-out mention of marketing texts, put where it lacks, by country."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from smsflow_provider.core.content.opt_out_mention import MENTION_PATTERN
from smsflow_provider.core.content.settings import OptOutPolicy, TemplateSettings
from smsflow_provider.core.model import MessageClass
from smsflow_provider.core.preparation.typology import Typology

_MENTION: Final = re.compile(MENTION_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """What is added to texts that do not say how to opt out."""

    #: Whether texts need a mention at all: marketing, and the policy is not ``none``.
    is_needed: bool
    #: Whether one is added; else it is only looked for.
    is_added: bool
    #: The mention of countries without one of their own. None: there is none.
    general: str | None = None
    #: ISO 3166 code to mention.
    by_country: Mapping[str, str] = field(default_factory=dict)

    def added(self, texts: pl.Series, *, region: pl.Series) -> tuple[pl.Series, pl.Series]:
        """
        Add the mention to texts that lack it.

        Args:
            texts: Rendered texts; null where there is none.
            region: The country of each recipient.

        Returns:
            The texts, and whether each has a mention now. Texts that need none count as having it.
        """
        if not self.is_needed:
            return texts, pl.repeat(True, len(texts), eager=True)
        has_one = mentioning(texts)
        if not self.is_added or has_one.all():
            return texts, has_one
        mention = self._mentions_of(region)
        has_one |= _contain(texts, mention)
        gap = pl.when(texts.str.contains(r"[ \n]$")).then(pl.lit("")).otherwise(pl.lit(" "))
        with_one = pl.select(
            pl.when(has_one | mention.is_null()).then(texts).otherwise(texts + gap + mention)
        ).to_series()
        return with_one, has_one | mention.is_not_null()

    def _mentions_of(self, region: pl.Series) -> pl.Series:
        written = region.cast(pl.String)
        return written.replace_strict(
            dict(self.by_country), default=self.general, return_dtype=pl.String
        )


def mentioning(texts: pl.Series) -> pl.Series:
    """
    Tell which texts say how to opt out; of null, true.

    Most texts of a template end alike. What the first one ends with is looked for before the
    pattern, which costs some thirty times as much.

    Example:
        >>> mentioning(pl.Series(["Sale! STOP 36111", "Stop by!", None])).to_list()
        [True, False, True]
    """
    found = texts.is_null()
    ending = _ending_of(texts)
    if ending:
        found |= texts.str.ends_with(ending).fill_null(True)
    places = (~found).arg_true()
    return found.scatter(places, texts.gather(places).str.contains(MENTION_PATTERN))


def _ending_of(texts: pl.Series) -> str:
    """
    Give the mention the first text ends with, with the character before it; empty: none.

    Whatever ends with it has a mention: the pattern looks at no more than these characters and
    the end.
    """
    first = texts.drop_nulls().head(1).to_list()
    match = _MENTION.search(first[0]) if first else None
    if match is None or match.start() == 0 or match.end() != len(first[0]):
        return ""
    return match[0]


def mentions_of(settings: TemplateSettings, typology: Typology) -> Mentions:
    """Say what a template needs; where it names no mention itself, its typology may."""
    policy = settings.opt_out_policy
    general, by_country = typology.mentions(settings)
    return Mentions(
        is_needed=settings.message_class is MessageClass.MARKETING
        and policy is not OptOutPolicy.NONE,
        is_added=policy is OptOutPolicy.ADD,
        general=general,
        by_country=by_country,
    )


def _contain(texts: pl.Series, mention: pl.Series) -> pl.Series:
    """Whether each text holds its mention; no mention is not held."""
    frame = pl.DataFrame({"text": texts, "mention": mention})
    held = pl.col("text").str.contains(pl.col("mention"), literal=True)
    return frame.select(held.fill_null(False)).to_series()
