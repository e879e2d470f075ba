"""
One fingerprint for the same people, wherever they come from; another one for any difference.

What may differ between sources is what their columns are called inside: ids as numbers or texts,
dates as dates or ISO texts, blanks as nulls or empty texts, the order of columns, columns nobody
reads, and how the rows were cut. What the texts show must be the same.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import polars as pl
import psycopg
import pyarrow as pa
import pytest

from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.files import FileBatches
from smsflow_provider.core.audience.frame import frame_batches
from smsflow_provider.core.audience.query import QueryBatches
from smsflow_provider.core.audience.read import AudienceFile
from smsflow_provider.core.audience.source import Source
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.preparation.population import Population, SizeLimit
from smsflow_provider.core.preparation.prepare import prepare
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.opt_outs import add_opt_outs
from tests.core.preparation.preparing import make_draft, make_preparation, make_template

BODY = (
    "Bonjour {{ first_name|first_name }}{% if city %} de {{ city }}{% endif %}, vos {{ points }}"
    " points, {{ price|money('€') }}, avant le {{ until|date }}"
)
NAMES = ("customer", "phone", "first_name", "city", "points", "price", "until")
Person = tuple[int, str, str, str | None, int, float, date]
PEOPLE: list[Person] = [
    (n, f"06{n:08d}", "zoé" if n % 3 else "BOB", "Nîmes" if n % 4 else None, n, n / 4, UNTIL)
    for UNTIL in [date(2026, 12, 24)]
    for n in range(10_000_000, 10_000_240)
]
#: Twice the same number, no number, a number of another country.
PEOPLE[200] = (*PEOPLE[200][:1], PEOPLE[10][1], *PEOPLE[200][2:])
PEOPLE[201] = (*PEOPLE[201][:1], "", *PEOPLE[201][2:])
PEOPLE[202] = (*PEOPLE[202][:1], "+49 1512 3456789", *PEOPLE[202][2:])
OPTED_OUT = [33_610_000_020, 33_610_000_021]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """A source over ready batches."""

    label: str
    make: Callable[[], Iterator[pa.RecordBatch]]

    def batches(self) -> Iterator[pa.RecordBatch]:
        return self.make()


def parquet(folder: Path, people: Sequence[Person], _: str) -> Source:
    """Typed columns, the id a number, in another order and with one nobody reads."""
    path = folder / "people.parquet"
    frame = pl.DataFrame(people, schema=list(NAMES), orient="row")
    frame.select(*reversed(NAMES), pl.lit(1.5).alias("weight")).write_parquet(path)
    return FileBatches(lambda: path.open("rb"), label=path.name)


def csv_file(folder: Path, people: Sequence[Person], _: str) -> Source:
    """Text alone; a blank is an empty cell, a date as ISO 8601 writes it."""
    path = folder / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([NAMES, *people])
    return FileBatches(lambda: path.open("rb"), label=path.name)


def sqlite(folder: Path, people: Sequence[Person], _: str) -> Source:
    """Numbers are numbers, dates are text: SQLite has none."""
    path = folder / "people.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE people ({', '.join(NAMES)})")
        marks = ", ".join("?" * len(NAMES))
        rows = [(*person[:-1], person[-1].isoformat()) for person in people]
        connection.executemany(f"INSERT INTO people VALUES ({marks})", rows)  # noqa: S608
    return QueryBatches(
        lambda: sqlite3.connect(path),
        sql="SELECT * FROM people ORDER BY customer",
        label="sqlite",
        rows=100,
    )


def postgres(_: Path, people: Sequence[Person], dsn: str) -> Source:
    """Every column of its own type."""
    kinds = ("bigint", "text", "text", "text", "integer", "double precision", "date")
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(NAMES, kinds, strict=True))
    with psycopg.connect(dsn) as connection:
        connection.execute(f"CREATE TABLE people ({columns})".encode())
        with connection.cursor().copy("COPY people FROM STDIN") as copy:
            for person in people:
                copy.write_row(person)
    return QueryBatches(
        lambda: psycopg.connect(dsn),
        sql="SELECT * FROM people ORDER BY customer",
        label="postgres",
        rows=64,
    )


def pandas(_: Path, people: Sequence[Person], __: str) -> Source:
    """Frames of a user's function, the ids text, the dates moments."""
    frame = pd.DataFrame(list(people), columns=list(NAMES))
    frame = frame.assign(
        customer=frame["customer"].astype(str), until=pd.to_datetime(frame["until"])
    )
    pieces = [frame.iloc[:70], frame.iloc[70:]]
    return Batches(label="pandas", make=lambda: frame_batches(pieces, label="pandas"))


SOURCES = (parquet, csv_file, sqlite, postgres, pandas)


def open_local(uri: str) -> BinaryIO:
    return Path(uri.removeprefix("file://")).open("rb")


def make_text(body: str = BODY, **settings: object) -> Template:
    return make_template(body, **{"sender": "ACME", "region": "FR", **settings})


def fingerprint_of(
    store: Store,
    source: Source,
    *,
    folder: Path,
    template: Template | None = None,
    name: str = "d1",
    **settings: Any,
) -> str:
    """Build an audience and prepare it, as the two tasks of a workflow do."""
    target = folder / f"{name}.audience"
    reference = build_audience(source, target=target, id_column="customer")
    assert reference is not None
    make_draft(store, name)
    preparation = make_preparation(
        AudienceFile(reference=reference, open_file=open_local),
        template=template or make_text(),
        audience=reference.as_dict(),
        **settings,
    )
    delivery = prepare(store, name, preparation, actor="tester")
    assert DeliveryState.READY is delivery.state
    assert delivery.fingerprint is not None
    return delivery.fingerprint


