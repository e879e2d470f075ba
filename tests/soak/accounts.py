"""What became of every message, as three witnesses tell it: the ledger, the gateway, the list."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.unknown import list_unknown
from smsflow_provider.core.model import message_id_of
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from tests.soak.worker import DELIVERY

_ACCEPTED = frozenset({"accepted", "delivered", "undelivered"})


@dataclass(slots=True, kw_only=True)
class Accounts:
    """How a soak ended."""

    name: str
    seed: int
    messages: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    #: Workers started, and the errors that ended some of them.
    started: int = 0
    ended_by: Counter[str] = field(default_factory=Counter)
    handed_over: int = 0
    #: Ids handed over more than once.
    twice: list[str] = field(default_factory=list)
    #: Ids that are neither accepted nor listed as unknown, or that the gateway never saw though
    #: they are accepted.
    lost: list[str] = field(default_factory=list)
    unknown: int = 0
    #: Of those, how many the gateway never saw: marked, and not handed over.
    unseen: int = 0
    #: How many it was killed with, and how many are left that it should have reported.
    forgotten: int = 0
    unresolved: int = 0
    by_receipt: int = 0
    by_query: int = 0
    seconds: float = 0.0
    #: Whatever else is wrong.
    problems: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was handed over twice or lost, and everything adds up."""
        return not (self.twice or self.lost or self.problems)

    def lines(self) -> list[str]:
        """Tell all of it, a line each."""
        hits = ", ".join(f"{kind} {number}" for kind, number in sorted(self.hits.items()))
        ended = ", ".join(f"{kind} {number}" for kind, number in sorted(self.ended_by.items()))
        facts = {
            "messages": self.messages,
            "hits": f"{sum(self.hits.values())}: {hits}",
            "workers started": f"{self.started}; ended by {ended or 'no error'}",
            "handed over": self.handed_over,
            "twice": len(self.twice),
            "lost": len(self.lost),
            "unknown at the end": f"{self.unknown}: never handed over {self.unseen}, forgotten by"
            f" a killed gateway {self.forgotten}, others {self.unresolved}",
            "resolved by receipt": self.by_receipt,
            "resolved by query": self.by_query,
            "seconds": round(self.seconds),
        }
        told = [f"{name:>20}  {value}" for name, value in facts.items()]
        wrong = [f"{'WRONG':>20}  {problem}" for problem in self.problems]
        for name, ids in (("twice", self.twice), ("lost", self.lost)):
            wrong += [f"{name.upper():>20}  {', '.join(ids[:10])}"] if ids else []
        return [f"== {self.name} (seed {self.seed})", *told, *wrong]


def settle_accounts(
    accounts: Accounts, store: Store, handed: Counter[str], *, forgotten: set[str]
) -> None:
    """
    Compare what the store says with what the gateway got, and write it into *accounts*.

    Args:
        handed: Hand-overs by message id.
        forgotten: Messages of which the gateway may have forgotten to report.
    """
    delivery = find_delivery(store, DELIVERY)
    states = _states(store, delivery)
    accepted = {name for name, state in states.items() if state in _ACCEPTED}
    unknown = {name for name, state in states.items() if state == "unknown"}
    accounts.handed_over = len(handed)
    accounts.twice = sorted(name for name, number in handed.items() if number > 1)
    accounts.lost = sorted((set(states) - accepted - unknown) | (accepted - set(handed)))
    accounts.unknown = len(unknown)
    accounts.unseen = len(unknown - set(handed))
    accounts.forgotten = len(unknown & forgotten)
    accounts.unresolved = len((unknown & set(handed)) - forgotten)
    codes = _codes(store, delivery)
    accounts.by_receipt = codes["by_receipt"]
    accounts.by_query = codes["by_lookup"] + codes["not_taken"]
    accounts.problems += _problems(report(store, DELIVERY), states, accepted, unknown)
    if strange := set(handed) - set(states):
        accounts.problems.append(f"{len(strange)} were handed over that nobody prepared")
    if listed_differently(store, delivery, unknown):
        accounts.problems.append("the list of unknowns is another one than the states say")


def listed_differently(store: Store, delivery: Delivery, unknown: set[str]) -> bool:
    """Compare the list that people see with *unknown*."""
    listed: list[str] = []
    after = 0
    while page := list_unknown(store, delivery, after=after, limit=500):
        listed += [one.message_id for one in page]
        after = page[-1].position
    return sorted(unknown) != sorted(listed)


def _problems(
    told: dict[str, Any], states: dict[str, str], accepted: set[str], unknown: set[str]
) -> list[str]:
    expected = {
        "state": "finished",
        "to_deliver": len(states),
        "accepted": len(accepted),
        "unknown": len(unknown),
        **dict.fromkeys(("failed", "cancelled", "expired", "waiting"), 0),
    }
    return [
        f"the report says {name} {told[name]}, not {value}"
        for name, value in expected.items()
        if told[name] != value
    ]


def _states(store: Store, delivery: Delivery) -> dict[str, str]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT position, state FROM smsflow_message_states WHERE preparation = %s",
            (delivery.preparation,),
        ).fetchall()
    return {
        message_id_of(delivery.no, delivery.preparation, row["position"]): row["state"]
        for row in rows
    }


def _codes(store: Store, delivery: Delivery) -> Counter[str]:
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT code, count(*)::int AS n FROM smsflow_outcomes WHERE preparation = %s"
            " GROUP BY code",
            (delivery.preparation,),
        ).fetchall()
    return Counter({row["code"]: row["n"] for row in rows})
