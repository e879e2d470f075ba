"""What an HTTP status says about "did it leave?", where a vendor's own table says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from smsflow_provider.core.errors import GatewayError, MaybeSentError, NotSentError, RefusedError
from smsflow_provider.core.gateways.base import HttpResponse


class _Codes(frozenset[str]):
    """Codes of ours. One with the gateway's own behind a colon is in it as well."""

    __slots__ = ()

    def __contains__(self, code: object) -> bool:
        return super().__contains__(str(code).partition(":")[0])


#: Codes of a refusal that the next message would meet as well: the connection is wrong, not
#: the message. A sender should stop on them instead of failing a whole delivery.
HOPELESS_CODES = _Codes(
    {
        "authorization",
        "misconfigured",
        "http_401",
        "http_403",
        "http_404",
        "http_405",
        "http_407",
    }
)

#: Codes of the transport for a request of which no byte reached the gateway.
NOT_REACHED_CODES = frozenset(
    {
        "closed",
        "dns",
        "tls",
        "connect_timeout",
        "connect_failed",
        "connect_refused",
        "bad_url",
        "bad_request",
        "too_late",
    }
)

#: Statuses of the 4xx family that do not say whether the request was carried out.
_DOUBTFUL = frozenset({408, 409, 425})


def is_hopeless(code: str) -> bool:
    """
    Say whether the next message would meet *code* as well.

    The code of the gateway itself may follow, after a colon.

    Example:
        >>> is_hopeless("misconfigured:21660"), is_hopeless("http_401"), is_hopeless("21610")
        (True, True, False)
    """
    return code in HOPELESS_CODES


def check_status(response: HttpResponse) -> None:
    """
    Return in silence for a 2xx answer.

    Raises:
        NotSentError: 429: turned away before it was looked at; with ``retry_after_s``.
        RefusedError: Any other 4xx that is not doubtful.
        MaybeSentError: Everything else. A 5xx or a redirect may come after the vendor, or a
            proxy before it, has queued the batch.

    Example:
        >>> check_status(HttpResponse(status=202))
        >>> check_status(HttpResponse(status=503))
        Traceback (most recent call last):
        ...
        smsflow_provider.core.errors.MaybeSentError: the gateway answered with a status that \
leaves doubt (code='http_503')
    """
    if not 200 <= response.status < 300:
        raise _error_of(response)


def _error_of(response: HttpResponse) -> GatewayError:
    code = f"http_{response.status}"
    if response.status == 429:
        wait_s = retry_after_s(response.headers)
        return NotSentError("the gateway is busy", code=code, retry_after_s=wait_s)
    if 400 <= response.status < 500 and response.status not in _DOUBTFUL:
        return RefusedError("the gateway refused the request", code=code)
    return MaybeSentError("the gateway answered with a status that leaves doubt", code=code)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """
    Read how many seconds the gateway asked us to wait; None when it did not say.

    A date is read against the answer's own ``Date``, so no clock is needed and clocks that
    differ do no harm.

    Example:
        >>> retry_after_s({"retry-after": "2.5"})
        2.5
    """
    found = {name.lower(): value for name, value in headers.items()}
    wish = found.get("retry-after", "")
    try:
        seconds = float(wish)
    except ValueError:
        return _seconds_between(found.get("date", ""), wish)
    return seconds if 0 <= seconds < float("inf") else None


def _seconds_between(start: str, end: str) -> float | None:
    try:
        seconds = (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds()
    except (TypeError, ValueError):
        return None
    return max(0.0, seconds)
