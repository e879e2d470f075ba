"""What a delivery will cost: an estimate from its parts by country and sender."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.preparation.checks import Level, LogLine
from smsflow_provider.core.preparation.prices import PriceTable, Rate

#: (region, sender, messages, parts)
Count = tuple[str, str, int, int]

#: Countries that one log line names; the figures name all.
_NAMED: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryCost:
    """One country's share of the cost."""

    #: ISO 3166 code. Empty: numbers of no country.
    country: str
    messages: int
    parts: int
    #: Of the messages that have a price. None: none has one.
    cost: Decimal | None
    #: The different prices of one part, lowest first.
    prices: tuple[Decimal, ...]
    #: Messages without a price; their parts.
    unpriced: int
    unpriced_parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The cost of one delivery before anything is sent: every part, as if all were accepted."""

    messages: int
    parts: int
    #: Empty: there is no price table.
    currency: str
    as_of: date | None
    #: Of what has a price: the delivery costs at least this. None: there is no price table.
    total: Decimal | None
    #: Most parts first.
    countries: tuple[CountryCost, ...]
    #: The lines of the price table that were used, with the countries they were used for.
    rates: tuple[Rate, ...]

    @property
    def missing(self) -> tuple[CountryCost, ...]:
        """Countries with messages that have no price. Empty without a price table."""
        if self.total is None:
            return ()
        return tuple(one for one in self.countries if one.unpriced)

    @property
    def is_complete(self) -> bool:
        """Whether every message has a price, so that the total is all it costs."""
        return self.total is not None and not self.missing

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON values; amounts are texts, so that nobody rounds them."""
        return {
            "currency": self.currency,
            "as_of": self.as_of and self.as_of.isoformat(),
            "total": None if self.total is None else str(self.total),
            "is_complete": self.is_complete,
            "countries": [_country_dict(one) for one in self.countries],
            "missing": [
                {"country": one.country, "messages": one.unpriced, "parts": one.unpriced_parts}
                for one in self.missing
            ],
            "rates": [
                {"country": one.country, "sender": one.sender, "price": str(one.price)}
                for one in self.rates
            ],
        }

    def lines(self) -> list[LogLine]:
        """Say what it costs, and who has no price; empty without a price table."""
        if self.total is None:
            return []
        return [*self._missing_lines(), self._cost_line()]

    def _missing_lines(self) -> list[LogLine]:
        if not self.missing:
            return []
        messages = sum(one.unpriced for one in self.missing)
        named = ", ".join(one.country or "no country" for one in self.missing[:_NAMED])
        more = len(self.missing) - _NAMED
        places = f"{named} and {more} more" if more > 0 else named
        return [
            LogLine(
                level=Level.WARNING,
                event=LogEvent.PRICE_MISSING,
                problem=f"{_numbers(messages)} have no price: {places}",
                facts={
                    "numbers": messages,
                    "parts": sum(one.unpriced_parts for one in self.missing),
                    "countries": {one.country: one.unpriced for one in self.missing},
                },
            )
        ]

    def _cost_line(self) -> LogLine:
        assert self.total is not None
        least = "" if self.is_complete else "at least "
        return LogLine(
            level=Level.INFO,
            event=LogEvent.COST,
            problem=f"{self.parts:,} parts cost {least}{money(self.total, self.currency)}",
            facts={
                "total": str(self.total),
                "currency": self.currency,
                "is_complete": self.is_complete,
                "as_of": self.as_of and self.as_of.isoformat(),
            },
        )


def estimate(counts: Iterable[Count], prices: PriceTable | None) -> Estimate:
    """
    Estimate the cost of messages that were counted by country and sender.

    Args:
        counts: ``(region, sender, messages, parts)``; the same pair may come more than once.
        prices: None: only the parts are counted.

    Example:
        >>> table = PriceTable(currency="EUR", as_of=date(2026, 11, 1),
        ...                    prices={("FR", "*"): Decimal("0.045")})
        >>> found = estimate([("FR", "ACME", 2, 3), ("BR", "ACME", 1, 1)], table)
        >>> str(found.total), found.is_complete, [one.country for one in found.missing]
        ('0.135000', False, ['BR'])
    """
    sums: dict[str, _Sum] = {}
    rates: dict[tuple[str, str], Rate] = {}
    for region, sender, messages, parts in counts:
        rate = None if prices is None else prices.rate_of(region, sender)
        price = None if rate is None else rate.price
        sums.setdefault(region, _Sum()).add(messages, parts, price)
        if rate is not None:
            rates[region, rate.sender] = Rate(country=region, sender=rate.sender, price=rate.price)
    countries = sorted(
        (one.country_cost(country) for country, one in sums.items()),
        key=lambda one: (-one.parts, one.country),
    )
    costs = [one.cost for one in countries if one.cost is not None]
    return Estimate(
        messages=sum(one.messages for one in countries),
        parts=sum(one.parts for one in countries),
        currency=prices.currency if prices else "",
        as_of=prices.as_of if prices else None,
        total=_exact(sum(costs, Decimal(0))) if prices else None,
        countries=tuple(countries),
        rates=tuple(rates[key] for key in sorted(rates)),
    )


def money(amount: Decimal, currency: str) -> str:
    """
    Write an amount for people: two decimals, more where it would read as nothing.

    Example:
        >>> money(Decimal("1234.5"), "EUR"), money(Decimal("0.0045"), "EUR")
        ('1,234.50 EUR', '0.0045 EUR')
    """
    rounded = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    if amount and abs(amount) < Decimal("0.01"):
        return f"{amount.normalize():f} {currency}"
    return f"{rounded:,.2f} {currency}"


class _Sum:
    """One country while it is counted."""

    def __init__(self) -> None:
        self.messages = self.parts = self.unpriced = self.unpriced_parts = 0
        self.cost = Decimal(0)
        self.prices: set[Decimal] = set()

    def add(self, messages: int, parts: int, price: Decimal | None) -> None:
        self.messages += messages
        self.parts += parts
        if price is None:
            self.unpriced += messages
            self.unpriced_parts += parts
        else:
            self.prices.add(price)
            self.cost += price * parts

    def country_cost(self, country: str) -> CountryCost:
        return CountryCost(
            country=country,
            messages=self.messages,
            parts=self.parts,
            cost=_exact(self.cost) if self.prices else None,
            prices=tuple(sorted(self.prices)),
            unpriced=self.unpriced,
            unpriced_parts=self.unpriced_parts,
        )


def _exact(amount: Decimal) -> Decimal:
    """Write an amount with the six decimals of the store; prices have no more."""
    return amount.quantize(Decimal("0.000001"))


def _country_dict(one: CountryCost) -> dict[str, Any]:
    return {
        "country": one.country,
        "messages": one.messages,
        "parts": one.parts,
        "prices": [str(price) for price in one.prices],
        "cost": None if one.cost is None else str(one.cost),
    }


def _numbers(count: int) -> str:
    return "1 number" if count == 1 else f"{count:,} numbers"