def test_the_same_people_have_one_fingerprint_from_every_source(
    store: Store, store_dsn: str, tmp_path: Path
) -> None:
    add_opt_outs(store, OPTED_OUT)
    found = {
        make.__name__: fingerprint_of(
            store, make(tmp_path, PEOPLE, store_dsn), folder=tmp_path, name=make.__name__
        )
        for make in SOURCES
    }

    assert 1 == len(set(found.values())), found


def test_another_store_gives_the_same_fingerprint(
    store: Store, store_dsn: str, tmp_path: Path
) -> None:
    """The delivery has another name there and is prepared for the second time."""
    first = fingerprint_of(store, parquet(tmp_path, PEOPLE, ""), folder=tmp_path)
    for name in ("other", "other"):
        again = fingerprint_of(
            Store(store_dsn), parquet(tmp_path, PEOPLE, ""), folder=tmp_path, name=name
        )

        assert first == again


def changed(index: int, **values: object) -> list[Person]:
    """Change one person."""
    person: Any = tuple(
        values.get(name, value) for name, value in zip(NAMES, PEOPLE[index], strict=True)
    )
    return [*PEOPLE[:index], person, *PEOPLE[index + 1 :]]


DIFFERENT_PEOPLE: Mapping[str, list[Person]] = {
    "one character of a name": changed(7, first_name="zoë"),
    "a letter that looks the same": changed(7, city="Ni\u0302mes"),
    "one number": changed(7, phone="0699999999"),
    "one id": changed(7, customer=99),
    "one value by the smallest amount shown": changed(7, price=2_500_001.76),
    "one recipient less": PEOPLE[:-1],
    "one recipient more": [*PEOPLE, (1, "0698765432", "Eve", None, 1, 1.0, date(2026, 12, 24))],
    "one who has no number any more": changed(7, phone=""),
    "two who changed places": [PEOPLE[1], PEOPLE[0], *PEOPLE[2:]],
}


@pytest.mark.parametrize("what", DIFFERENT_PEOPLE)
def test_other_people_have_another_fingerprint(store: Store, tmp_path: Path, what: str) -> None:
    before = fingerprint_of(store, parquet(tmp_path, PEOPLE, ""), folder=tmp_path)
    people = DIFFERENT_PEOPLE[what]
    after = fingerprint_of(store, parquet(tmp_path, people, ""), folder=tmp_path)

    assert before != after


def test_a_value_no_text_shows_changes_nothing(store: Store, tmp_path: Path) -> None:
    """It is what is sent that counts, to whom, and by which rules."""
    before = fingerprint_of(
        store, parquet(tmp_path, PEOPLE, ""), folder=tmp_path, template=make_text("Bonjour")
    )
    people = changed(7, first_name="Max", points=0)
    after = fingerprint_of(
        store, parquet(tmp_path, people, ""), folder=tmp_path, template=make_text("Bonjour")
    )

    assert before == after


DIFFERENT_TEMPLATES: Mapping[str, Template] = {
    "one character of the text": make_text(f"{BODY}."),
    "a text that reads the same": make_text(BODY.replace("|money('€')", "|money('€', decimals=2)")),
    "the sender": make_text(sender="ACMF"),
    "the label": make_text(label="Other"),
    "the longest text": make_text(max_parts=7),
    "transliteration": make_text(transliteration="full"),
    "what becomes of who lacks a field": make_text(missing="exclude"),
    "how long it may take": make_text(validity="2h"),
}
DIFFERENT_SETTINGS: Mapping[str, dict[str, Any]] = {
    "the gateway": {"gateway": "other"},
    "a dry run": {"dry_run": True},
    "opt-out lists": {"opt_out_scopes": ("", "sale")},
    "who may be texted": {"allowed": frozenset({33_610_000_001})},
    "a limit": {"population": Population(size_limit=SizeLimit(count=10_000))},
    "the weight": {"weight": 6},
    "the programme": {"programme": "club"},
}


@pytest.mark.parametrize("what", DIFFERENT_TEMPLATES)
def test_another_template_has_another_fingerprint(store: Store, tmp_path: Path, what: str) -> None:
    source = parquet(tmp_path, PEOPLE, "")
    before = fingerprint_of(store, source, folder=tmp_path)
    template = DIFFERENT_TEMPLATES[what]
    after = fingerprint_of(store, source, folder=tmp_path, template=template)

    assert before != after


@pytest.mark.parametrize("what", DIFFERENT_SETTINGS)
def test_other_settings_have_another_fingerprint(store: Store, tmp_path: Path, what: str) -> None:
    source = parquet(tmp_path, PEOPLE, "")
    before = fingerprint_of(store, source, folder=tmp_path)
    after = fingerprint_of(store, source, folder=tmp_path, **DIFFERENT_SETTINGS[what])

    assert before != after


def test_another_opt_out_has_another_fingerprint(store: Store, tmp_path: Path) -> None:
    """Nothing of the inputs changed, and yet somebody else gets no text."""
    source = parquet(tmp_path, PEOPLE, "")
    before = fingerprint_of(store, source, folder=tmp_path)
    add_opt_outs(store, [33_610_000_030])

    assert before != fingerprint_of(store, source, folder=tmp_path)


def test_a_number_counts_as_it_is_written(store: Store, tmp_path: Path) -> None:
    """A file of text that says 2.50 is not one that says 2.5: the texts differ."""
    found = []
    for name, price in (("a", "2.50"), ("b", "2.5")):
        path = tmp_path / f"{name}.csv"
        path.write_text(f"customer,phone,price\n1,0612345678,{price}\n", encoding="utf-8")
        source = FileBatches(path_opener(path), label=path.name)
        template = make_text("{{ price }}")
        found.append(fingerprint_of(store, source, folder=tmp_path, template=template, name=name))

    assert found[0] != found[1]


def path_opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")
