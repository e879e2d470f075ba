"""
What has to be done now and then: one list of chores, for the command line and for Airflow.

Every chore stands alone: one that fails is told, and the others are done. All of them may run at
any time, twice at once, beside senders and receivers, and be killed; the next call goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.loop import run
from smsflow_provider.core.delivery.overdue import close_overdue
from smsflow_provider.core.delivery.poll import poll_once
from smsflow_provider.core.delivery.reconcile import reconcile
from smsflow_provider.core.delivery.replies import apply_all_replies
from smsflow_provider.core.delivery.retention import apply_retention
from smsflow_provider.core.delivery.send import close_stopped
from smsflow_provider.core.delivery.summary import count_again
from smsflow_provider.core.errors import (
    GatewayError,
    SmsflowError,
    StoreUnreachableError,
)
from smsflow_provider.core.gateways.base import Gateway
from smsflow_provider.core.store.archive_files import Folder
from smsflow_provider.core.store.audience_files import purge_files
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.keys import retire
from smsflow_provider.core.store.pace import forget_idle_buckets
from smsflow_provider.core.store.prepared import drop_replaced
from smsflow_provider.core.store.quarantine import age_quarantine
from smsflow_provider.core.store.receipts import apply_all_receipts, resolve_proven
from smsflow_provider.core.store.references import forget_old_references
from smsflow_provider.core.store.replies import prune_replies
from smsflow_provider.core.store.requests import forget_old_requests
from smsflow_provider.core.store.reservations import unsettled_stopped
from smsflow_provider.core.store.used_gateways import recent_gateways

#: Opens the gateway of a connection.
_OpenGateway = Callable[[str], AbstractAsyncContextManager[Gateway]]

#: Gateways that sent within so many days are polled: receipts come up to seven days late, and a
#: message may be valid for some days before.
POLLED_DAYS: Final = 14


class Chore(StrEnum):
    """One thing that has to be done now and then, in the order in which they are done."""

    #: Ask gateways for receipts that they do not bring.
    POLLS = "polls"
    #: Apply receipts that wait.
    RECEIPTS = "receipts"
    #: Apply replies that wait: opt-outs, and opt-outs taken back.
    REPLIES = "replies"
    #: End doubts about messages whose receipt is here.
    DOUBTS = "doubts"
    #: Ask gateways about messages in doubt.
    LOOKUPS = "lookups"
    #: Let numbers out of quarantine whose time is over.
    QUARANTINE = "quarantine"
    #: Cancel what stopped deliveries have not sent, and give back their budgets.
    STOPPED = "stopped"
    #: End deliveries that did not end while they were valid: what has not left expires.
    OVERDUE = "overdue"
    #: End proofs that nobody finished.
    PROOFS = "proofs"
    #: Drop preparations that another one has replaced.
    REPLACED = "replaced"
    #: Retire keys of callback addresses that nothing can come back for.
    KEYS = "keys"
    #: Forget the gateways' own ids of messages that no receipt can name any more.
    REFERENCES = "references"
    #: Forget the pace of gateways and senders that nobody has used for a day.
    PACE = "pace"
    #: Forget replies that came long ago; the opt-outs they brought stay.
    OLD_REPLIES = "old_replies"
    #: Forget what was answered over REST more than a day ago.
    REQUESTS = "requests"
    #: Sample and count deliveries of which more is known than before, such as by late receipts.
    SUMMARIES = "summaries"
    #: Remove files of audiences that were built long ago and that nothing refers to any more.
    AUDIENCES = "audiences"
    #: Archive and drop messages of deliveries that ended long ago.
    RETENTION = "retention"


#: Chores that ask gateways.
ASKING: Final = frozenset({Chore.POLLS, Chore.LOOKUPS})

#: What a chore says it has done, before the number.
WORDS: Final[Mapping[Chore, str]] = {
    Chore.POLLS: "receipts fetched from gateways",
    Chore.RECEIPTS: "receipts applied",
    Chore.REPLIES: "replies applied",
    Chore.DOUBTS: "messages in doubt resolved by their receipt",
    Chore.LOOKUPS: "messages in doubt resolved by their gateway",
    Chore.QUARANTINE: "rows of the quarantine forgotten",
    Chore.STOPPED: "stopped deliveries closed, their budgets given back",
    Chore.OVERDUE: "deliveries ended whose validity was over",
    Chore.PROOFS: "proofs ended that nobody finished",
    Chore.REPLACED: "replaced preparations dropped",
    Chore.KEYS: "keys retired",
    Chore.REFERENCES: "gateways' ids of messages forgotten",
    Chore.PACE: "paces of gateways and senders forgotten",
    Chore.OLD_REPLIES: "old replies forgotten",
    Chore.REQUESTS: "remembered answers forgotten",
    Chore.SUMMARIES: "deliveries counted again",
    Chore.AUDIENCES: "files of audiences removed",
    Chore.RETENTION: "deliveries archived",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What the chores need, handed in."""

    #: Who does it, for the logs of deliveries.
    actor: str = "maintain"
    #: Messages of deliveries that ended longer ago are archived: 8 or more; 0: never.
    retention_days: int = 0
    #: Replies that came longer ago are forgotten: 30 or more; 0: never.
    replies_days: int = 0
    #: Files of audiences that were built longer ago are removed: 8 or more; 0: never.
    audience_days: int = 0
    #: Removes the file of a URI, and what was left beside it. None: no file is removed.
    remove_file: Callable[[str], None] | None = None
    #: Where the archive is. None: messages whose time is over are dropped without files.
    archive: Folder | None = None
    #: Opens the gateway of a connection. None: gateways are not asked.
    open_gateway: _OpenGateway | None = None
    now: Callable[[], datetime] = utc_now


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

    Without ``open_gateway`` the chores that ask gateways (``ASKING``) are left out.

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
        if (only and chore not in only) or (upkeep.open_gateway is None and chore in ASKING):
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


