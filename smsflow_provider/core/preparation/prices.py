"""
What a part costs, by country and sender: one file, with the date of its prices.

``prices.csv`` or ``prices.yaml`` in the folder of rules. Money is decimal from the file to the
store, never a binary fraction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Final

from smsflow_provider.core.content.problem import Problem
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.preparation.checks import Level, LogLine
from smsflow_provider.core.preparation.price_rows import (
    Facts,
    PriceRow,
    read_csv_rows,
    read_yaml_rows,
)
from smsflow_provider.core.preparation.price_words import (
    read_country,
    read_currency,
    read_date,
    read_price,
    read_sender,
)

#: The files a folder of rules may hold, at most one of them.
FILES: Final = ("prices.csv", "prices.yaml", "prices.yml")
#: Any country, or any sender.
ANY: Final = "*"
#: Prices older than this, in days, are used and noted.
OLD_AFTER_DAYS: Final = 180

_DIGITS = re.compile(r"[0-9]+")


class SenderKind(StrEnum):
    """What a sender is; a price may be for all of a kind."""

    #: A name of up to 11 characters.
    ALPHANUMERIC = "alphanumeric"
    #: A number or a short code.
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One line of the table, found for a message."""

    #: ISO 3166 code, or ``*``.
    country: str
    #: A sender as ``sender_key`` writes it, a ``SenderKind``, or ``*``.
    sender: str
    #: Of one part, 0 or more, at most six decimals.
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """The prices of one currency on one day. Made by ``read_prices``."""

    #: ISO 4217 code.
    currency: str
    #: The day of the prices; of several in a file the oldest.
    as_of: date
    #: (country or ``*``, sender or its kind or ``*``) to the price of one part.
    prices: Mapping[tuple[str, str], Decimal] = field(repr=False)

    def rate_of(self, country: str, sender: str = "") -> Rate | None:
        """
        Find the line that fits best: first by country, then by sender, then by its kind.

        Args:
            country: ISO 3166 code. Empty: a number of no country, which only ``*`` fits.
            sender: As the message has it. Empty: the gateway's own, which only ``*`` fits.

        Returns:
            None: the table has no price for it.
        """
        for place in (country, ANY):
            for pattern in patterns_of(sender):
                price = self.prices.get((place, pattern))
                if price is not None:
                    return Rate(country=place, sender=pattern, price=price)
        return None

    def price_of(self, country: str, sender: str = "") -> Decimal | None:
        """
        Find the price of one part.

        Example:
            >>> table = PriceTable(currency="EUR", as_of=date(2026, 11, 1), prices={
            ...     ("FR", "*"): Decimal("0.045"), ("FR", "acme"): Decimal("0.05"),
            ...     ("*", "*"): Decimal("0.10")})
            >>> [str(table.price_of(*one)) for one in [("FR", "ACME"), ("FR", ""), ("BR", "")]]
            ['0.05', '0.045', '0.10']
        """
        rate = self.rate_of(country, sender)
        return None if rate is None else rate.price

    def notes(self, on: date) -> list[LogLine]:
        """Say that the prices are old on the day *on*, or of a day to come; empty: neither."""
        days = (on - self.as_of).days
        if -1 <= days <= OLD_AFTER_DAYS:  # the file's author may live a time zone ahead
            return []
        words = f"{days} days old" if days > 0 else "of a day to come"
        return [
            LogLine(
                level=Level.INFO,
                event=LogEvent.PRICES_OLD if days > 0 else LogEvent.PRICES_EARLY,
                problem=f"the prices are {words}",
                facts={"as_of": self.as_of.isoformat(), "days": days},
            )
        ]


def sender_key(sender: str) -> str:
    """
    Write a sender so that two spellings of one are the same.

    Example:
        >>> sender_key("+33612345678"), sender_key(" Acme ")
        ('33612345678', 'acme')
    """
    return sender.strip().lstrip("+").lower()


def patterns_of(sender: str) -> tuple[str, ...]:
    """
    Give what a line of the table may say to fit *sender*, the best first.

    A sender that is called ``number`` like the kind has no line of its own.

    Example:
        >>> patterns_of("ACME"), patterns_of("36111"), patterns_of("")
        (('acme', 'alphanumeric', '*'), ('36111', 'number', '*'), ('*',))
    """
    key = sender_key(sender)
    if not key:
        return (ANY,)
    kind = SenderKind.NUMBER if _DIGITS.fullmatch(key) else SenderKind.ALPHANUMERIC
    exact = () if key in list(SenderKind) else (key,)
    return (*exact, kind.value, ANY)


