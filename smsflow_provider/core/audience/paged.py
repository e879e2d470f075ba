"""People from an HTTP API, a page at a time; the sending itself is handed in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pyarrow as pa

from smsflow_provider.core.audience.http_options import HttpOptions
from smsflow_provider.core.audience.pages import (
    ABSENT,
    PageAnswer,
    PageRequest,
    Walk,
    shown_keys,
    value_at,
)
from smsflow_provider.core.audience.reference import near_hint
from smsflow_provider.core.audience.rows import batch_of
from smsflow_provider.core.audience.source import Pick, all_columns
from smsflow_provider.core.audience.spool import empty_batch
from smsflow_provider.core.errors import AudienceError

#: Sends one request and reads the whole answer, whatever its status. Raises ``OSError`` when
#: none came.
Fetch = Callable[[PageRequest], PageAnswer]

#: Statuses after which the same request may go well.
BUSY = frozenset({408, 429, 500, 502, 503, 504})
#: Seconds: the longest wait we choose, and the longest we let the API choose.
LONGEST_WAIT_S = 60.0
LONGEST_ASKED_S = 900.0

_ADVICE = {
    401: "the API does not know who asks: look at the connection's login",
    403: "the API does not let this connection read people",
    404: "the API has no such endpoint",
}


class PagedBatches:
    """
    A source over all pages of an endpoint.

    One page is held at a time. A page that does not come ends the audience: never a part of one.
    Columns are the keys of the rows of the first page that has any, or ``fields``; a key that a
    row lacks is an empty cell. A key that turns up later is an error, unless columns were chosen.

    Args:
        options: What to ask, and how pages follow.
        fetch: Sends a request.
        pause: Waits for so many seconds.
        now: The time, aware.
        label: What errors call the API.
        pick: Which columns to keep.
    """

    def __init__(
        self,
        options: HttpOptions,
        *,
        fetch: Fetch,
        pause: Callable[[float], None],
        now: Callable[[], datetime],
        label: str,
        pick: Pick = all_columns,
    ) -> None:
        self._options = options
        self._fetch = fetch
        self._pause = pause
        self._now = now
        self._label = label
        self._columns = _Columns(options, pick=pick, label=label)
        self._page_count = self._row_count = self._retry_count = 0
        self._total: int | None = None

    @property
    def label(self) -> str:
        """The connection's id."""
        return self._label

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        try:
            yield from self._batches()
        except RecursionError:
            raise self._error("the answer is nested too deeply", page=self._page_count) from None

    def _batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._columns.empty()
        for rows in self._pages():
            self._row_count += len(rows)
            if self._row_count > self._options.max_rows:
                raise self._error("the API has too many rows", limit=self._options.max_rows)
            if rows:
                yield self._columns.batch(rows)
        self._check_end()

    def facts(self) -> dict[str, Any]:
        """Tell how many pages and rows came, and how often one had to be asked again."""
        return {
            "endpoint": self._options.endpoint,
            "pages": self._page_count,
            "rows": self._row_count,
            "retries": self._retry_count,
        }

    def _pages(self) -> Iterator[Sequence[Any]]:
        walk = Walk(self._options, label=self._label)
        request: PageRequest | None = walk.first()
        while request is not None:
            if self._page_count == self._options.max_pages:
                raise self._error("the API has too many pages", limit=self._options.max_pages)
            answer = self._asked(request)
            self._page_count += 1
            data = self._decoded(answer)
            rows = self._rows_of(data)
            yield rows
            request = walk.next(answer, data, rows)

    def _asked(self, request: PageRequest) -> PageAnswer:
        """Ask until there is an answer, or no hope of one."""
        tries = 0
        while True:
            answer, cause = self._tried(request)
            if answer is not None and answer.status not in BUSY:
                return self._good(answer)
            if tries == self._options.retries:
                raise self._error("the API did not answer", cause=cause, tries=tries + 1)
            self._pause(self._wait_s(answer, tries))
            tries += 1
            self._retry_count += 1

    def _tried(self, request: PageRequest) -> tuple[PageAnswer | None, str]:
        try:
            answer = self._fetch(request)
        except OSError as error:
            # Its text holds the address, with all that was asked.
            return None, type(error).__name__
        return answer, f"status {answer.status}"

    def _wait_s(self, answer: PageAnswer | None, tries: int) -> float:
        asked = retry_after_s(answer.headers.get("retry-after", ""), now=self._now) if answer else 0
        if asked > LONGEST_ASKED_S:
            raise self._error("the API wants us to wait too long", wait_s=round(min(asked, 1e9)))
        return max(asked, min(2.0**tries, LONGEST_WAIT_S))

    def _good(self, answer: PageAnswer) -> PageAnswer:
        if 200 <= answer.status < 300:
            return answer
        if 300 <= answer.status < 400:
            raise self._error(
                "the API is somewhere else: change the connection or the endpoint",
                status=answer.status,
            )
        raise self._error(
            _ADVICE.get(answer.status, "the API refused"),
            status=answer.status,
            endpoint=self._options.endpoint,
            page=self._page_count + 1,
        )

    def _decoded(self, answer: PageAnswer) -> Any:
        try:
            return json.loads(answer.body)
        except ValueError:
            raise self._error(
                "the answer is no JSON",
                type=answer.headers.get("content-type", ""),
                page=self._page_count,
            ) from None

    def _rows_of(self, data: object) -> Sequence[Any]:
        rows = value_at(data, self._options.rows)
        if rows is ABSENT or not isinstance(rows, list | None):
            raise self._error(
                "the answer has no list of rows there",
                rows=self._options.rows,
                keys=shown_keys(data),
                page=self._page_count,
            )
        self._note_total(data)
        return rows or []

    def _note_total(self, data: object) -> None:
        if self._options.total is None:
            return
        total = value_at(data, self._options.total)
        if type(total) is not int:
            raise self._error(
                "the answer does not say how many rows there are", at=self._options.total
            )
        self._total = total

    def _check_end(self) -> None:
        self._columns.check()
        if self._total is not None and self._total != self._row_count:
            raise self._error(
                "the API handed out another number of rows than it has",
                said=self._total,
                found=self._row_count,
            )

    def _error(self, problem: str, **facts: object) -> AudienceError:
        return AudienceError(problem, source=self._label, **facts)


