"""Decisions on a preparation, and the requests that are open in Airflow."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum

from smsflow_provider.core.model import Origin
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements

_SQL = "approvals"


class Decision(StrEnum):
    """What a person answered."""

    SEND = "send"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A recorded decision on one preparation. Written once, never edited."""

    preparation: int
    #: The fingerprint the person decided on.
    fingerprint: str
    decision: Decision
    #: Airflow's id of the person, or ``dag:<id>`` for a plain text sent by its author.
    decided_by: str
    comment: str
    #: ``airflow`` (a person answered the request), ``dashboard`` (our page or API), ``author`` (a
    #: plain text).
    via: str
    decided_at: datetime
    #: After this moment it approves nothing. None: it does not run out.
    expires_at: datetime | None
    #: True when ``expires_at`` has passed, by the store's clock.
    expired: bool
    #: What Airflow calls the person; empty: it did not say.
    decided_by_name: str = ""


def write_approval(
    connection: Connection,
    delivery: Delivery,
    *,
    decision: Decision,
    decided_by: str,
    decided_by_name: str,
    comment: str,
    via: str,
    valid_s: int | None,
) -> Approval:
    """
    Write a decision on the current preparation.

    The caller holds the delivery and has made sure that there is none yet.
    """
    row = connection.execute(
        statements(_SQL)["record_approval"],
        {
            "delivery_no": delivery.no,
            "preparation": delivery.preparation,
            "fingerprint": delivery.fingerprint,
            "decision": decision.value,
            "decided_by": decided_by,
            "decided_by_name": decided_by_name,
            "comment": comment,
            "via": via,
            "valid_s": valid_s,
        },
    ).fetchone()
    assert row is not None
    return _approval_of(row)


def read_approval(connection: Connection, delivery: Delivery) -> Approval | None:
    """Read the decision on the current preparation, in an open transaction."""
    row = connection.execute(
        statements(_SQL)["find_approval"],
        {"delivery_no": delivery.no, "preparation": delivery.preparation},
    ).fetchone()
    return None if row is None else _approval_of(row)


def _approval_of(row: Row) -> Approval:
    values = {one.name: row[one.name] for one in fields(Approval)}
    return Approval(**{**values, "decision": Decision(row["decision"])})


def find_approval(store: Store, delivery: Delivery) -> Approval | None:
    """Find the decision on the current preparation of *delivery*."""
    with store.transaction() as connection:
        return read_approval(connection, delivery)


def open_review(store: Store, delivery: Delivery, *, asked_by: Origin, fingerprint: str) -> None:
    """
    Note that *asked_by*, a task, asks a person for a decision on *fingerprint* now.

    What the same task asked about another delivery is over.
    """
    task = {**asdict(asked_by), "delivery_no": delivery.no}
    with store.transaction() as connection:
        connection.execute(statements(_SQL)["close_other_reviews"], task)
        connection.execute(statements(_SQL)["open_review"], {**task, "fingerprint": fingerprint})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request for a decision that a task made in Airflow."""

    task: Origin
    #: Of the preparation it asks about.
    fingerprint: str
    opened_at: datetime


def find_question(store: Store, delivery: Delivery) -> Question | None:
    """Find what a task asks, or asked last, about *delivery*. None: nobody has asked yet."""
    with store.transaction() as connection:
        row = connection.execute(
            statements(_SQL)["find_review"], {"delivery_no": delivery.no}
        ).fetchone()
    if row is None:
        return None
    task = Origin(**{each.name: row[each.name] for each in fields(Origin)})
    return Question(task=task, fingerprint=row["fingerprint"], opened_at=row["opened_at"])


def review_age_s(store: Store, task: Origin) -> float | None:
    """Seconds since *task* asked. None: it is not a task of ours that asks."""
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["review_age"], asdict(task)).fetchone()
    return float(row["age_s"]) if row else None
