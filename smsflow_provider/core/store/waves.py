"""Pauses and waves of a delivery in the store, and the figures they are judged by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from psycopg import sql
from psycopg.types.json import Jsonb

from smsflow_provider.core.errors import SupersededError
from smsflow_provider.core.states import DeliveryState, PauseReason
from smsflow_provider.core.store.connection import Connection, Row
from smsflow_provider.core.store.deliveries import Delivery, move_delivery, write_log
from smsflow_provider.core.store.statements import statements

_SQL: Final = "waves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a person has accepted who resumed a delivery: everything is counted from here."""

    #: Messages a gateway took, refused, or left in doubt.
    settled: int = 0
    #: Of these, refused, not delivered or in doubt.
    bad: int = 0
    #: Messages a gateway took.
    accepted: int = 0
    #: When, in seconds since 1970 by the store's clock. 0: from the beginning.
    at_s: float = 0.0

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Self:
        """Read what ``asdict`` wrote; what is not there is 0."""
        names = ("settled", "bad", "accepted")
        return cls(
            **{name: int(kept.get(name, 0)) for name in names}, at_s=float(kept.get("at_s", 0.0))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Where a delivery stands at one moment."""

    state: DeliveryState
    #: Everything is switched off.
    is_off: bool
    to_deliver: int
    #: Messages that have any final outcome, also cancelled and expired.
    ended: int
    #: The same, of the chunks that the wave is in.
    in_wave: int
    #: Since the beginning.
    seen: Seen
    #: What is not counted any more.
    judged_from: Seen
    #: The wave that leaves, from 1; 0 without waves.
    wave: int
    #: Its last position. None: nothing is held back.
    wave_until: int | None
    #: Seconds since all of it was settled. None: it is not.
    wave_ended_s: float | None
    sending_at: datetime

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read one row of ``sight``."""
        return cls(
            state=DeliveryState(row["state"]),
            is_off=row["is_off"],
            to_deliver=row["to_deliver"],
            ended=row["ended"],
            in_wave=row["in_wave"],
            seen=Seen(
                settled=row["settled"],
                bad=row["bad"],
                accepted=row["accepted"],
                at_s=row["now_s"],
            ),
            judged_from=Seen.read(row["judged_from"]),
            wave=row["wave"],
            wave_until=row["wave_until"],
            wave_ended_s=row["wave_ended_s"],
            sending_at=row["sending_at"],
        )


def read_sight(connection: Connection, delivery: Delivery) -> Sight:
    """
    Read where *delivery* stands now, by its counters: some milliseconds for ten million messages.

    Raises:
        SupersededError: It is gone, or was prepared again.
    """
    row = connection.execute(
        statements(_SQL)["sight"],
        {"delivery_no": delivery.no, "preparation": delivery.preparation},
    ).fetchone()
    if row is None:
        raise SupersededError("the delivery was prepared again meanwhile", delivery=delivery.id)
    return Sight.from_row(row)


def hold_delivery(
    connection: Connection,
    delivery: Delivery,
    *,
    reason: PauseReason,
    actor: str,
    event: str,
    problem: str,
    facts: dict[str, Any] | None = None,
) -> None:
    """
    Pause *delivery*, which the caller has locked and found sending, and say why in its log.

    Raises:
        IllegalMoveError: It is not being sent.
    """
    move_delivery(connection, delivery, DeliveryState.PAUSED, actor=actor)
    write_pause(connection, delivery, reason=reason.value)
    write_log(
        connection,
        delivery,
        level="warning",
        event=event,
        problem=problem,
        facts={"by": actor, **(facts or {})},
    )


def write_pause(connection: Connection, delivery: Delivery, *, reason: str) -> None:
    """Write why *delivery* is paused; empty: it is not. Nothing on an older schema."""
    if delivery.pause_reason is not None:
        connection.execute(
            statements(_SQL)["write_pause"], {"delivery_no": delivery.no, "reason": reason}
        )


def end_wave(connection: Connection, delivery: Delivery) -> None:
    """Note that all of the wave is settled: from now on it is waited."""
    connection.execute(statements(_SQL)["end_wave"], {"delivery_no": delivery.no})


def begin_wave(
    connection: Connection, delivery: Delivery, *, wave: int, wave_until: int | None
) -> None:
    """Let positions up to *wave_until* leave; None: all."""
    connection.execute(
        statements(_SQL)["begin_wave"],
        {"delivery_no": delivery.no, "wave": wave, "wave_until": wave_until},
    )


def judge_from(connection: Connection, delivery: Delivery, seen: Seen) -> None:
    """Count failures and opt-outs of *delivery* from *seen* on."""
    connection.execute(
        statements(_SQL)["judge_from"],
        {"delivery_no": delivery.no, "judged_from": Jsonb(asdict(seen))},
    )


def index_phones(connection: Connection, delivery: Delivery) -> None:
    """
    Make sure that the messages of *delivery* can be found by number.

    Built once: some seconds for millions of messages, which are never written again.
    """
    connection.execute(statements(_SQL)["lock_phone_index"], {"preparation": delivery.preparation})
    table = f"smsflow_messages_p{delivery.preparation}"
    connection.execute(
        sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} (phone)").format(
            sql.Identifier(f"{table}_phone_v1"), sql.Identifier(table)
        )
    )


def count_opted_out(connection: Connection, delivery: Delivery, sight: Sight) -> int:
    """Count the people who opted out since sending began and had their message by then."""
    row = connection.execute(
        statements(_SQL)["count_opted_out"],
        {
            "preparation": delivery.preparation,
            "since": sight.sending_at,
            "marked_since": datetime.fromtimestamp(sight.judged_from.at_s, tz=UTC),
        },
    ).fetchone()
    return int(row["people"]) if row else 0
