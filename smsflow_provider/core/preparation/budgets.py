"""
Budgets: the most a delivery, a day or a month may take, in money or in parts.

``budgets.yaml`` in the folder of rules. A delivery charges the budget it names, or ``default`` if
there is one. It is charged when it is prepared, on the day of its preparation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from smsflow_provider.core.content.problem import near
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.model import DeliveryKind
from smsflow_provider.core.preparation.budget_file import BudgetEntry, read_entries
from smsflow_provider.core.preparation.checks import Level, LogLine
from smsflow_provider.core.preparation.cost import Estimate, money
from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.reservations import (
    Limit,
    Overrun,
    Period,
    Wish,
    find_overruns,
    lock_budget,
    read_held,
    reserve,
)

#: Charged by a delivery that names none.
DEFAULT: Final = "default"
FILES: Final = ("budgets.yaml", "budgets.yml")
_WORDS: Final = {
    Period.DELIVERY: "for a delivery",
    Period.DAY: "for this day",
    Period.MONTH: "for this month",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One budget. Made by ``read_budgets``."""

    name: str
    limits: tuple[Limit, ...]
    #: Of the limits in money. Empty: there are none.
    currency: str = ""
    #: Where its days and months begin and end.
    time_zone: str = "UTC"

    @property
    def has_money(self) -> bool:
        """Whether a limit is in money."""
        return any(limit.cost is not None for limit in self.limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """All budgets of one installation."""

    by_name: Mapping[str, Budget]

    def find(self, name: str | None) -> Budget | None:
        """Find the budget a delivery charges: the one of *name*, ``default`` without one."""
        return self.by_name.get(name or DEFAULT)


def read_budgets(folder: Path) -> Budgets | None:
    """
    Read the budgets of a folder of rules.

    Returns:
        None: the folder has no such file; nothing is limited.

    Raises:
        ConfigError: The file cannot be used; ``problems`` tells all that is wrong.
    """
    found = [folder / name for name in FILES if (folder / name).is_file()]
    if not found:
        return None
    if len(found) > 1:
        raise ConfigError("there are two files of budgets: keep one", files=list(FILES))
    try:
        text = found[0].read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "the budgets cannot be read", file=found[0].name, cause=type(error).__name__
        ) from None
    return read_budgets_text(text, name=found[0].name)


def read_budgets_text(text: str, *, name: str = FILES[0]) -> Budgets:
    r"""
    Read budgets from the text of their file.

    Raises:
        ConfigError: See ``read_budgets``.

    Example:
        >>> budgets = read_budgets_text("default:\n  per_day: {parts: 1000, money: 50 EUR}\n")
        >>> budget = budgets.find("")
        >>> budget.currency, [(one.period.value, one.parts) for one in budget.limits]
        ('EUR', [('per_day', 1000)])
    """
    entries, problems = read_entries(text)
    if problems:
        ordered = sorted(problems, key=lambda problem: problem.line or 0)
        noun = "problem" if len(problems) == 1 else "problems"
        raise ConfigError(
            f"{len(problems)} {noun} in the budgets",
            file=name,
            problems=[problem.at(name) for problem in ordered],
        )
    return Budgets(by_name={one.name: _budget_of(one) for one in entries})


def _budget_of(entry: BudgetEntry) -> Budget:
    return Budget(
        name=entry.name,
        limits=tuple(entry.limits),
        currency=entry.currency,
        time_zone=entry.time_zone,
    )


def charge(
    connection: Connection,
    delivery: Delivery,
    budgets: Budgets | None,
    *,
    name: str | None = None,
    estimate: Estimate,
    now: datetime,
) -> list[LogLine]:
    """
    Reserve what a delivery will take of its budget.

    Call it in the transaction that publishes the preparation, before ``publish``: nothing is
    taken if that is rolled back. The budget is locked until the transaction ends. A dry run is
    measured against the limits and takes nothing. Direct texts and proofs are not charged.

    Args:
        budgets: None: there is no file.
        name: The budget the delivery names. None or empty: ``default``, if there is one.
        now: Says which day and month is charged; aware.

    Returns:
        Error lines: nothing is taken, and the preparation must fail. Otherwise one line that says
        what was taken, perhaps with a warning; none where no budget is charged.
    """
    if delivery.kind is not DeliveryKind.CAMPAIGN:
        return []
    budget = budgets.find(name) if budgets else None
    if budget is None:
        return [_unknown(name, budgets)] if name else []
    on = now.astimezone(ZoneInfo(budget.time_zone)).date()
    lock_budget(connection, budget.name)
    lines = _money_problems(budget, estimate)
    lines += _problems_of_held(connection, delivery, budget, on=on)
    wish = Wish(
        parts=estimate.parts,
        cost=estimate.total if estimate.is_complete else None,
        currency=estimate.currency,
        on=on,
    )
    ask = find_overruns if delivery.dry_run or _has_errors(lines) else reserve
    overruns = ask(connection, delivery, budget.name, limits=budget.limits, wish=wish)
    lines += [_over_budget(budget, one) for one in overruns]
    if _has_errors(lines):
        return lines
    return [*lines, _reserved(budget, delivery, estimate, on=on)]


