"""
What preparations take of a budget. Whether it still holds follows from the state of the delivery.

Nothing has to be given back by a step that could be lost: a preparation that was replaced,
rejected, expired or has failed holds nothing any more, by the state alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements

_SQL = "reservations"


class Period(StrEnum):
    """What a limit is for."""

    DELIVERY = "per_delivery"
    DAY = "per_day"
    MONTH = "per_month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The most that may be reserved in one period. None: no limit."""

    period: Period
    parts: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a budget holds in some days."""

    parts: int = 0
    #: Of the reservations whose cost is known, whatever their currency.
    cost: Decimal = Decimal(0)
    #: Parts of reservations whose cost is not known.
    unpriced_parts: int = 0
    #: Currencies of the cost; more than one, or another one: the sum says nothing.
    currencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one preparation wants of a budget."""

    parts: int
    #: None: not known; limits in money are not looked at then.
    cost: Decimal | None = None
    #: Of the cost; an ISO 4217 code.
    currency: str = ""
    #: The day it is charged to, in the time zone of the budget.
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun:
    """A limit that a preparation would break: held + wanted > limit."""

    period: Period
    #: Parts, or money.
    is_money: bool
    limit: Decimal
    held: Decimal
    wanted: Decimal


def lock_budget(connection: Connection, budget: str) -> None:
    """Keep other preparations away from *budget* until the transaction ends."""
    connection.execute(statements(_SQL)["lock_budget"], {"budget": budget})


def read_held(
    connection: Connection, budget: str, *, period: Period, on: date, preparation: int = 0
) -> Held:
    """
    Read what *budget* holds in the period that the day *on* is in.

    Args:
        preparation: Not counted. 0: all are.

    Returns:
        Nothing held, for the period of one delivery.
    """
    if period is Period.DELIVERY:
        return Held()
    row = connection.execute(
        statements(_SQL)["held"],
        {
            "budget": budget,
            "first": on if period is Period.DAY else on.replace(day=1),
            "last": on if period is Period.DAY else _last_of_month(on),
            "preparation": preparation,
        },
    ).fetchone()
    assert row is not None
    return Held(**{**row, "currencies": tuple(row["currencies"])})


def _last_of_month(on: date) -> date:
    for day in (31, 30, 29):
        try:
            return on.replace(day=day)
        except ValueError:
            continue
    return on.replace(day=28)


def reserve(
    connection: Connection,
    delivery: Delivery,
    budget: str,
    *,
    limits: Sequence[Limit],
    wish: Wish,
) -> list[Overrun]:
    """
    Take of *budget* what the current preparation wants, unless a limit says no.

    Holds the budget until the transaction ends, so that of two preparations at once the second
    sees what the first has taken. Call it in the transaction that publishes the preparation: what
    is rolled back was never taken. Called again for the same preparation it replaces.

    Returns:
        Every limit that would be broken; nothing is taken then. Empty: it is reserved.
    """
    overruns = find_overruns(connection, delivery, budget, limits=limits, wish=wish)
    if not overruns:
        connection.execute(
            statements(_SQL)["write_reservation"],
            {
                "preparation": delivery.preparation,
                "delivery_no": delivery.no,
                "budget": budget,
                "on": wish.on,
                "parts": wish.parts,
                "cost": wish.cost,
                "currency": wish.currency,
            },
        )
    return overruns


def find_overruns(
    connection: Connection,
    delivery: Delivery,
    budget: str,
    *,
    limits: Sequence[Limit],
    wish: Wish,
) -> list[Overrun]:
    """Find the limits that ``reserve`` would refuse for; takes nothing, but holds the budget."""
    lock_budget(connection, budget)
    overruns = []
    for limit in limits:
        held = read_held(
            connection, budget, period=limit.period, on=wish.on, preparation=delivery.preparation
        )
        overruns += _overruns_of(limit, held, wish)
    return overruns


def _overruns_of(limit: Limit, held: Held, wish: Wish) -> list[Overrun]:
    asked: list[tuple[bool, Decimal | int | None, Decimal | int, Decimal | int | None]] = [
        (False, limit.parts, held.parts, wish.parts),
        (True, limit.cost, held.cost, wish.cost),
    ]
    return [
        Overrun(
            period=limit.period,
            is_money=is_money,
            limit=Decimal(most),
            held=Decimal(taken),
            wanted=Decimal(wanted),
        )
        for is_money, most, taken, wanted in asked
        if most is not None and wanted is not None and taken + wanted > most
    ]


def settle_stopped(connection: Connection, delivery: Delivery) -> bool:
    """
    Give back what a stopped delivery has not handed over.

    What the gateway accepted stays taken, and what nobody knows of too: both may be billed. What
    it refused, and what never left, does not. May be called at any time, again as well.

    Returns:
        False: nothing was done. The delivery is not stopped, has no reservation, or has messages
        that are not settled yet; all it had reserved still counts.
    """
    values = {"preparation": delivery.preparation, "delivery_no": delivery.no}
    sqls = statements(_SQL)
    if connection.execute(sqls["settleable"], values).fetchone() is None:
        return False
    return connection.execute(sqls["settle_stopped"], values).fetchone() is not None


def unsettled_stopped(store: Store) -> list[str]:
    """Name stopped deliveries that still hold all they had reserved."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["unsettled_stopped"]).fetchall()
    return [str(row["id"]) for row in rows]
