"""Many small writes, few commits: callers that come together are written together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from smsflow_provider.core.errors import StoreError

T = TypeVar("T")

log = logging.getLogger(__name__)

_BAD_ITEM = "BadItemError"


class BadItemError(ValueError):
    """An item cannot be stored at all; nothing of its group was."""


class GroupCommit(Generic[T]):
    """
    Collects concurrent items and appends them in groups, one append at a time.

    The first of a group waits at most *wait_s* for company; while one append runs, the next
    group gathers. Each caller gets its answer only after the append that held its item came
    back. Nothing is retried, nothing survives a crash: what was not answered was not promised.
    An item that cannot be stored (``BadItemError``) is found by halves, and takes none with it.

    Works on the event loop of its callers, needs no start, and leaves no task behind when it
    has nothing to write. One instance serves one event loop.

    Args:
        append: Writes a group; durable when it returns.
        wait_s: Seconds the first of a group waits for others.
        group_limit: Most items in one append.
        waiting_limit: Most items waiting; more are turned away at once.
        append_timeout_s: Seconds one append may take.
        after_append: Told of each group after its callers were answered; must not block. What
            it raises is logged and changes nothing.
    """

    def __init__(
        self,
        append: Callable[[Sequence[T]], Awaitable[None]],
        *,
        wait_s: float = 0.005,
        group_limit: int = 1000,
        waiting_limit: int = 20_000,
        append_timeout_s: float = 10.0,
        after_append: Callable[[Sequence[T]], None] | None = None,
    ) -> None:
        self._append = append
        self._wait_s = wait_s
        self._group_limit = group_limit
        self._waiting_limit = waiting_limit
        self._append_timeout_s = append_timeout_s
        self._after_append = after_append
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def add(self, item: T) -> None:
        """
        Return when *item* is durable.

        A caller that is cancelled takes nothing back: its item may still be written.

        Raises:
            StoreError: It is not, as far as is known: the append failed or took too long, or
                too many are waiting already.
        """
        if len(self._waiting) >= self._waiting_limit:
            raise StoreError("too many items are waiting", limit=self._waiting_limit)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        await done

    async def flush(self) -> None:
        """Wait until nothing is waiting or being written. New items may still come."""
        while self._worker is not None and not self._worker.done():
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        try:
            await asyncio.sleep(self._wait_s)
            while self._waiting:
                group = self._waiting[: self._group_limit]
                del self._waiting[: self._group_limit]
                await self._write(group)
        finally:
            _answer(self._waiting, failure="stopped")
            self._waiting.clear()

    async def _write(self, group: Sequence[tuple[T, asyncio.Future[None]]]) -> None:
        try:
            kind = await self._try(group)
            if kind == _BAD_ITEM and len(group) > 1:
                middle = len(group) // 2
                await self._write(group[:middle])
                await self._write(group[middle:])
                return
            _answer(group, failure=kind)
        finally:
            # Nobody waits for ever, whatever ended this.
            _answer(group, failure="stopped")
        if kind:
            facts = {"event": "append_failed", "count": len(group), "kind": kind}
            log.warning("Items were not stored", extra=facts)
        else:
            self._tell([item for item, _ in group])

    async def _try(self, group: Sequence[tuple[T, asyncio.Future[None]]]) -> str:
        """Append *group*. Returns why it failed; empty: it did not."""
        try:
            async with asyncio.timeout(self._append_timeout_s):
                await self._append([item for item, _ in group])
        except BadItemError:
            return _BAD_ITEM
        except Exception as error:  # noqa: BLE001  whatever it is, its callers get an answer
            return type(error).__name__
        return ""

    def _tell(self, items: Sequence[T]) -> None:
        if self._after_append is None:
            return
        try:
            self._after_append(items)
        except Exception:
            log.exception("What follows an append failed", extra={"event": "after_append_failed"})


def _answer(group: Sequence[tuple[T, asyncio.Future[None]]], *, failure: str) -> None:
    """Answer every caller of *group*: stored when *failure* is empty, else why not."""
    for _, done in group:
        if done.done():
            continue
        if failure:
            done.set_exception(StoreError("the item was not stored", kind=failure))
        else:
            done.set_result(None)
