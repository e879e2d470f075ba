"""What the customers of the demo bought, and where: stores, products and orders beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

SCHEMA = """
CREATE TABLE stores (
    store_id  integer PRIMARY KEY,
    name      text NOT NULL,
    city      text NOT NULL UNIQUE,
    region    text NOT NULL
);
CREATE TABLE products (
    product_id integer PRIMARY KEY,
    name       text NOT NULL,
    category   text NOT NULL
);
CREATE TABLE orders (
    order_id    integer PRIMARY KEY,
    customer_id integer NOT NULL,
    product_id  integer NOT NULL,
    store_id    integer NOT NULL,
    amount      numeric(10, 2) NOT NULL,
    status      text NOT NULL,
    ordered_at  timestamptz NOT NULL
);
CREATE INDEX orders_of_customer ON orders (customer_id, ordered_at);
"""
_SEED = 20_250_502
_REGIONS = {
    "Besançon": "Bourgogne-Franche-Comté",
    "Nîmes": "Occitanie",
    "Saint-Étienne": "Auvergne-Rhône-Alpes",
    "Lyon": "Auvergne-Rhône-Alpes",
    "Orléans": "Centre-Val de Loire",
    "Évry": "Île-de-France",
    "Paris": "Île-de-France",
    "Bègles": "Nouvelle-Aquitaine",
}
_PRODUCTS = (
    *(("Linen dress", "clothes"), ("Rain coat", "clothes"), ("Wool scarf", "clothes")),
    *(("Watering can", "garden"), ("Tomato seeds", "garden"), ("Garden chair", "garden")),
    *(("Teapot", "kitchen"), ("Bread knife", "kitchen"), ("Cast iron pan", "kitchen")),
)
#: Of a hundred orders.
_STATUSES = {"paid": 88, "returned": 7, "cancelled": 5}
#: Only these cities have a store; people elsewhere order by post.
_BY_POST = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order, in the order of the table's columns."""

    order_id: int
    customer_id: int
    product_id: int
    #: 0: by post.
    store_id: int
    #: In euros.
    amount: Decimal
    #: ``paid``, ``returned`` or ``cancelled``.
    status: str
    ordered_at: datetime


def store_rows() -> list[tuple[int, str, str, str]]:
    """Give the stores, one in each of a few cities: id, name, city, region."""
    return [
        (number, f"Magasin de {city}", city, region)
        for number, (city, region) in enumerate(sorted(_REGIONS.items()), start=1)
    ]


def product_rows() -> list[tuple[int, str, str]]:
    """Give the products: id, name, category."""
    return [(number, *product) for number, product in enumerate(_PRODUCTS, start=1)]


def make_orders(customers: Iterable[tuple[int, str, date | None]]) -> list[Order]:
    """
    Make up to six orders for each customer who ever ordered; the last one on the day that is known.

    Args:
        customers: Id, city, and day of the last order, if there was one.

    Returns:
        The same orders for the same customers.
    """
    random = Random(_SEED)  # noqa: S311  invented orders need no secrecy
    stores = {city: number for number, _, city, _ in store_rows()}
    orders: list[Order] = []
    for customer_id, city, last_on in customers:
        for on in _days_until(last_on, random=random):
            order = _order(
                len(orders) + 1,
                customer_id=customer_id,
                store_id=stores.get(city, _BY_POST),
                on=on,
                random=random,
            )
            orders.append(order)
    return orders


def _days_until(last_on: date | None, *, random: Random) -> Iterator[date]:
    """Give the days of somebody's orders, the last first."""
    if last_on is None:
        return
    for _ in range(random.choices(range(1, 7), weights=(30, 25, 20, 12, 8, 5))[0]):
        yield last_on
        last_on -= timedelta(days=random.randint(5, 200))


def _order(number: int, *, customer_id: int, store_id: int, on: date, random: Random) -> Order:
    return Order(
        order_id=number,
        customer_id=customer_id,
        product_id=random.randint(1, len(_PRODUCTS)),
        store_id=store_id,
        amount=Decimal(random.randint(500, 25_000)) / 100,
        status=random.choices(list(_STATUSES), list(_STATUSES.values()))[0],
        ordered_at=datetime.combine(
            on, time(random.randint(8, 19), random.randint(0, 59)), tzinfo=UTC
        ),
    )
