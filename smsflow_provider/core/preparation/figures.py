"""What the controls of a typology may ask of a preparation: its figures, in one row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final, Self, get_type_hints

import polars as pl

from smsflow_provider.core.preparation.typology import Occasion


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    The figures of one preparation. Every field is a name that ``fails_when`` may use.

    None is null: nobody knows. A control that meets it counts as failed.
    """

    #: People of the audience.
    targeted: int = 0
    #: People left out, for any reason.
    excluded: int = 0
    #: Messages that would leave.
    to_deliver: int = 0
    #: Left out: nothing stands in the phone column.
    no_address: int = 0
    #: Left out: not a number that can get a text.
    invalid_number: int = 0
    #: Left out: opted out.
    opted_out: int = 0
    #: Left out: in quarantine.
    quarantined: int = 0
    #: Left out: another row with the same number gets the message.
    duplicate: int = 0
    #: Left out by filters, and by the allow-list of the environment.
    filtered: int = 0
    #: Left out: in an excluded audience.
    excluded_audience: int = 0
    #: Held back as control group.
    control_group: int = 0
    #: Left out by pressure rules.
    pressure: int = 0
    #: Left out: beyond the size limit.
    size_limit: int = 0
    #: Left out: a field of the text is missing.
    missing_field: int = 0
    #: Left out: the text has too many parts.
    too_long: int = 0
    #: Parts of all messages.
    parts: int = 0
    #: Parts of the longest message.
    longest_parts: int = 0
    #: Messages in GSM-7.
    gsm7: int = 0
    #: Messages in UCS-2.
    ucs2: int = 0
    #: Estimated cost of all messages. Null: there is no price table, or a message has no price.
    cost: float | None = None
    #: Currency of the cost. Null: there is no price table.
    currency: str | None = None
    #: Messages without a price. Null: there is no price table.
    unpriced: int | None = None
    #: Countries of the numbers that get a message.
    countries: int = 0
    #: Languages of the messages.
    languages: int = 0
    #: Senders of the messages.
    senders: int = 0
    #: Sender of all messages. Null: they have several, or the gateway's own.
    sender: str | None = None
    #: ``marketing`` or ``transactional``.
    message_class: str = ""
    #: Name of the template.
    template: str = ""
    #: Airflow connection of the gateway.
    gateway: str = ""
    #: Id of the workflow. Empty: the delivery was made outside Airflow.
    workflow: str = ""
    #: Whether nothing will be handed over.
    dry_run: bool = False
    #: Day of the preparation in the typology's time zone.
    day: date | None = None
    #: Day of the week then: 1 for Monday to 7 for Sunday.
    weekday: int = 1
    #: Hour of the preparation then, 0 to 23.
    hour: int = 0

    @classmethod
    def of(cls, counted: Mapping[str, Any], *, occasion: Occasion, **others: Any) -> Self:
        """
        Read the figures of a delivery.

        Args:
            counted: ``excluded`` and ``encodings`` (counts by name), ``regions``, ``languages``,
                ``senders`` (by name), ``longest_parts`` and ``cost`` (see ``Estimate``), JSON
                values. What is not there is 0, or null.
            occasion: The delivery.
            others: Other fields by name: targeted, to_deliver, parts, day, …

        Example:
            >>> from smsflow_provider.core.model import MessageClass
            >>> marketing = Occasion(message_class=MessageClass.MARKETING)
            >>> Figures.of({"excluded": {"duplicate": 3}}, occasion=marketing, targeted=9).excluded
            3
        """
        excluded, cost = counted.get("excluded", {}), counted.get("cost") or {}
        senders = counted.get("senders", {})
        given = {
            **excluded,
            **counted.get("encodings", {}),
            **_money(cost),
            "excluded": sum(excluded.values()),
            "longest_parts": counted.get("longest_parts", 0),
            "countries": len(counted.get("regions", {})),
            "languages": len(counted.get("languages", {})),
            "senders": len(senders),
            "sender": next(iter(senders)) or None if len(senders) == 1 else None,
            "message_class": occasion.message_class.value,
            "template": occasion.template,
            "gateway": occasion.gateway,
            "workflow": occasion.workflow,
        }
        return cls(**{**given, **others})

    def as_frame(self) -> pl.DataFrame:
        """Write them as a frame of one row."""
        values = {each.name: [getattr(self, each.name)] for each in fields(self)}
        return pl.DataFrame(values, schema=FIGURE_TYPES)


def _money(cost: Mapping[str, Any]) -> dict[str, Any]:
    if cost.get("total") is None:
        return {}
    unpriced = sum(one["messages"] for one in cost.get("missing", ()))
    # A limit on what is known would let the unknown pass.
    total = None if unpriced else float(cost["total"])
    return {"cost": total, "currency": cost["currency"], "unpriced": unpriced}


def _type_of(annotation: Any) -> pl.DataType:
    kinds = {bool: pl.Boolean(), float: pl.Float64(), str: pl.String(), date: pl.Date()}
    return next(
        (kind for each, kind in kinds.items() if annotation in (each, each | None)), pl.Int64()
    )


#: Name and type of each figure.
FIGURE_TYPES: Final[Mapping[str, pl.DataType]] = {
    name: _type_of(annotation) for name, annotation in get_type_hints(Figures).items()
}
