"""When writing a preparation fails: nothing of it stays, and no error quotes a row."""

from __future__ import annotations

import logging
import threading
import traceback
from typing import Any

import polars as pl
import psycopg
import pytest

from smsflow_provider.core.errors import ConfigError, StoreError
from smsflow_provider.core.preparation.population import Population
from smsflow_provider.core.preparation.typology import Typology
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_log
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.prepared import (
    Published,
    begin_preparation,
    message_frame,
    writing_preparation,
)
from tests.core.preparation.preparing import (
    make_draft,
    make_template,
    partitions_of,
    person,
    run_prepare,
)

PHONE = 33612345678
SECRETS = ("33612345678", "9223372036854775813", "personal-id", "personal text", "SECRETSENDER")


def _begun(store: Store) -> Delivery:
    make_draft(store)
    return begin_preparation(
        store,
        "d1",
        label="Sale",
        gateway="sms_gateway",
        dry_run=False,
        template={},
        settings={},
        audience={},
        validity_s=60,
        actor="tester",
    )


def _message(**changed: Any) -> pl.DataFrame:
    row = (1, PHONE, "personal-id", "SECRETSENDER", "personal text", "gsm7", 1, "FR")
    return message_frame([row]).with_columns(**{k: pl.lit(v) for k, v in changed.items()})


def _write(store: Store, delivery: Delivery, frames: list[pl.DataFrame]) -> None:
    with writing_preparation(store, delivery) as writer:
        for frame in frames:
            writer.write_messages(frame)
        writer.publish(
            Published(fingerprint="f", targeted=1, excluded=0, to_deliver=1, parts=1, figures={})
        )


def _copy_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "smsflow-copy"]


@pytest.mark.parametrize(
    "changed",
    [
        {"body": None},
        {"body": "personal text\0"},
        {"phone": 2**63 + 5},
        {"parts": "personal text"},
        {"zone": "33612345678"},
        {"no_such_column": "personal text"},
        {"position": None},
    ],
    ids=str,
)
def test_a_row_that_cannot_be_copied_is_never_quoted_and_leaves_nothing(
    store: Store,
    postgres: EmbeddedPostgres,
    changed: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    delivery = _begun(store)
    caplog.set_level(logging.DEBUG)

    with pytest.raises((StoreError, psycopg.Error)) as caught:
        _write(store, delivery, [_message(**changed), *[_message()] * 10])

    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    told += postgres.log.read_text()
    assert [] == [secret for secret in SECRETS if secret in told]
    assert [] == partitions_of(store)
    assert [] == _copy_threads()


def test_positions_that_repeat_are_refused_without_naming_a_row(store: Store) -> None:
    delivery = _begun(store)

    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        _write(store, delivery, [pl.concat([_message(), _message()])])

    assert 'could not create unique index "smsflow_messages_p1_pkey"' == str(caught.value)
    assert [] == partitions_of(store)


def test_a_sender_with_a_nul_is_refused_like_any_other_that_cannot_be_one(store: Store) -> None:
    template = make_template(sender_expression="shop")

    delivery = run_prepare(
        store, [person(1, shop="AC\0ME"), person(2, shop="A")], template=template
    )

    assert DeliveryState.PREPARATION_FAILED is delivery.state
    assert [("sender_invalid", 1)] == [
        (row["event"], row["facts"]["recipients"]) for row in read_log(store, delivery)
    ]


AGE = "CAST(name AS INTEGER)"
POLARS_FAILS: list[dict[str, Any]] = [
    {"population": Population.read({"filters": {"young": f"{AGE} < 18"}}, what="exclude")},
    {"template": make_template(sender_expression=f"CAST({AGE} AS TEXT)")},
    {
        "typology": Typology.from_dict(
            {"rules": [{"kind": "pressure", "name": "week", "days": 7, "most": 3, "most_by": AGE}]}
        )
    },
]


@pytest.mark.parametrize("told", POLARS_FAILS, ids=["filter", "sender", "pressure"])
def test_a_rule_that_cannot_be_computed_never_quotes_the_value(
    store: Store, told: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    people = [person(1, name="12"), person(2, name="personal text")]

    with pytest.raises(ConfigError, match="cannot be computed") as caught:
        run_prepare(store, people, **told)

    said = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "personal text" not in said + str(read_log(store, find_delivery(store, "d1")))