def _poll(store: Store, upkeep: Upkeep) -> int:
    assert upkeep.open_gateway is not None
    return run(_poll_all(store, upkeep.open_gateway))


async def _poll_all(store: Store, open_gateway: _OpenGateway) -> int:
    """Poll every gateway that sent lately; one that does not answer does not hold the others up."""
    total, problems = 0, []
    for conn_id in await asyncio.to_thread(recent_gateways, store, days=POLLED_DAYS):
        try:
            async with open_gateway(conn_id) as gateway:
                total += await poll_once(store, conn_id, gateway)
        except StoreUnreachableError:
            raise
        except Exception as error:  # noqa: BLE001  the others are asked all the same
            # The words of a stranger's error may quote what the gateway said.
            told = error.problem if isinstance(error, SmsflowError) else type(error).__name__
            problems.append(f"{conn_id}: {told}")
    if problems:
        raise GatewayError("gateways could not be polled", problems=problems, fetched=total)
    return total


def _look_up(store: Store, upkeep: Upkeep) -> int:
    assert upkeep.open_gateway is not None
    found = run(reconcile(store, gateway_of=upkeep.open_gateway))
    ended = found.taken + found.not_taken
    if found.problems:
        raise GatewayError(
            "gateways could not be asked", problems=list(found.problems), resolved=ended
        )
    return ended


def _close_stopped(store: Store, upkeep: Upkeep) -> int:
    return sum(close_stopped(store, one, actor=upkeep.actor) for one in unsettled_stopped(store))


def _remove_files(store: Store, upkeep: Upkeep) -> int:
    if upkeep.remove_file is None:
        return 0
    return purge_files(
        store, days=upkeep.audience_days, now=upkeep.now(), remove=upkeep.remove_file
    )


_CHORES: Final[Mapping[Chore, Callable[[Store, Upkeep], int]]] = {
    Chore.POLLS: _poll,
    Chore.RECEIPTS: lambda store, _: apply_all_receipts(store),
    Chore.REPLIES: lambda store, _: apply_all_replies(store),
    Chore.DOUBTS: lambda store, _: resolve_proven(store),
    Chore.LOOKUPS: _look_up,
    Chore.QUARANTINE: lambda store, upkeep: age_quarantine(store, now=upkeep.now()),
    Chore.STOPPED: _close_stopped,
    Chore.OVERDUE: lambda store, upkeep: close_overdue(store, actor=upkeep.actor),
    Chore.PROOFS: lambda store, upkeep: close_overdue(store, actor=upkeep.actor, proofs=True),
    Chore.REPLACED: lambda store, _: drop_replaced(store),
    Chore.KEYS: lambda store, _: retire(store),
    Chore.REFERENCES: lambda store, _: forget_old_references(store),
    Chore.PACE: lambda store, _: forget_idle_buckets(store),
    Chore.OLD_REPLIES: lambda store, upkeep: prune_replies(store, days=upkeep.replies_days),
    Chore.REQUESTS: lambda store, _: forget_old_requests(store),
    Chore.SUMMARIES: lambda store, _: count_again(store),
    Chore.AUDIENCES: _remove_files,
    Chore.RETENTION: lambda store, upkeep: apply_retention(
        store, days=upkeep.retention_days, archive_in=upkeep.archive
    ),
}
