"""
What has to be done now and then: one list of chores, for the command line and for Airflow.

Every chore stands alone: one that fails is told, and the others are done. All of them may run at
any time, twice at once, beside senders and receivers, and be killed; the next call goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smsflow_provider.core.delivery.overdue import close_overdue_proofs
from smsflow_provider.core.delivery.retention import apply_retention
from smsflow_provider.core.delivery.send import close_stopped
from smsflow_provider.core.errors import SmsflowError, StoreUnreachableError
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.store.archive_files import Folder
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.keys import retire
from smsflow_provider.core.store.prepared import drop_replaced
from smsflow_provider.core.store.receipts import apply_all_receipts, resolve_proven
from smsflow_provider.core.store.reservations import unsettled_stopped


class Chore(StrEnum):
    """One thing that has to be done now and then, in the order in which they are done."""

    #: Apply receipts that wait.
    RECEIPTS = "receipts"
    #: End doubts about messages whose receipt is here.
    DOUBTS = "doubts"
    #: Cancel what stopped deliveries have not sent, and give back their budgets.
    STOPPED = "stopped"
    #: End proofs that nobody finished.
    PROOFS = "proofs"
    #: Drop preparations that another one has replaced.
    REPLACED = "replaced"
    #: Retire keys of callback addresses that nothing can come back for.
    KEYS = "keys"
    #: Archive and drop messages of deliveries that ended long ago.
    RETENTION = "retention"


#: What a chore says it has done, before the number.
WORDS: Final[Mapping[Chore, str]] = {
    Chore.RECEIPTS: "receipts applied",
    Chore.DOUBTS: "messages in doubt resolved by their receipt",
    Chore.STOPPED: "stopped deliveries closed, their budgets given back",
    Chore.PROOFS: "proofs ended that nobody finished",
    Chore.REPLACED: "replaced preparations dropped",
    Chore.KEYS: "keys retired",
    Chore.RETENTION: "deliveries archived",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What the chores need, handed in."""

    #: Who does it, for the logs of deliveries.
    actor: str = "maintain"
    #: Messages of deliveries that ended longer ago are archived: 8 or more; 0: never.
    retention_days: int = 0
    #: Where the archive is. None: messages whose time is over are dropped without files.
    archive: Folder | None = None
    #: Opens the gateway of a connection. None: gateways are not asked.
    open_gateway: Callable[[str], AbstractAsyncContextManager[Gateway]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one chore."""

    chore: Chore
    #: How many things were done; 0 also where it failed.
    count: int
    #: Why it failed, without a number and without a text. Empty: it did not.
    problem: str = ""

    def __str__(self) -> str:
        """Say it in one line."""
        if self.problem:
            return f"failed, {self.chore.value}: {self.problem}"
        return f"{WORDS[self.chore]}: {self.count:,}"


def maintain(
    store: Store,
    upkeep: Upkeep,
    *,
    only: Collection[Chore] = (),
    on_done: Callable[[Done], None] = lambda _: None,
) -> list[Done]:
    """
    Do the chores, one after the other.

    Args:
        only: These chores. Empty: all of them.
        on_done: Called after each.

    Returns:
        What became of each, in their order; some may have failed.

    Raises:
        StoreUnreachableError: There is no store to do anything in.
    """
    results = []
    for chore in Chore:
        if only and chore not in only:
            continue
        results.append(_do(chore, store, upkeep))
        on_done(results[-1])
    return results


def _do(chore: Chore, store: Store, upkeep: Upkeep) -> Done:
    try:
        return Done(chore=chore, count=_CHORES[chore](store, upkeep))
    except StoreUnreachableError:
        raise
    except SmsflowError as error:
        return Done(chore=chore, count=0, problem=str(error))
    except Exception as error:  # noqa: BLE001  the others are done all the same
        # The words of a stranger's error may quote rows.
        return Done(chore=chore, count=0, problem=type(error).__name__)


def _close_stopped(store: Store, upkeep: Upkeep) -> int:
    return sum(close_stopped(store, one, actor=upkeep.actor) for one in unsettled_stopped(store))


_CHORES: Final[Mapping[Chore, Callable[[Store, Upkeep], int]]] = {
    Chore.RECEIPTS: lambda store, _: apply_all_receipts(store),
    Chore.DOUBTS: lambda store, _: resolve_proven(store),
    Chore.STOPPED: _close_stopped,
    Chore.PROOFS: lambda store, upkeep: close_overdue_proofs(store, actor=upkeep.actor),
    Chore.REPLACED: lambda store, _: drop_replaced(store),
    Chore.KEYS: lambda store, _: retire(store),
    Chore.RETENTION: lambda store, upkeep: apply_retention(
        store, days=upkeep.retention_days, archive_in=upkeep.archive
    ),
}
