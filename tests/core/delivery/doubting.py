"""Doubts for tests, made without a sender, and a gateway that knows what the test tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from smsflow_provider.core.errors import GatewayError
from smsflow_provider.core.gateways.base import Dialect, HttpRequest, HttpResponse
from smsflow_provider.core.gateways.simulator import SimulatorDialect, SimulatorSettings
from smsflow_provider.core.model import Message, Outcome, message_id_of
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery, read_figures
from tests.prepared_delivery import approve, make_prepared

#: Long enough ago for every look-up.
LONG_AGO_S = 3600.0


def make_doubtful(
    store: Store,
    *,
    count: int,
    doubts: Iterable[int] | None = None,
    delivery_id: str = "d1",
    state: str = "sending",
    code: str = "timeout",
    age_s: float = LONG_AGO_S,
    route: int = 0,
) -> Delivery:
    """Make a delivery all of whose messages were handed over; *doubts* (None: all) are unknown."""
    make_prepared(store, count=count, delivery_id=delivery_id)
    delivery = approve(store, delivery_id)
    positions = list(range(1, count + 1) if doubts is None else doubts)
    values = {
        "no": delivery.no,
        "preparation": delivery.preparation,
        "positions": positions,
        "code": code,
        "age_s": age_s,
        "route": route,
    }
    with store.transaction() as connection:
        for target in ("sending", "paused") if state == "paused" else ("sending", state):
            connection.execute(
                "UPDATE smsflow_deliveries SET state = %s,"
                " sending_at = coalesce(sending_at, now() - %s * interval '1 second')"
                " WHERE no = %s AND state <> %s",
                (target, age_s, delivery.no, target),
            )
        connection.execute(
            "INSERT INTO smsflow_marks (preparation, position, attempt, epoch, route, marked_at)"
            " SELECT preparation, position, 0, 1, %(route)s,"
            " now() - %(age_s)s * interval '1 second' FROM smsflow_messages"
            " WHERE preparation = %(preparation)s",
            values,
        )
        connection.execute(
            "INSERT INTO smsflow_outcomes (preparation, position, attempt, kind, code, settled_at)"
            " SELECT preparation, position, 0,"
            " CASE WHEN position = ANY(%(positions)s) THEN 'unknown' ELSE 'accepted' END,"
            " CASE WHEN position = ANY(%(positions)s) THEN %(code)s ELSE '' END,"
            " now() - %(age_s)s * interval '1 second' FROM smsflow_messages"
            " WHERE preparation = %(preparation)s",
            values,
        )
        connection.execute(
            "UPDATE smsflow_chunks c SET next_position = last_position + 1, unknown = n.unknown,"
            " accepted = last_position - first_position + 1 - n.unknown"
            " FROM (SELECT (position - 1) / 1000 AS chunk,"
            "              count(*) FILTER (WHERE kind = 'unknown') AS unknown"
            "         FROM smsflow_outcomes WHERE preparation = %(preparation)s GROUP BY 1) AS n"
            " WHERE c.preparation = %(preparation)s AND c.chunk = n.chunk",
            values,
        )
    return find_delivery(store, delivery_id)


def id_of(delivery: Delivery, position: int) -> str:
    """Build the id that the gateway saw."""
    return message_id_of(delivery.no, delivery.preparation, position)


class KnowingGateway:
    """
    A gateway that can be asked.

    Args:
        known: Status by message id: accepted, refused or not_found; what is missing is not named.
        before: Called before each answer, with the ids asked about.
        family: Of the dialect.
    """

    def __init__(
        self,
        known: dict[str, str] | None = None,
        *,
        before: Callable[[Sequence[str]], None] = lambda _: None,
        family: str = "query",
    ) -> None:
        self.known = known or {}
        #: How often it wants to be asked; 0: as often as they like.
        self.lookups_per_s = 0.0
        self.reports: dict[str, str] = {}
        #: The ids of each question, in order.
        self.questions: list[list[str]] = []
        #: Raised instead of the next answers, one each.
        self.errors: list[GatewayError] = []
        self._before = before
        self._settings = SimulatorSettings(base_url="http://fake", family=family)
        self._dialect = SimulatorDialect(self._settings)

    def find_by_likeness(self) -> None:
        """Carry no id of ours: what it shows may be another message."""
        self._dialect.finds_by_likeness = True  # type: ignore[attr-defined]

    def use(self, kind: type[SimulatorDialect]) -> None:
        """Speak another dialect."""
        self._dialect = kind(self._settings)

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        raise AssertionError(f"asking hands nothing over, not even {len(batch)}")

    async def ask(self, request: HttpRequest) -> HttpResponse:
        ids = json.loads(request.body)["ids"]
        self.questions.append(ids)
        self._before(ids)
        if self.errors:
            raise self.errors.pop(0)
        rows = [self._row(one) for one in ids if one in self.known]
        return HttpResponse(status=200, body=json.dumps({"messages": rows}).encode())

    def _row(self, message_id: str) -> dict[str, object]:
        row: dict[str, object] = {"id": message_id, "status": self.known[message_id]}
        if row["status"] == "accepted":
            row["ref"] = f"ref-{message_id}"
        if message_id in self.reports:
            row["report"] = {"status": self.reports[message_id], "code": ""}
        return row


def outcomes_of(store: Store, delivery: Delivery) -> dict[int, tuple[str, str]]:
    """Read kind and code of the last outcome of each message."""
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT DISTINCT ON (position) position, kind, code FROM smsflow_outcomes"
            " WHERE preparation = %s ORDER BY position, attempt DESC",
            (delivery.preparation,),
        ).fetchall()
    return {row["position"]: (row["kind"], row["code"]) for row in rows}


def waiting_of(store: Store, delivery: Delivery) -> int:
    """Read how many messages wait for another attempt, by the counters."""
    with store.transaction() as connection:
        row = connection.execute(
            "SELECT sum(waiting)::int AS n FROM smsflow_chunks WHERE preparation = %s",
            (delivery.preparation,),
        ).fetchone()
    return int(row["n"]) if row else 0


def check_figures(store: Store, delivery: Delivery) -> None:
    """Make sure that the counters say what the outcomes say, chunk by chunk."""
    with store.transaction() as connection:
        wrong = connection.execute(
            "SELECT c.chunk FROM smsflow_chunks c JOIN ("
            " SELECT (position - 1) / 1000 AS chunk,"
            "        count(*) FILTER (WHERE kind = 'accepted') AS accepted,"
            "        count(*) FILTER (WHERE kind = 'unknown') AS unknown,"
            "        count(*) FILTER (WHERE kind = 'failed') AS failed,"
            "        count(*) FILTER (WHERE kind = 'not_sent') AS waiting"
            "   FROM smsflow_outcomes WHERE preparation = %(preparation)s GROUP BY 1) AS n"
            " USING (chunk) WHERE c.preparation = %(preparation)s"
            " AND (c.accepted, c.unknown, c.failed, c.waiting)"
            "  <> (n.accepted, n.unknown, n.failed, n.waiting)",
            {"preparation": delivery.preparation},
        ).fetchall()
    assert [] == wrong
    assert min(read_figures(store, delivery).values()) >= 0