def retry_after_s(text: str, *, now: Callable[[], datetime]) -> float:
    """
    Read a ``Retry-After`` header: seconds, or a date; 0 when it says nothing.

    Example:
        >>> retry_after_s("120", now=datetime.now)
        120.0
    """
    if text.strip().isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        return max(0.0, (at - now()).total_seconds())
    except (TypeError, ValueError):
        return 0.0


class _Columns:
    """Which columns the rows have, decided by the first of them."""

    def __init__(self, options: HttpOptions, *, pick: Pick, label: str) -> None:
        self._paths = dict(options.fields)
        self._label = label
        self._pick = pick
        self._is_open = not self._paths
        self._is_all = pick is all_columns
        self._found: set[str] = set()
        self._near: set[str] = set()
        self._has_rows = False
        if self._paths:
            self._paths = {name: self._paths[name] for name in pick(list(self._paths))}

    def empty(self) -> Iterator[pa.RecordBatch]:
        """Hand out the columns, if they are known before any row."""
        if self._paths:
            yield empty_batch(pa.schema([(name, pa.null()) for name in self._paths]))

    def batch(self, rows: Sequence[Any]) -> pa.RecordBatch:
        """Turn the rows of a page into a batch."""
        kinds = {type(row).__name__ for row in rows if not isinstance(row, Mapping)}
        if kinds:
            raise AudienceError("a row is not names with values", source=self._label, got=kinds)
        if self._is_open and not self._has_rows:
            names = list(dict.fromkeys(key for row in rows for key in row))
            self._paths = {name: name for name in self._pick(names)}
        self._has_rows = True
        self._check_new(rows)
        return batch_of(list(self._paths), [self._values(row) for row in rows])

    def check(self) -> None:
        """Refuse a field that no row had: it was misspelt."""
        missing = [name for name in self._paths if name not in self._found]
        if missing and self._has_rows and not self._is_open:
            raise AudienceError(
                "no row has these fields",
                source=self._label,
                problems=[
                    f"{name}: {self._paths[name]}{near_hint(self._paths[name], self._near)}"
                    for name in missing
                ],
            )

    def _values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(self._value(row, name, path) for name, path in self._paths.items())

    def _value(self, row: Mapping[str, Any], name: str, path: str) -> Any:
        # A key of the row itself may hold points; a path of ours has points between keys.
        value = row.get(path, ABSENT) if self._is_open else value_at(row, path)
        if value is ABSENT:
            return None
        self._found.add(name)
        return value

    def _check_new(self, rows: Sequence[Mapping[str, Any]]) -> None:
        keys = {key for row in rows for key in row}
        self._near |= set(shown_keys(dict.fromkeys(keys)))
        new = sorted(keys - set(self._paths))
        if new and self._is_open and self._is_all:
            raise AudienceError(
                "later rows have keys that the first page had not: choose columns",
                source=self._label,
                keys=shown_keys(dict.fromkeys(new)),
            )
