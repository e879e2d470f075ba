"""The references of the benchmark do what they are compared with, and only that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import phonenumbers
import polars as pl
import pytest

from smsflow_provider.cli.bench.floor import dump_rows, measure_floor
from smsflow_provider.cli.bench.people import TEMPLATE, People, make_frame, make_people
from smsflow_provider.cli.bench.product import measure
from smsflow_provider.cli.bench.reference import Measured, prepare_row_by_row
from smsflow_provider.core.content.template import read_template
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.opt_outs import add_opt_outs

ROWS = 4_000


@pytest.fixture
def people(tmp_path: Path) -> People:
    """People of whom everybody is in the sample."""
    return make_people(tmp_path, rows=ROWS, sample_rows=ROWS, seed=7)


def rows_of(store: Store, query: str) -> list[Row]:
    with store.transaction() as connection:
        return connection.execute(query.encode()).fetchall()


SAME_ROWS = (
    (
        (
            "SELECT position, recipient_id, phone, body, encoding, parts"
            " FROM reference_messages ORDER BY position"
        ),
        (
            "SELECT position, recipient_id, phone, body, encoding, parts"
            " FROM smsflow_messages ORDER BY position"
        ),
    ),
    (
        (
            "SELECT row_number, recipient_id, phone, reason"
            " FROM reference_exclusions ORDER BY row_number"
        ),
        (
            "SELECT row_number, recipient_id, phone, reason"
            " FROM smsflow_exclusions ORDER BY row_number"
        ),
    ),
)


def test_the_reference_gives_the_messages_and_the_exclusions_of_the_product(
    store: Store, store_dsn: str, people: People
) -> None:
    add_opt_outs(store, people.opted_out)
    measured = measure(store, people.audience, delivery_id="d1")
    body = read_template(TEMPLATE, name="bench").body
    prepare_row_by_row(people.sample, dsn=store_dsn, body=body, region="FR")

    for of_reference, of_product in SAME_ROWS:
        assert rows_of(store, of_reference) == rows_of(store, of_product)
    assert ROWS == measured["to_deliver"] + measured["excluded"]


def test_the_floor_writes_the_rows_of_the_product_and_leaves_nothing(
    store: Store, people: People, tmp_path: Path
) -> None:
    measured = measure(store, people.audience, delivery_id="d1")
    dump_rows(store, tmp_path, preparation=measured["preparation"])
    audience = Path(people.audience.uri.removeprefix("file://"))
    sizes = [(tmp_path / f"{kind}.copy").stat().st_size for kind in ("messages", "exclusions")]

    assert 0 < measure_floor(store, tmp_path, audience=audience)
    assert 100 * measured["to_deliver"] < sizes[0]
    assert 20 * measured["excluded"] < sizes[1]
    assert [] == rows_of(store, "SELECT FROM pg_class WHERE relname LIKE 'floor%'")


def test_the_steps_of_the_product_add_up_to_its_time(store: Store, people: People) -> None:
    measured = measure(store, people.audience, delivery_id="d1")

    assert ["numbers", "exclusions", "texts", "publishing"] == list(measured["steps"])
    assert measured["seconds"] == pytest.approx(sum(measured["steps"].values()), abs=0.05)


def test_the_people_are_as_they_are_said_to_be() -> None:
    frame, numbers = make_frame(50_000, np.random.default_rng(3))
    junk = int((numbers == 0).sum())
    e164 = frame.filter(pl.col("phone").str.contains(r"^\+33[67]\d{8}$")).height
    known = numbers[numbers > 0]

    assert 9 == frame.width
    assert 0.92 < e164 / frame.height < 0.94
    assert 0.005 < junk / frame.height < 0.015
    assert 0.02 < (len(known) - len(np.unique(known))) / frame.height < 0.04


def test_their_numbers_are_those_the_library_reads() -> None:
    frame, numbers = make_frame(3_000, np.random.default_rng(5))
    for raw, number in zip(frame["phone"], numbers.tolist(), strict=True):
        if number:
            parsed = phonenumbers.parse(raw, "FR")
            assert phonenumbers.is_valid_number(parsed), raw
            assert f"+{number}" == phonenumbers.format_number(
                parsed, phonenumbers.PhoneNumberFormat.E164
            )


def test_the_same_seed_makes_the_same_people_and_another_one_others(tmp_path: Path) -> None:
    made = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        made.append(make_people(tmp_path / name, rows=500, sample_rows=10, seed=seed))

    assert made[0].audience.fingerprint == made[1].audience.fingerprint
    assert made[0].opted_out == made[1].opted_out
    assert made[0].audience.fingerprint != made[2].audience.fingerprint
    assert 100 == len(made[0].opted_out)
    assert 10 == pl.read_parquet(made[0].sample).height


def test_a_third_of_the_texts_is_not_gsm(store: Store, people: People) -> None:
    measure(store, people.audience, delivery_id="d1")
    (found,) = rows_of(
        store, "SELECT avg((encoding = 'ucs2')::int)::float AS share FROM smsflow_messages"
    )

    assert 0.28 < found["share"] < 0.39


def test_what_does_not_grow_with_the_rows_is_not_scaled() -> None:
    measured = Measured(fixed_s=2.0, sample_s=1.0, rows=10)

    assert 12.0 == measured.scaled_s(100)
