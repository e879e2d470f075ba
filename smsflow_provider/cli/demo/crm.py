"""
The customers of the demo: plausible people with the flaws real tables have.

The numbers are placeholders: blocks around the example numbers of the phonenumbers library, and
where a regulator keeps a valid block for films (Germany, the United States), that one. The demo
hands them to the simulator on this machine and to nothing else.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import psycopg
from psycopg import sql

from smsflow_provider.cli.demo.shop import SCHEMA, make_orders, product_rows, store_rows
from smsflow_provider.core.clock import utc_now

#: The people of the demo's CRM; what they bought is in the tables of ``shop``.
TABLE = "customers"
#: Shares of all customers, each at least one person.
INVALID_SHARE, MISSING_SHARE, DUPLICATE_SHARE, OPTED_OUT_SHARE = 0.02, 0.015, 0.03, 0.05

#: Where `main` finds the database to fill.
DSN_VARIABLE = "CRM_DSN"
_SEED = 20_250_501
_SCHEMA = """
CREATE TABLE customers (
    customer_id    integer PRIMARY KEY,
    first_name     text NOT NULL,
    last_name      text NOT NULL,
    phone          text,
    country        text NOT NULL,
    city           text NOT NULL,
    language       text NOT NULL,
    loyalty_points integer NOT NULL,
    last_order_on  date
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One row of the CRM, in the order of its columns."""

    customer_id: int
    first_name: str
    last_name: str
    #: As somebody typed it: national or international, with or without signs, or nothing.
    phone: str | None
    #: ISO 3166, two letters.
    country: str
    city: str
    #: ISO 639, two letters.
    language: str
    loyalty_points: int
    #: None: never ordered.
    last_order_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """Where some of the customers live."""

    #: How many of a hundred customers.
    percent: int
    language: str
    #: Ways to write a number; ``#`` stands for the digits that differ, the same in each.
    patterns: tuple[str, ...]
    #: How many of those digits there are.
    digits: int
    cities: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


_FRENCH = (
    *("Zoé", "Élodie", "François", "Chloé", "Noël", "Anaïs", "Loïc", "Camille 🌸", "Hélène"),
    *("Jérôme", "Inès", "Maël", "Benoît", "Océane ☀️", "Cœlia", "Thibault", "Amélie", "Côme"),
)
_FRENCH_FAMILIES = (
    *("Lefèvre", "Dupont", "Garçon", "Bézier", "D'Artagnan", "Le Gall", "Müller", "Nuñez"),
    *("Château", "Forêt", "Saint-Exupéry", "Moreau", "Œhmichen", "Lévêque", "Roux", "Pâris"),
)
LANDS: Mapping[str, Land] = {
    "FR": Land(
        percent=45,
        language="fr",
        patterns=(
            "06 12 34 ####",
            "061234####",
            "+3361234####",
            "+33 (0)6 12 34 ####",
            "06.12.34.####",
        ),
        digits=4,
        cities=("Besançon", "Nîmes", "Saint-Étienne", "Orléans", "Évry", "Lyon", "Bègles", "Paris"),
        first_names=_FRENCH,
        last_names=_FRENCH_FAMILIES,
    ),
    "GB": Land(
        percent=13,
        language="en",
        patterns=("+44 7400 12####", "+44740012####", "0044 7400 12####"),
        digits=4,
        cities=("London", "Bristol", "Leeds", "Ynys Môn"),
        first_names=("Olivia", "Noah", "Siân", "Zoë", "Harry ⚡", "Amelia", "Bronwen", "George"),
        last_names=("Smith", "O'Connor", "Llŷr", "Brontë", "Taylor", "Fitz-Hugh"),
    ),
    "ES": Land(
        percent=10,
        language="es",
        patterns=("+34 612 34 ####", "+3461234####"),
        digits=4,
        cities=("Málaga", "A Coruña", "Cádiz", "León"),
        first_names=("Íñigo", "Lucía", "José", "Begoña", "Sofía 🎉", "Ángel", "Martín"),
        last_names=("Muñoz", "García", "Ibáñez", "Güell", "Peña"),
    ),
    "DE": Land(
        percent=7,
        language="de",
        patterns=("+49 176 040690##", "+49176040690##"),
        digits=2,
        cities=("München", "Köln", "Düsseldorf", "Görlitz"),
        first_names=("Jürgen", "Käthe", "Björn", "Anneliese", "Søren", "Rüdiger"),
        last_names=("Groß", "Schröder", "Weiß", "Jäger", "Öttinger"),
    ),
    "IT": Land(
        percent=8,
        language="it",
        patterns=("+39 312 345 ####", "+39312345####"),
        digits=4,
        cities=("Forlì", "L'Aquila", "Torino", "Cantù"),
        first_names=("Niccolò", "Giulia", "Mosè", "Chiara 💐", "Totò", "Lucrezia"),
        last_names=("D'Amico", "Rossi", "Mazzù", "De Sanctis", "Nardò"),
    ),
    "BE": Land(
        percent=7,
        language="nl",
        patterns=("+32 470 12 ####", "+3247012####"),
        digits=4,
        cities=("Liège", "Gent", "Leuven", "Ypres"),
        first_names=("Anaëlle", "Joris", "Daphné", "Noë", "Lieve"),
        last_names=("Van den Berg", "Peeters", "Lhoëst", "Dubois", "'t Kint"),
    ),
    "CH": Land(
        percent=5,
        language="de",
        patterns=("+41 78 123 ####", "0041 78 123 ####"),
        digits=4,
        cities=("Zürich", "Genève", "Neuchâtel", "Bözingen"),
        first_names=("Ürs", "Réto", "Margrit", "Léonie"),
        last_names=("Zürcher", "Favre", "Häfliger", "Métraux"),
    ),
    "US": Land(
        percent=5,
        language="en",
        patterns=("+1 212 555 01##", "+1 (212) 555-01##"),
        digits=2,
        cities=("New York", "Brooklyn", "Yonkers"),
        first_names=("Renée", "José", "Ava", "Björk", "Liam 🗽"),
        last_names=("Johnson", "Peña", "Nguyễn", "O'Neil"),
    ),
}
#: What people type when they have no number, or not this one.
_INVALID = (
    "n/a",
    "12345",
    "06 12 34",
    "+33 0000000000",
    "ask his wife",
    "0612345678901234",
    "+999 1",
)
_MISSING = (None, "", "   ")


def make_customers(count: int, *, random: Random, today: date) -> list[Customer]:
    """
    Make *count* customers, the same ones for the same *random* and *today*.

    Some numbers are invalid, some missing, and some people share a number with another, written
    another way.

    Args:
        count: How many; 20 to 20,000. A country whose block of numbers is used up gets no more.
        random: The source of all choice.
        today: Last possible day of an order.
    """
    digits = {
        code: random.sample(range(10**land.digits), 10**land.digits) for code, land in LANDS.items()
    }
    people = [_customer(n, random=random, today=today, digits=digits) for n in range(1, count + 1)]
    return _with_flaws(people, random=random)


def opted_out(customers: Sequence[Customer], *, random: Random) -> list[str]:
    """Choose the numbers of people who want no more messages, as an opt-out list has them."""
    good = sorted({c.phone for c in customers if c.phone and c.phone.startswith("+")})
    return random.sample(good, _share(OPTED_OUT_SHARE, len(customers)))


def write_crm(dsn: str, customers: Iterable[Customer]) -> None:
    """Make the table `TABLE` in an empty database and fill it; and the tables of ``shop``."""
    people = list(customers)
    columns = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(Customer))
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(_SCHEMA)
        target = sql.SQL("{} ({})").format(sql.Identifier(TABLE), columns)
        _copy(cursor, target, map(astuple, people))
        _write_shop(cursor, people)


def _write_shop(cursor: psycopg.Cursor, people: Iterable[Customer]) -> None:
    orders = make_orders((one.customer_id, one.city, one.last_order_on) for one in people)
    cursor.execute(SCHEMA.encode())
    _copy(cursor, sql.Identifier("stores"), store_rows())
    _copy(cursor, sql.Identifier("products"), product_rows())
    _copy(cursor, sql.Identifier("orders"), map(astuple, orders))


def _copy(cursor: psycopg.Cursor, target: sql.Composable, rows: Iterable[Sequence[object]]) -> None:
    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(target)) as copy:
        for row in rows:
            copy.write_row(row)


def fill_once(dsn: str, *, count: int, today: date) -> int:
    """
    Fill the database *dsn* unless it has customers already.

    Returns:
        How many customers were written.
    """
    with psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT to_regclass(%s)", [TABLE]).fetchone()
    if found and found[0]:
        return 0
    # Invented customers need no secrecy.
    customers = make_customers(count, random=Random(_SEED), today=today)  # noqa: S311
    write_crm(dsn, customers)
    return len(customers)


def main() -> None:
    """Fill the database that the variable CRM_DSN names; the Compose file runs this module."""
    count = fill_once(os.environ[DSN_VARIABLE], count=2_000, today=utc_now().date())
    print(f"wrote {count:,} customers")


def write_opt_outs(path: Path, numbers: Iterable[str]) -> None:
    """Write the list as `smsflow opt-outs import` reads it: a CSV with a column ``phone``."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["phone"])
        writer.writerows([number] for number in numbers)


def _customer(
    number: int, *, random: Random, today: date, digits: Mapping[str, list[int]]
) -> Customer:
    weights = [land.percent if digits[code] else 0 for code, land in LANDS.items()]
    country = random.choices(list(LANDS), weights)[0]
    land = LANDS[country]
    return Customer(
        customer_id=number,
        first_name=random.choice(land.first_names),
        last_name=random.choice(land.last_names),
        phone=_phone(land, digits[country].pop(), random=random),
        country=country,
        city=random.choice(land.cities),
        language=land.language,
        loyalty_points=int(random.paretovariate(1.2) * 40),
        last_order_on=_last_order(today, random=random),
    )


def _shuffled(count: int, *, random: Random) -> list[int]:
    return random.sample(range(count), count)


def _phone(land: Land, digits: int, *, random: Random) -> str:
    pattern = random.choice(land.patterns)
    return pattern.replace("#" * land.digits, f"{digits:0{land.digits}d}")


def _last_order(today: date, *, random: Random) -> date | None:
    return None if random.random() < 0.1 else today - timedelta(days=random.randrange(720))


def _with_flaws(people: list[Customer], *, random: Random) -> list[Customer]:
    """Spoil some numbers; nobody gets two flaws, and the one copied keeps a good number."""
    shares = (INVALID_SHARE, MISSING_SHARE, DUPLICATE_SHARE)
    counts = [_share(share, len(people)) for share in shares]
    chosen = iter(random.sample(range(len(people)), sum(counts) + counts[2]))
    for _ in range(counts[0]):
        _spoil(people, next(chosen), random.choice(_INVALID))
    for _ in range(counts[1]):
        _spoil(people, next(chosen), random.choice(_MISSING))
    for _ in range(counts[2]):
        _spoil(people, next(chosen), _written_again(people[next(chosen)].phone))
    return people


def _spoil(people: list[Customer], index: int, phone: str | None) -> None:
    people[index] = replace(people[index], phone=phone)


def _written_again(phone: str | None) -> str:
    """Write a good number another way; the same phone to a telephone, not to a database."""
    return (phone or "").replace(" ", "-") if " " in (phone or "") else f" {phone} "


def _share(share: float, count: int) -> int:
    return max(1, round(share * count))


if __name__ == "__main__":
    main()
