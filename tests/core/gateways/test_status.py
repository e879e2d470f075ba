"""What a status says about whether a message left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import GatewayError, MaybeSentError, NotSentError, RefusedError
from smsflow_provider.core.gateways.base import HttpResponse
from smsflow_provider.core.gateways.status import (
    HOPELESS_CODES,
    check_status,
    is_hopeless,
    retry_after_s,
)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_says_nothing(status: int) -> None:
    check_status(HttpResponse(status=status))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (100, MaybeSentError),
        (301, MaybeSentError),
        (400, RefusedError),
        (401, RefusedError),
        (404, RefusedError),
        (408, MaybeSentError),
        (409, MaybeSentError),
        (413, RefusedError),
        (422, RefusedError),
        (425, MaybeSentError),
        (429, NotSentError),
        (500, MaybeSentError),
        (503, MaybeSentError),
        (599, MaybeSentError),
        (700, MaybeSentError),
    ],
)
def test_each_status_has_its_verdict(status: int, kind: type[GatewayError]) -> None:
    with pytest.raises(kind) as caught:
        check_status(HttpResponse(status=status))

    assert type(caught.value) is kind
    assert f"http_{status}" == caught.value.facts["code"]


@given(st.integers(min_value=0, max_value=999).filter(lambda status: status != 429))
def test_only_a_429_is_certain_to_have_taken_nothing(status: int) -> None:
    """Any other answer is a success, a refusal for good, or doubt."""
    try:
        check_status(HttpResponse(status=status))
    except NotSentError:
        pytest.fail("a status was taken for certainty")
    except (MaybeSentError, RefusedError):
        return


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"RETRY-AFTER": "0"}, 0.0),
        ({}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        (
            {
                "Date": "Sun, 22 Nov 2026 12:00:00 GMT",
                "Retry-After": "Sun, 22 Nov 2026 12:01:30 GMT",
            },
            90.0,
        ),
        (
            {
                "Date": "Sun, 22 Nov 2026 12:00:00 GMT",
                "Retry-After": "Sun, 22 Nov 2026 11:00:00 GMT",
            },
            0.0,
        ),
        ({"Retry-After": "Sun, 22 Nov 2026 12:01:30 GMT"}, None),
    ],
)
def test_the_wish_to_wait_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert seconds == retry_after_s(headers)


@given(st.text(), st.text())
def test_no_header_breaks_the_reading(date: str, wish: str) -> None:
    seconds = retry_after_s({"Date": date, "Retry-After": wish})

    assert seconds is None or seconds >= 0


def test_a_wrong_login_and_a_wrong_address_are_hopeless_but_a_bad_message_is_not() -> None:
    assert {"http_401", "http_403", "http_404", "authorization"} <= HOPELESS_CODES
    assert not {"http_400", "http_413", "number_denied"} & HOPELESS_CODES


@pytest.mark.parametrize("code", ["misconfigured:21606", "misconfigured", "http_401", "http_404"])
def test_what_the_next_message_would_meet_as_well_is_hopeless(code: str) -> None:
    assert is_hopeless(code)
    assert code in HOPELESS_CODES


@pytest.mark.parametrize("code", ["21610", "", "http_400", "not:misconfigured", "21606"])
def test_what_is_about_one_message_is_not_hopeless(code: str) -> None:
    assert not is_hopeless(code)
    assert code not in HOPELESS_CODES
