"""Lists of deliveries, page by page: which they are, then what a list shows of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from smsflow_provider.core.model import DeliveryKind
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import figures_of
from smsflow_provider.core.store.statements import statements

_SQL = "delivery_list"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: More DAGs than this are read from the list of all deliveries, not one by one.
_MOST_DAGS_ONE_BY_ONE: Final = 200

#: States before the end: few deliveries are in one, and an index holds just those.
OPEN_STATES: Final = frozenset(
    {
        DeliveryState.PREPARING,
        DeliveryState.PREPARATION_FAILED,
        DeliveryState.READY,
        DeliveryState.APPROVED,
        DeliveryState.SENDING,
        DeliveryState.PAUSED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page ends: a delivery by when it was made, and its number among those of then."""

    at: datetime
    no: int

    def __str__(self) -> str:
        """Write the place as text that ``from_text`` reads: it is the `next` of a page."""
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.no}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """
        Read a place.

        Raises:
            ValueError: It is none: two numbers with a dash between them, of a time before 10000.

        Example:
            >>> str(Place.from_text("1763862378453573-3"))
            '1763862378453573-3'
        """
        at, _, no = text.partition("-")
        try:
            return cls(at=_EPOCH + timedelta(microseconds=int(at)), no=int(no))
        except OverflowError as error:
            raise ValueError("no place in a list") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which deliveries are asked for. None: whatever it is."""

    #: DAGs of which deliveries may be shown.
    dags: Collection[str] | None = None
    states: Collection[DeliveryState] | None = None
    #: Proofs are shown with what they are of.
    kinds: Collection[DeliveryKind] | None = (DeliveryKind.CAMPAIGN, DeliveryKind.DIRECT)
    run_id: str | None = None
    #: Stands in the label or in the id of the DAG; big and small letters are the same.
    text: str | None = None
    #: Made at this moment or later, and before the other.
    since: datetime | None = None
    until: datetime | None = None
    #: Ended at this moment or later.
    ended_since: datetime | None = None
    #: Only what comes behind this place.
    before: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a list shows of one delivery."""

    no: int
    id: str
    kind: DeliveryKind
    label: str
    dag_id: str
    run_id: str
    task_id: str
    dry_run: bool
    state: DeliveryState
    targeted: int
    to_deliver: int
    created_at: datetime
    created_by: str
    prepared_at: datetime | None
    sending_at: datetime | None
    ended_at: datetime | None
    moved_at: datetime
    pause_reason: str | None
    #: Estimated; decimal text, and its currency. None: not known.
    cost: str | None
    currency: str
    #: Until when it may begin; None: it is not approved, or for as long as one likes.
    approval_expires_at: datetime | None
    #: How far its preparation says it is; None: it is not being prepared.
    progress: dict[str, Any] | None
    begun_at: datetime | None
    progressed_at: datetime | None
    #: Those of ``read_figures``.
    figures: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Read a row of ``read_listed``."""
        given = {name: row[name] for name in cls.__dataclass_fields__ if name in row}
        typed = {"kind": DeliveryKind(row["kind"]), "state": DeliveryState(row["state"])}
        return cls(**{**given, **typed, "figures": figures_of(row)})

    @property
    def place(self) -> Place:
        """Where a page ends that ends with it."""
        return Place(at=self.created_at, no=self.no)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The deliveries of one task of a workflow."""

    dag_id: str
    task_id: str
    #: Among the latest of the workflow.
    occurrences: int
    last_no: int


def known_dags(store: Store) -> list[str]:
    """Name the DAGs that have deliveries, in order."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["known_dags"]).fetchall()
    return [row["dag_id"] for row in rows]


def pick_deliveries(store: Store, wish: Wish, *, limit: int) -> list[int]:
    """Pick the first deliveries of *wish*, newest first: the ``no`` of at most *limit*."""
    with store.transaction() as connection:
        rows = connection.execute(
            statements(_SQL)[_pick_of(wish)], {**_values_of(wish), "limit": limit}
        ).fetchall()
    return [row["no"] for row in rows]


def pick_watched(
    store: Store, wish: Wish, *, failed_since: datetime, unknown_since: datetime, limit: int
) -> list[int]:
    """
    Pick deliveries of *wish* of which some may need a person.

    Args:
        failed_since: Of failed preparations only those since then.
        unknown_since: Of finished deliveries only those that ended since then.
        limit: At most so many that are open, and so many that are finished.
    """
    more = {"failed_since": failed_since, "unknown_since": unknown_since, "limit": limit}
    with store.transaction() as connection:
        rows = connection.execute(
            statements(_SQL)["pick_watched"], {**_values_of(wish), **more}
        ).fetchall()
    return [row["no"] for row in rows]


def read_listed(store: Store, nos: Sequence[int]) -> list[Listed]:
    """Read what a list shows of the deliveries *nos*, newest first."""
    if not nos:
        return []
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["read_listed"], {"nos": list(nos)}).fetchall()
    return [Listed.from_row(row) for row in rows]


def pick_dags(store: Store, wish: Wish, *, limit: int) -> list[tuple[str, Place]]:
    """Pick the DAGs of *wish* with the newest deliveries but proofs, each with that one's place."""
    with store.transaction() as connection:
        rows = connection.execute(
            statements(_SQL)["pick_dags"],
            {**_values_of(wish), "dags": list(wish.dags or ()), "limit": limit},
        ).fetchall()
    return [(row["dag_id"], Place(at=row["created_at"], no=row["no"])) for row in rows]


def read_groups(store: Store, dags: Sequence[str], *, text: str | None, most: int) -> list[Group]:
    """Group the latest *most* deliveries of each of *dags*, proofs apart, by task."""
    values = {"dags": list(dags), "like": _like_of(text), "most": most}
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["group_by_task"], values).fetchall()
    return [Group(**row) for row in rows]


def _pick_of(wish: Wish) -> str:
    """Name the statement that walks the index which suits *wish*."""
    if wish.ended_since is not None:
        return "pick_ended"
    if wish.states and OPEN_STATES.issuperset(wish.states):
        return "pick_open"
    if wish.dags is not None and len(wish.dags) <= _MOST_DAGS_ONE_BY_ONE:
        return "pick_of_dags"
    return "pick_recent"


def _values_of(wish: Wish) -> dict[str, Any]:
    return {
        "dags": None if wish.dags is None else list(wish.dags),
        "states": [state.value for state in wish.states] if wish.states else None,
        "kinds": None if wish.kinds is None else [kind.value for kind in wish.kinds],
        "run_id": wish.run_id,
        "like": _like_of(wish.text),
        "since": wish.since or "-infinity",
        "until": wish.until or "infinity",
        "ended_since": wish.ended_since,
        "before_at": wish.before.at if wish.before else "infinity",
        "before_no": wish.before.no if wish.before else 0,
    }


def _like_of(text: str | None) -> str | None:
    """Write a pattern in which nothing but the ends is wild."""
    if not text:
        return None
    for wild in ("\\", "%", "_"):
        text = text.replace(wild, f"\\{wild}")
    return f"%{text}%"
