"""
Forgetting a person in the store's tables; what stays is a keyed hash of the number.

Counts stay exact: rows of messages, outcomes and exclusions are emptied, never deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from psycopg.types.json import Jsonb

from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.appending import array_of
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.statements import statements
from smsflow_provider.core.store.suppressed import NOBODY

_SQL: Final = "erasure"
#: Preparations that are asked in one transaction.
_TOGETHER: Final = 100
#: States in which the messages of a delivery are not touched, and what a person can do about it.
UNTOUCHED: Final = {
    DeliveryState.PREPARING: "it is being prepared",
    DeliveryState.READY: "prepare it again, or reject it",
    DeliveryState.APPROVED: "prepare it again, or stop it",
    DeliveryState.SENDING: "let it finish, or stop it",
    DeliveryState.PAUSED: "let it finish, or stop it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom to forget: one number, and how people write it."""

    #: E.164 without the plus.
    phone: int = field(repr=False)
    #: Digits without zeros in front: international, and national of its own country.
    writings: tuple[str, ...] = field(repr=False)
    #: Texts which, as the id of a recipient, are the number.
    ids: tuple[str, ...] = field(default=(), repr=False)
    #: Whether a writing that is none of these is the number all the same.
    reads: Callable[[str], bool] = field(default=lambda _: False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """How much of a person was in one place."""

    place: str
    #: Rows, or files.
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What could not be touched yet; whoever asks again later finds it."""

    what: str
    why: str


@contextmanager
def _changing(store: Store, *, dry_run: bool) -> Iterator[Connection]:
    """Run a transaction; with *dry_run* nothing of it stays."""
    with store.transaction() as connection:
        yield connection
        if dry_run:
            connection.rollback()


def forget_lists(store: Store, person: Person, *, dry_run: bool) -> list[Removed]:
    """Take a person off the lists of opt-outs and of quarantine, and empty their replies."""
    values = {"phone": person.phone, "writings": list(person.writings)}
    kinds = {
        "opt-outs": "drop_opt_outs",
        "quarantine": "drop_quarantine",
        "replies": "blank_replies",
    }
    with _changing(store, dry_run=dry_run) as connection:
        return [
            Removed(place=place, count=connection.execute(statements(_SQL)[name], values).rowcount)
            for place, name in kinds.items()
        ]


def forget_messages(
    store: Store, person: Person, *, dry_run: bool
) -> tuple[list[Removed], list[Left]]:
    """
    Empty a person's messages and exclusions, delivery by delivery, each in one transaction.

    A delivery that may still send is left alone: what it sends was approved as it is.

    Returns:
        What was found by delivery, and the deliveries that were left.
    """
    sqls = statements(_SQL)
    with store.transaction() as connection:
        # In this order: one that is published in between is among those that are kept.
        unseen = connection.execute(sqls["being_prepared"]).fetchall()
        kept = connection.execute(sqls["kept_preparations"]).fetchall()
    person = _with_ids(store, person, kept)
    values = {"phone": person.phone, "ids": list(person.ids)}
    places = [place for place, row in _asked_of_each(store, kept, "is_in", values) if row["is_in"]]
    removed: list[Removed] = []
    left = {row["id"]: UNTOUCHED[DeliveryState.PREPARING] for row in unseen}
    for place in places:
        with _changing(store, dry_run=dry_run) as connection:
            why = _untouched(connection, place)
            # Proofs show a person's text to others; they have ended whatever becomes of it.
            removed += _blank_shown(connection, place, values)
            if why is None:
                removed += _blank(connection, place, person)
        if why is not None:
            left[place["id"]] = why
    return removed, [Left(what=f"delivery {id_}", why=why) for id_, why in left.items()]


def _asked_of_each(
    store: Store, kept: Sequence[Row], name: str, values: dict[str, Any]
) -> Iterator[tuple[Row, Row]]:
    """
    Ask the same of one preparation after the other; gives each with every row of its answer.

    Asked of all at once, or in one transaction, it would lock the tables of every delivery.
    """
    for place in range(0, len(kept), _TOGETHER):
        with store.transaction() as connection:
            for one in kept[place : place + _TOGETHER]:
                own = {**values, "preparation": one["preparation"]}
                for row in connection.execute(statements(_SQL)[name], own).fetchall():
                    yield one, row


def _with_ids(store: Store, person: Person, kept: Sequence[Row]) -> Person:
    """Add the ids that are the number in other writings, of rows whose number nobody could read."""
    values = {"end": f"%{str(person.phone)[-5:]}"}
    rows = [row for _, row in _asked_of_each(store, kept, "ids_like", values)]
    written = dict.fromkeys(row["recipient_id"] for row in rows)
    return replace(person, ids=(*person.ids, *filter(person.reads, written)))


def _untouched(connection: Connection, place: Row) -> str | None:
    row = connection.execute(statements(_SQL)["hold_delivery"], {"id": place["id"]}).fetchone()
    return UNTOUCHED.get(DeliveryState(row["state"])) if row else None


def _blank_shown(connection: Connection, place: Row, person: dict[str, Any]) -> list[Removed]:
    sqls = statements(_SQL)
    proofs = connection.execute(sqls["ended_proofs"], {"id": place["id"]}).fetchall()
    values = {**person, "preparation": place["preparation"]}
    rows = connection.execute(sqls["recipients_like"], values).fetchall() if proofs else []
    recipients = [row["recipient_id"] for row in rows]
    count = sum(
        connection.execute(sqls["blank_shown"], {**proof, "recipients": recipients}).rowcount
        for proof in proofs
    )
    return [Removed(place=f"proofs of delivery {place['id']}", count=count)] if count else []


def _blank(connection: Connection, place: Row, person: Person) -> list[Removed]:
    sqls = statements(_SQL)
    own: dict[str, Any] = {
        "preparation": place["preparation"],
        "phone": person.phone,
        "ids": list(person.ids),
        "nobody": NOBODY,
    }
    connection.execute(sqls["hold_chunks"], own)
    excluded = connection.execute(sqls["blank_exclusions"], own).fetchall()
    rows = connection.execute(sqls["blank_messages"], own).fetchall()
    own["positions"] = array_of(row["position"] for row in rows)
    # Also who was left out in the end may be the one in whose favour another one was.
    own["recipients"] = [one["recipient_id"] for one in (*rows, *excluded) if one["recipient_id"]]
    for name in ("blank_outcomes", "blank_receipts", "drop_references", "blank_winners"):
        connection.execute(sqls[name], own)
    found = {"messages": len(rows), "exclusions": len(excluded)}
    return [
        Removed(place=f"{what} of delivery {place['id']}", count=count)
        for what, count in found.items()
        if count
    ]


def is_being_read(store: Store, uri: str) -> bool:
    """Tell whether a delivery is being prepared from a file."""
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["is_being_read"], {"uri": uri}).fetchone()
    return bool(row and row["is_read"])


def replace_file(store: Store, uri: str, *, new_uri: str, count: int, fingerprint: str) -> int:
    """
    Let every saved version that refers to *uri* refer to the new file; returns how many.

    From then on nobody can save the old one, so that it can be removed.
    """
    values = {
        "uri": uri,
        "new_uri": new_uri,
        "count": count,
        "fingerprint": fingerprint,
        "told": Jsonb({"replaced_by": new_uri}),
    }
    with store.transaction() as connection:
        connection.execute(statements(_SQL)["mark_replaced"], values)
        return connection.execute(statements(_SQL)["repoint_audiences"], values).rowcount


@contextmanager
def archives_held(store: Store) -> Iterator[bool]:
    """
    Keep others from writing archives; False: somebody does already.

    What is archived meanwhile would be written as it was before a person was erased from it, and
    of two who replace one file the later would bring back whom the other took out.
    """
    with store.connect() as connection:
        row = connection.execute(statements("archive")["try_archiving"]).fetchone()
        connection.commit()
        yield bool(row and row["is_ours"])


def foreign_files(store: Store) -> list[str]:
    """Name the files of saved audiences that smsflow did not write, and so does not change."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["foreign_files"]).fetchall()
    return [row["uri"] for row in rows]


def archive_folders(store: Store) -> list[str]:
    """Name the folders of archives."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["archives"]).fetchall()
    return [row["uri"] for row in rows]
