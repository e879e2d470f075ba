"""People from an HTTP API behind an Airflow connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import BaseHook
from requests import Session, exceptions
from urllib3.exceptions import DecodeError, HTTPError

from smsflow_provider.core.audience.http_options import HttpOptions, read_http_options
from smsflow_provider.core.audience.paged import PagedBatches
from smsflow_provider.core.audience.pages import PageAnswer, PageRequest
from smsflow_provider.core.audience.source import Pick, all_columns
from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.errors import AudienceError

#: Bytes of one answer. A page is held in memory whole.
MOST_BYTES = 64 * 1024 * 1024
#: Seconds for one answer, however slowly it drips in.
MOST_SECONDS = 600.0


class HttpSource:
    """
    People from an endpoint of a connection of type ``http``.

    Login, headers and TLS are the connection's. Redirects are not followed, so that no secret of
    the connection goes to another host.

    Args:
        conn_id: The connection.
        options: What to ask, and how pages follow.
        pick: Which columns to keep.
        most_seconds: How long one answer may take to come in, once it has begun.
    """

    def __init__(
        self,
        conn_id: str,
        *,
        options: HttpOptions,
        pick: Pick = all_columns,
        most_seconds: float = MOST_SECONDS,
    ) -> None:
        self._most_seconds = most_seconds
        self._conn_id = conn_id
        self._options = options
        self._hook: HttpHook | None = None
        self._session: Session | None = None
        self._pages = PagedBatches(
            options, fetch=self._fetch, pause=time.sleep, now=utc_now, label=conn_id, pick=pick
        )

    @property
    def label(self) -> str:
        """The connection's id."""
        return self._conn_id

    def batches(self) -> Iterator[Any]:
        """Hand out the rows as Arrow batches; see ``Source.batches``."""
        hook = BaseHook.get_hook(self._conn_id)
        if not isinstance(hook, HttpHook):
            raise AudienceError(
                "this connection is not an HTTP API",
                conn_id=self._conn_id,
                hook=type(hook).__name__,
            )
        with hook.get_conn(dict(self._options.headers)) as session:
            self._hook, self._session = hook, session
            yield from self._pages.batches()

    def facts(self) -> dict[str, Any]:
        """Tell how many pages and rows came; see ``told_by``."""
        return self._pages.facts()

    def _fetch(self, request: PageRequest) -> PageAnswer:
        """Send one request, and read its answer up to a limit."""
        try:
            return self._answered(request)
        except (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError):
            raise
        except (exceptions.RequestException, HTTPError) as error:
            # Its text holds the address, with all that was asked.
            raise AudienceError(
                "the API cannot be asked", source=self._conn_id, cause=type(error).__name__
            ) from None

    def _answered(self, request: PageRequest) -> PageAnswer:
        hook, session = self._hook, self._session
        if hook is None or session is None:
            raise AudienceError("the API was not opened", source=self._conn_id)
        address = request.address
        url = address if "://" in address else hook.url_from_endpoint(address)
        with session.request(
            self._options.method,
            url,
            params=dict(request.query),
            json=request.body,
            timeout=self._options.timeout_s,
            allow_redirects=False,
            stream=True,
        ) as response:
            return PageAnswer(
                status=response.status_code,
                body=self._read(response.raw.read1),
                headers={name.lower(): value for name, value in response.headers.items()},
                url=response.url,
            )

    def _read(self, read: Callable[..., bytes]) -> bytes:
        """Read an answer as it comes in, unpacked; a piece at a time, however far it unpacks."""
        body = bytearray()
        end = time.monotonic() + self._most_seconds
        while piece := _piece(read):
            body += piece
            if time.monotonic() > end:
                raise AudienceError(
                    "an answer of the API came in too slowly: ask for fewer rows a page",
                    source=self._conn_id,
                    limit_s=self._most_seconds,
                )
            if len(body) > MOST_BYTES:
                raise AudienceError(
                    "a page of the API is too large: ask for fewer rows a page",
                    source=self._conn_id,
                    limit_bytes=MOST_BYTES,
                )
        return bytes(body)


def _piece(read: Callable[..., bytes]) -> bytes:
    try:
        return read(1 << 16, decode_content=True)
    except DecodeError:
        raise
    except HTTPError as error:
        # Cut off, or silent: as if there had been no answer.
        raise exceptions.ConnectionError(type(error).__name__) from None


def http_source_of(settings: Mapping[str, Any], *, pick: Pick = all_columns) -> HttpSource:
    """
    Make the source of a task's ``http`` and ``conn_id``.

    Raises:
        AudienceError: ``http`` cannot be used; all problems.
    """
    options = read_http_options(settings["http"])
    return HttpSource(settings["conn_id"], options=options, pick=pick)
