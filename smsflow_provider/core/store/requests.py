"""
Answers of writes over REST by the caller's key, so that the same request again does nothing again.

An answer is kept for a day. A request without one is under way for a minute; after that its process
is taken for dead, and the same request may be tried again: what it does must bear being done twice.

No body is kept, only a seal of it: an HMAC under the keys that sign callback addresses. There are
so few phone numbers that a bare hash of a body with one in it tells the number to whoever tries
them all; so would a hash salted in its row. Without the keys, which a role that reads this table,
or a copy of it, need not have, a seal tells nothing. The first key seals and every live key is
compared, so a rotation changes nothing; the same request under a key that was retired since is
taken for another one, and not done.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from psycopg.types.json import Jsonb

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.connection import Connection, Store
from smsflow_provider.core.store.keys import read_keys_in
from smsflow_provider.core.store.statements import statements

_SQL: Final = "requests"
#: Keeps these seals apart from anything else that is signed with the same key.
_PURPOSE: Final = b"smsflow request v1\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One write that somebody asks for under a key."""

    #: Who asks, as Airflow names people.
    actor: str
    #: The caller's own name for it, 1 to 255 characters.
    key: str
    #: Method and path.
    route: str
    #: SHA-256 of the body. Never written down: see above.
    body_hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A key that is ours until it is answered or released."""

    asked: Asked
    begun_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a key was used for before."""

    #: The very same request.
    is_same: bool
    #: HTTP status that was answered. None: it is still under way.
    status: int | None
    #: JSON value that was answered.
    answer: Any = field(repr=False)


def begin_request(store: Store, asked: Asked) -> Claim | Used:
    """
    Claim the key of *asked*; or tell what it was used for.

    Of two who ask at once one gets the claim.

    Raises:
        ConfigError: The store has no key; ``smsflow keys rotate`` makes one.
    """
    with store.transaction() as connection:
        seals = _seals_of(connection, asked)
        values = {**_key(asked), "route": asked.route, "seal": seals[0], "seals": seals}
        row = connection.execute(statements(_SQL)["begin_request"], values).fetchone()
        if row is not None:
            return Claim(asked=asked, begun_at=row["begun_at"])
        used = connection.execute(statements(_SQL)["read_request"], _key(asked)).fetchone()
    if used is None:  # released this moment: the next try gets it
        return Used(is_same=True, status=None, answer=None)
    return Used(
        is_same=used["route"] == asked.route and bytes(used["body_hash"]) in seals,
        status=used["status"],
        answer=used["answer"],
    )


def _seals_of(connection: Connection, asked: Asked) -> list[bytes]:
    """Seal the body with each live key, the one that signs first."""
    keys = read_keys_in(connection)
    if not keys:
        raise ConfigError("the store has no signing key: smsflow keys rotate makes one")
    return [hmac.digest(key, _PURPOSE + asked.body_hash, "sha256") for key in keys]


def answer_request(store: Store, claim: Claim, *, status: int, answer: Any) -> None:
    """Keep what was answered: *status* and the JSON value *answer*."""
    facts = {"begun_at": claim.begun_at, "status": status, "answer": Jsonb(answer)}
    with store.transaction() as connection:
        connection.execute(statements(_SQL)["answer_request"], _key(claim.asked) | facts)


def release_request(store: Store, claim: Claim) -> None:
    """Give the key back: nothing was done under it."""
    facts = _key(claim.asked) | {"begun_at": claim.begun_at}
    with store.transaction() as connection:
        connection.execute(statements(_SQL)["release_request"], facts)


def forget_old_requests(store: Store) -> int:
    """Drop what is kept of requests older than a day, for maintenance. Returns how many."""
    with store.transaction() as connection:
        return connection.execute(statements(_SQL)["forget_requests"]).rowcount


def _key(asked: Asked) -> dict[str, Any]:
    return {"actor": asked.actor, "key": asked.key}
