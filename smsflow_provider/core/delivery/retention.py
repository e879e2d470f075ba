"""Retention: what ended long ago goes to the archive, delivery by delivery."""

from __future__ import annotations

from collections.abc import Iterator

from smsflow_provider.core.errors import ConfigError, SmsflowError, StoreError, SupersededError
from smsflow_provider.core.store.archive import (
    LEAST_DAYS,
    MOST_TOGETHER,
    Due,
    archive,
    due_archives,
    prune_strays,
)
from smsflow_provider.core.store.archive_files import Folder
from smsflow_provider.core.store.connection import Store


def apply_retention(store: Store, *, days: int, archive_in: Folder | None) -> int:
    """
    Archive and drop the messages of deliveries that ended more than *days* ago.

    Each campaign has files of its own; direct texts and proofs share theirs. What is in use or has
    just changed is left for the next call. Receipts that fitted nothing are forgotten too.

    Args:
        days: 8 or more; 0: nothing is ever dropped, the call does nothing.
        archive_in: Where the files go. None: messages are dropped without files.

    Returns:
        How many deliveries left the store.

    Raises:
        ConfigError: 1 to 7 days: receipts come up to seven days late.
        StoreError: Some could not be archived, and are still there; the others were.
    """
    if not days:
        return 0
    if days < LEAST_DAYS:
        raise ConfigError(
            "messages are kept for 8 days at the least: receipts come up to seven days late",
            retention_days=days,
        )
    archived, failed = 0, {}
    for ids in _batches(due_archives(store, days=days)):
        try:
            archived += len(archive(store, *ids, folder=archive_in).deliveries)
        except SupersededError:
            continue  # in use, or changed meanwhile: the next call looks again
        except (SmsflowError, OSError) as error:
            failed[ids[0]] = error.problem if isinstance(error, SmsflowError) else _named(error)
    prune_strays(store, days=days)
    if failed:
        raise StoreError(
            "deliveries could not be archived and are still in the store",
            deliveries=dict(list(failed.items())[:5]),
            failed=len(failed),
            archived=archived,
        )
    return archived


def _named(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _batches(due: Due) -> Iterator[list[str]]:
    for one in due.campaigns:
        yield [one]
    for start in range(0, len(due.small), MOST_TOGETHER):
        yield due.small[start : start + MOST_TOGETHER]
