"""The receiver with the store behind it: append what comes in, apply it a moment later."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial

from smsflow_provider.core.delivery.published import publish_rules
from smsflow_provider.core.delivery.replies import apply_all_replies
from smsflow_provider.core.delivery.signing import read_signer
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.receipts import apply_all_receipts
from smsflow_provider.receiver.app import Receiver, make_app
from smsflow_provider.receiver.appender import Appender
from smsflow_provider.receiver.fresh import Fresh

#: Seconds between two rounds of applying receipts that came in.
APPLY_EVERY_S = 1.0

log = logging.getLogger(__name__)

#: What is applied in each round, and what is said when that fails: one never keeps the other out.
_APPLIED: tuple[tuple[str, Callable[[Store], int]], ...] = (
    ("Replies wait to be applied", apply_all_replies),
    ("Receipts wait in the inbox", apply_all_receipts),
)


def make_stored_app(
    store: Store,
    *,
    dialects: Callable[[], Mapping[str, Dialect]] = dict,
    public_url: str = "",
) -> Receiver:
    """
    Make the receiver of *store*. Reads the store's keys at once, and again every minute.

    Args:
        store: Where receipts and replies go.
        dialects: Reads the gateways by connection; see ``make_app``.
        public_url: Where gateways reach the receiver.
    """
    appender = Appender(store)
    return make_app(
        signer=Fresh(lambda: read_signer(store)).read_now(),
        append=appender,
        close=appender.close,
        dialects=dialects,
        public_url=public_url,
    )


class _Rounds:
    """
    Applies what came in, round after round.

    The tables of errors that are shipped are published first: a receiver may be there before any
    sender of this version, and receipts must count by them and not by what nobody said.
    """

    def __init__(self) -> None:
        self._is_published = False

    def apply(self, store: Store) -> None:
        """Apply all there is. Never raises."""
        if not self._is_published:
            self._is_published = _tried(
                "The shipped tables of errors are not published",
                lambda: publish_rules(store, None),
            )
        for words, apply in _APPLIED:
            _tried(words, partial(apply, store))


def _tried(words: str, act: Callable[[], object]) -> bool:
    try:
        act()
    except Exception as error:  # noqa: BLE001  the next round tries again
        log.warning(words, extra={"cause": type(error).__name__})
        return False
    return True


async def apply_for_ever(find: Callable[[], Store | None]) -> None:
    """
    Apply receipts and replies every second until cancelled. Several processes may do so at once.

    Args:
        find: Finds the store anew each round; None: there is none now.
    """
    rounds = _Rounds()
    while True:
        await asyncio.to_thread(_apply_once, find, rounds)
        await asyncio.sleep(APPLY_EVERY_S)


def _apply_once(find: Callable[[], Store | None], rounds: _Rounds) -> None:
    try:
        store = find()
    except Exception as error:  # noqa: BLE001  the next round looks again
        log.warning("The store is not found", extra={"cause": type(error).__name__})
        return
    if store is not None:
        rounds.apply(store)


@contextlib.contextmanager
def applying_aside(store: Store) -> Iterator[None]:
    """Apply receipts and replies on a thread for as long as the block runs."""
    over, rounds = threading.Event(), _Rounds()

    def work() -> None:
        while not over.wait(APPLY_EVERY_S):
            rounds.apply(store)

    # What it is at when the process ends is rolled back, and done by whoever applies next.
    thread = threading.Thread(target=work, name="smsflow-apply", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


@contextlib.asynccontextmanager
async def applying(find: Callable[[], Store | None]) -> AsyncIterator[None]:
    """Apply receipts and replies in the background for as long as the block runs."""
    task = asyncio.create_task(apply_for_ever(find))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