def read_prices(folder: Path) -> PriceTable | None:
    """
    Read the price table of a folder of rules.

    Returns:
        None: the folder holds none; costs are not known then.

    Raises:
        ConfigError: There are two, or one cannot be used; ``problems`` tells all that is wrong,
            with line and near name.
    """
    found = [folder / name for name in FILES if (folder / name).is_file()]
    if len(found) > 1:
        raise ConfigError(
            "there are two price tables: keep one",
            folder=folder.name,
            files=[path.name for path in found],
        )
    if not found:
        return None
    try:
        text = found[0].read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "the price table cannot be read", file=found[0].name, cause=type(error).__name__
        ) from None
    return read_price_table(text, name=found[0].name)


def read_price_table(text: str, *, name: str) -> PriceTable:
    r"""
    Read a price table from the text of its file.

    Args:
        name: Its file name; the ending says how it is written.

    Raises:
        ConfigError: See ``read_prices``.

    Example:
        >>> table = read_price_table(
        ...     "# as of 2026-11-01\ncountry,price,currency\nFR,0.045,EUR\n", name="prices.csv")
        >>> table.as_of.isoformat(), table.currency, str(table.price_of("FR"))
        ('2026-11-01', 'EUR', '0.045')
    """
    problems: list[Problem] = []
    read_rows = read_csv_rows if name.endswith(".csv") else read_yaml_rows
    rows, facts = read_rows(text, problems)
    prices = _prices_of(rows, problems)
    as_of = _oldest_of(facts, problems)
    currency = _currency_of(facts, rows, problems)
    if not rows and not problems:
        problems.append(Problem(text="holds no price"))
    if problems or as_of is None or currency is None:
        raise _error(problems, name=name)
    return PriceTable(currency=currency, as_of=as_of, prices=prices)


def _error(problems: list[Problem], *, name: str) -> ConfigError:
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    noun = "problem" if len(problems) == 1 else "problems"
    return ConfigError(
        f"{len(problems)} {noun} in the price table",
        file=name,
        problems=[problem.at(name) for problem in ordered],
    )


def _prices_of(rows: list[PriceRow], problems: list[Problem]) -> dict[tuple[str, str], Decimal]:
    prices: dict[tuple[str, str], Decimal] = {}
    line_of: dict[tuple[str, str], int] = {}
    for row in rows:
        country = read_country(row, problems)
        sender = read_sender(row, problems, kinds=[*SenderKind])
        price = read_price(row, problems)
        if country is None or sender is None or price is None:
            continue
        key = (country, sender_key(sender))
        if key in prices:
            problems.append(
                Problem(
                    text=f"{country}, {sender} is there twice",
                    hint=f"also in line {line_of[key]}",
                    line=row.line,
                )
            )
        prices[key] = price
        line_of.setdefault(key, row.line)
    return prices


def _oldest_of(facts: Facts, problems: list[Problem]) -> date | None:
    if not facts.as_of:
        problems.append(
            Problem(
                text="the day of the prices is missing",
                hint="as_of: 2026-11-01 in YAML, '# as of 2026-11-01' or a column as_of in CSV",
            )
        )
    dates = [read_date(text, line, problems) for text, line in facts.as_of]
    return min((one for one in dates if one is not None), default=None)


def _currency_of(facts: Facts, rows: list[PriceRow], problems: list[Problem]) -> str | None:
    found: dict[str, int] = {}
    for text, line in facts.currency:
        code = read_currency(text, line, problems)
        if code is not None:
            found.setdefault(code, line)
    if not facts.currency and (rows or not problems):
        # Without a row that could be read, the currency may stand in one of them.
        problems.append(Problem(text="the currency is missing", hint="for example EUR"))
    for code, line in list(found.items())[1:]:
        problems.append(
            Problem(
                text=f"is {code}, the table began with {next(iter(found))}",
                hint="one currency a table",
                field="currency",
                line=line,
            )
        )
    return next(iter(found), None)
