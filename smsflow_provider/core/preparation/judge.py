"""Judge a whole preparation: what the levelled log says once every message is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from smsflow_provider.core.content.template import Template
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.preparation.checks import LogLine, check
from smsflow_provider.core.preparation.controls import check_controls
from smsflow_provider.core.preparation.cost import Estimate
from smsflow_provider.core.preparation.figures import Figures
from smsflow_provider.core.preparation.prices import PriceTable
from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.preparation.tally import Tally
from smsflow_provider.core.preparation.typology import occasion_of


def judge(
    tally: Tally,
    cost: Estimate,
    *,
    figures: Mapping[str, Any],
    template: Template,
    settings: PreparationSettings,
    dialects: Sequence[Dialect],
    prices: PriceTable | None,
    now: datetime,
) -> list[LogLine]:
    """
    Say all there is to say, except about the budget.

    Args:
        cost: Of the messages that *tally* counted.
        figures: The figures of both, as the delivery keeps them.
        dialects: Of the gateways that may carry the messages, the delivery's own first.
        now: When it is prepared; aware.
    """
    return [
        *check(tally, template=template, settings=settings, dialects=dialects),
        *cost.lines(),
        *(prices.notes(now.date()) if prices else ()),
        *_controlled(tally, figures, template=template, settings=settings, now=now),
    ]


def _controlled(
    tally: Tally,
    counted: Mapping[str, Any],
    *,
    template: Template,
    settings: PreparationSettings,
    now: datetime,
) -> list[LogLine]:
    """Ask the control rules of the typology."""
    occasion = occasion_of(
        template.settings,
        template=template.name,
        gateway=settings.gateway,
        workflow=settings.workflow,
    )
    there = now.astimezone(ZoneInfo(settings.typology.time_zone))
    figures = Figures.of(
        counted,
        occasion=occasion,
        targeted=tally.targeted,
        to_deliver=tally.to_deliver,
        parts=tally.parts,
        dry_run=settings.dry_run,
        day=there.date(),
        weekday=there.isoweekday(),
        hour=there.hour,
    )
    return check_controls(settings.typology.controls(occasion), figures)