def _has_errors(lines: Sequence[LogLine]) -> bool:
    return any(line.level is Level.ERROR for line in lines)


def _unknown(name: str, budgets: Budgets | None) -> LogLine:
    hint = near(name, budgets.by_name) if budgets else "there is no budgets.yaml"
    return LogLine(
        level=Level.ERROR,
        event=LogEvent.BUDGET_UNKNOWN,
        problem=f"there is no budget {name!r}" + (f": {hint}" if hint else ""),
        facts={"budget": name},
    )


def _money_problems(budget: Budget, estimate: Estimate) -> list[LogLine]:
    """Say why a limit in money cannot be checked."""
    if not budget.has_money:
        return []
    if not estimate.is_complete:
        lacking = sum(one.unpriced for one in estimate.missing)
        what = f"{lacking:,} messages have none" if estimate.missing else "there is no price table"
        return [
            LogLine(
                level=Level.ERROR,
                event=LogEvent.BUDGET_NEEDS_PRICES,
                problem=f"the budget {budget.name!r} is in money and needs prices: {what}",
                facts={
                    "budget": budget.name,
                    "messages": lacking,
                    "countries": [one.country for one in estimate.missing],
                },
            )
        ]
    if estimate.currency != budget.currency:
        return [_other_currency(budget, [estimate.currency], "the prices are")]
    return []


def _other_currency(budget: Budget, currencies: Sequence[str], what: str) -> LogLine:
    return LogLine(
        level=Level.ERROR,
        event=LogEvent.BUDGET_CURRENCY,
        problem=f"the budget {budget.name!r} is in {budget.currency}, {what} in"
        f" {', '.join(currencies)}: nothing is converted",
        facts={"budget": budget.name, "currency": budget.currency, "other": list(currencies)},
    )


def _problems_of_held(
    connection: Connection, delivery: Delivery, budget: Budget, *, on: date
) -> list[LogLine]:
    """Say what of this month's reservations a limit in money cannot see."""
    periods = {limit.period for limit in budget.limits if limit.cost is not None}
    if not periods - {Period.DELIVERY}:
        return []
    longest = Period.MONTH if Period.MONTH in periods else Period.DAY
    held = read_held(
        connection, budget.name, period=longest, on=on, preparation=delivery.preparation
    )
    others = sorted(set(held.currencies) - {budget.currency})
    lines = []
    if others:
        lines.append(_other_currency(budget, others, "what it holds is"))
    if held.unpriced_parts:
        lines.append(
            LogLine(
                level=Level.WARNING,
                event=LogEvent.BUDGET_UNPRICED,
                problem=f"the budget {budget.name!r} holds {held.unpriced_parts:,} parts of"
                " unknown cost, which its limit in money does not see",
                facts={"budget": budget.name, "parts": held.unpriced_parts},
            )
        )
    return lines


def _over_budget(budget: Budget, overrun: Overrun) -> LogLine:
    def shown(amount: Decimal) -> str:
        return money(amount, budget.currency) if overrun.is_money else f"{int(amount):,} parts"

    taken = f"{shown(overrun.held)} are taken and " if overrun.held else ""
    return LogLine(
        level=Level.ERROR,
        event=LogEvent.OVER_BUDGET,
        problem=f"over the budget {budget.name!r} {_WORDS[overrun.period]}:"
        f" {taken}{shown(overrun.wanted)} wanted, of {shown(overrun.limit)}",
        facts={
            "budget": budget.name,
            "period": overrun.period.value,
            "unit": budget.currency if overrun.is_money else "parts",
            "limit": _plain(overrun.limit),
            "held": _plain(overrun.held),
            "wanted": _plain(overrun.wanted),
        },
    )


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return re.sub(r"\.?0+$", "", text) if "." in text else text


def _reserved(budget: Budget, delivery: Delivery, estimate: Estimate, *, on: date) -> LogLine:
    wanted = f"{estimate.parts:,} parts"
    facts: dict[str, Any] = {"budget": budget.name, "on": on.isoformat(), "parts": estimate.parts}
    if estimate.is_complete and estimate.total is not None:
        wanted = f"{wanted} for {money(estimate.total, estimate.currency)}"
        facts |= {"cost": str(estimate.total), "currency": estimate.currency}
    are = "would be" if delivery.dry_run else "are"
    return LogLine(
        level=Level.INFO,
        event=LogEvent.BUDGET_DRY_RUN if delivery.dry_run else LogEvent.BUDGET_RESERVED,
        problem=f"{wanted} {are} taken of the budget {budget.name!r}",
        facts=facts,
    )
