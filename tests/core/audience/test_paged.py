from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.audience.http_options import read_http_options
from smsflow_provider.core.audience.paged import PagedBatches, retry_after_s
from smsflow_provider.core.audience.pages import PageAnswer, PageRequest, next_link
from smsflow_provider.core.audience.source import Pick, all_columns
from smsflow_provider.core.errors import AudienceError

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BASE = "https://api.example.org/v1/people"

Answer = Callable[[PageRequest], PageAnswer]


def answer(data: object, *, status: int = 200, **headers: str) -> PageAnswer:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return PageAnswer(status=status, body=body, headers=named, url=BASE)


@dataclass
class Api:
    """Plays answers, and keeps what was asked and how long was waited."""

    play: Iterator[PageAnswer | OSError] | Answer
    asked: list[PageRequest] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def __call__(self, request: PageRequest) -> PageAnswer:
        self.asked.append(request)
        if callable(self.play):
            return self.play(request)
        found = next(self.play)
        if isinstance(found, OSError):
            raise found
        return found

    def read(self, options: Mapping[str, Any], *, pick: Pick = all_columns) -> list[dict[str, Any]]:
        self.source = PagedBatches(
            read_http_options({"endpoint": "/people", **options}),
            fetch=self,
            pause=self.waits.append,
            now=lambda: NOON,
            label="crm_api",
            pick=pick,
        )
        return [row for batch in self.source.batches() for row in batch.to_pylist()]

    def refusal(self, options: Mapping[str, Any], **more: Any) -> AudienceError:
        with pytest.raises(AudienceError) as caught:
            self.read(options, **more)
        return caught.value


def playing(*answers: PageAnswer | OSError) -> Api:
    return Api(iter(answers))


def people(count: int) -> list[dict[str, Any]]:
    return [{"id": number, "phone": f"06{number:08}"} for number in range(count)]


def pages_of(rows: list[Any], size: int) -> list[list[Any]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)] or [[]]


def by_number(rows: list[Any], size: int) -> Answer:
    def play(request: PageRequest) -> PageAnswer:
        start = (request.query["page"] - 1) * size
        return answer({"data": rows[start : start + size], "count": len(rows)})

    return play


def by_offset(rows: list[Any], size: int) -> Answer:
    def play(request: PageRequest) -> PageAnswer:
        start = request.query["offset"]
        return answer({"data": rows[start : start + size], "count": len(rows)})

    return play


def by_cursor(rows: list[Any], size: int) -> Answer:
    def play(request: PageRequest) -> PageAnswer:
        start = int(request.query.get("cursor", 0))
        more = start + size < len(rows)
        meta = {"next": str(start + size) if more else None}
        return answer({"data": rows[start : start + size], "meta": meta, "count": len(rows)})

    return play


def by_link(rows: list[Any], size: int) -> Answer:
    def play(request: PageRequest) -> PageAnswer:
        start = int(request.address.partition("start=")[2] or 0)
        links = {"next": f"?start={start + size}"} if start + size < len(rows) else {}
        return answer({"data": rows[start : start + size], "links": links, "count": len(rows)})

    return play


def by_header(rows: list[Any], size: int) -> Answer:
    def play(request: PageRequest) -> PageAnswer:
        start = int(request.address.partition("start=")[2] or 0)
        link = f'<{BASE}?start={start + size}>; rel="next"' if start + size < len(rows) else ""
        return answer({"data": rows[start : start + size], "count": len(rows)}, link=link)

    return play


STYLES: list[tuple[Callable[[list[Any], int], Answer], dict[str, Any]]] = [
    (by_number, {"style": "page"}),
    (by_offset, {"style": "offset"}),
    (by_cursor, {"style": "cursor", "at": "meta.next"}),
    (by_link, {"style": "link", "at": "links.next"}),
    (by_header, {"style": "link_header"}),
]


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(0, 30),
    size=st.integers(1, 12),
    style=st.sampled_from(STYLES),
    asked=st.integers(1, 50),
)
def test_everybody_comes_once_and_in_order_whatever_the_style(
    count: int, size: int, style: tuple[Callable[[list[Any], int], Answer], Any], asked: int
) -> None:
    """Servers may hand out smaller pages than they were asked for."""
    play, pages = style
    rows = people(count)
    said = {**pages, "size_param": "limit", "size": asked}

    found = Api(play(rows, size)).read({"rows": "data", "total": "count", "pages": said})
    assert rows == found


def test_one_answer_is_enough_without_pages() -> None:
    api = playing(answer(people(2)))

    assert people(2) == api.read({"query": {"city": "Lyon"}})
    assert [("/people", {"city": "Lyon"})] == [(one.address, one.query) for one in api.asked]
    assert {"endpoint": "/people", "pages": 1, "rows": 2, "retries": 0} == api.source.facts()


def test_a_cursor_may_be_the_id_of_the_last_row_and_go_into_the_body() -> None:
    pages = {
        "style": "cursor",
        "param": "after",
        "at": "data.-1.id",
        "more": "has_more",
        "into": "body",
    }
    api = playing(
        answer({"data": people(2), "has_more": True}),
        answer({"data": people(1), "has_more": False}),
    )

    api.read({"rows": "data", "method": "POST", "body": {"city": "Lyon"}, "pages": pages})
    assert [{"city": "Lyon"}, {"city": "Lyon", "after": 1}] == [one.body for one in api.asked]


@pytest.mark.parametrize(
    ("wait", "asked"), [({}, 1.0), ({"retry_after": "7"}, 7.0), ({"retry_after": "nonsense"}, 1.0)]
)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_api_is_asked_again_when_it_says(
    status: int, wait: dict[str, str], asked: float
) -> None:
    api = playing(answer({}, status=status, **wait), answer(people(1)))

    assert people(1) == api.read({})
    assert [asked] == api.waits
    assert 1 == api.source.facts()["retries"]


def test_waits_grow_and_end() -> None:
    error = (api := playing(*[ConnectionError("phone=0612345678")] * 4)).refusal({"retries": 3})

    assert [1.0, 2.0, 4.0] == api.waits
    assert {"source": "crm_api", "cause": "ConnectionError", "tries": 4} == error.facts


def test_an_api_that_wants_us_to_wait_for_hours_is_not_waited_for() -> None:
    error = playing(answer({}, status=429, retry_after="Mon, 04 May 2026 14:00:00 GMT")).refusal({})

    assert 7200 == error.facts["wait_s"]


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 418])
def test_a_refusal_is_told_without_what_was_answered(status: int) -> None:
    error = (api := playing(answer({"phone": "0612345678"}, status=status))).refusal({})

    assert status == error.facts["status"]
    assert "0612345678" not in str(error)
    assert [] == api.waits


@pytest.mark.parametrize(
    ("answers", "options", "told"),
    [
        ([answer(b"<html>")], {}, "no JSON"),
        ([answer({"dta": []})], {"rows": "data"}, "no list of rows"),
        ([answer({"data": {}})], {"rows": "data"}, "no list of rows"),
        ([answer([1])], {}, "not names with values"),
        ([answer({"data": []})], {"rows": "data", "total": "count"}, "how many rows"),
        ([answer({"data": [], "count": 3})], {"rows": "data", "total": "count"}, "another number"),
        ([answer(people(3))], {"max_rows": 2}, "too many rows"),
        (
            [answer(people(1)), answer(people(2))],
            {"pages": {"style": "page"}, "max_pages": 1},
            "too many pages",
        ),
        ([answer(people(1))] * 2, {"pages": {"style": "page"}}, "same page again"),
        (
            [answer({"d": people(1), "next": str(n)}) for n in range(2)],
            {"rows": "d", "pages": {"style": "cursor", "at": "next", "param": "after"}},
            "same page again",
        ),
        (
            [answer({"d": people(1), "next": f"?p={n}"}) for n in range(2)],
            {"rows": "d", "pages": {"style": "link", "at": "next"}},
            "same page again",
        ),
        ([answer(b"[" * 100_000)], {}, "nested too deeply"),
        ([answer([], status=429, retry_after="9" * 400)], {}, "wait too long"),
        (
            [answer({"d": people(1), "next": "x"})] * 2,
            {"rows": "d", "pages": {"style": "cursor", "at": "next"}},
            "same cursor twice",
        ),
        (
            [answer({"d": people(1), "next": "?p=2"})] * 2,
            {"rows": "d", "pages": {"style": "link", "at": "next"}},
            "same link twice",
        ),
        (
            [answer({"d": [], "next": "https://evil.example/x"})],
            {"rows": "d", "pages": {"style": "link", "at": "next"}},
            "another host",
        ),
        (
            [answer({"d": [], "meta": {"next": None}})],
            {"rows": "d", "pages": {"style": "cursor", "at": "mta.next"}},
            "no such place",
        ),
        (
            [answer({"d": [], "meta": {"next": None}})],
            {"rows": "d", "pages": {"style": "cursor", "at": "meta.nxt"}},
            "near='next'",
        ),
        (
            [answer({"d": []})],
            {"rows": "d", "pages": {"style": "page", "more": "more"}},
            "whether there is more",
        ),
    ],
)
def test_nobody_is_left_out_in_silence(
    answers: list[PageAnswer], options: dict[str, Any], told: str
) -> None:
    error = playing(*answers).refusal(options)

    assert told in str(error)
    assert "0600000000" not in str(error)


def test_keys_that_could_be_numbers_are_not_shown() -> None:
    error = playing(answer({"0612345678": {}, "meta": {}})).refusal({"rows": "data"})

    assert ["meta"] == error.facts["keys"]


def test_fields_name_places_within_a_row() -> None:
    rows = [
        {"contact": {"mobile": "06"}, "tags": ["a", "b"], "age": 3},
        {"contact": {"mobile": "07"}, "age": None},
    ]
    fields = {"phone": "contact.mobile", "tag": "tags.0"}

    assert [{"phone": "06", "tag": "a"}, {"phone": "07", "tag": None}] == (
        playing(answer(rows)).read({"fields": fields})
    )


def test_a_field_that_no_row_has_is_told_with_the_near_one() -> None:
    error = playing(answer(people(2))).refusal({"fields": {"phone": "phne", "id": "id"}})

    assert ["phone: phne (did you mean 'phone'?)"] == error.facts["problems"]


def test_keys_a_row_lacks_are_empty_and_later_ones_are_told() -> None:
    first = answer([{"id": 1, "phone": "06"}, {"id": 2}])
    later = [{"id": 3, "phone": "07", "name": "x"}]
    pages = {"pages": {"style": "page"}}

    assert "name" in str(playing(first, answer(later)).refusal(pages).facts["keys"])
    found = playing(first, answer(later), answer([])).read(pages, pick=lambda _: ["id", "phone"])
    assert ["06", None, "07"] == [row["phone"] for row in found]


def test_nobody_still_tells_the_columns_that_are_known() -> None:
    api = playing(answer([]))
    assert [] == api.read({"fields": {"phone": "p"}})


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("<a?p=2>; rel=next", "a?p=2"),
        ('<a?p=1>; rel="prev", <a?p=3,4>; title="x"; rel="next last"', "a?p=3,4"),
        ('<a?p=1>; rel="nextish"', None),
    ],
)
def test_the_next_page_is_found_in_a_link_header(header: str, expected: str | None) -> None:
    assert expected == next_link(header)


def test_a_date_to_wait_for_may_lack_a_zone_or_be_over() -> None:
    assert 0 == retry_after_s("Mon, 04 May 2026 11:00:00 GMT", now=lambda: NOON)
    assert 0 == retry_after_s("Mon, 04 May 2026 14:00:00 -0000", now=lambda: NOON)


@pytest.mark.parametrize(
    ("given_options", "problem"),
    [
        ({}, "http.endpoint: Field required"),
        ({"endpoint": "/p", "querry": {}}, "did you mean 'query'?"),
        ({"endpoint": "https://x/p"}, "must not name a host"),
        ({"endpoint": "/p?x=1"}, "must not hold a query"),
        ({"endpoint": "/p", "headers": {"Authorization": "x"}}, "belongs to the connection"),
        ({"endpoint": "/p", "body": {}}, "POST only"),
        ({"endpoint": "/p", "pages": {"style": "curser"}}, "http.pages.style"),
        ({"endpoint": "/p", "pages": {"style": "cursor"}}, "needs at"),
        ({"endpoint": "/p", "pages": {"style": "page", "at": "x"}}, "at does not go"),
        ({"endpoint": "/p", "pages": {"style": "link", "at": "x", "param": "p"}}, "param does not"),
        ({"endpoint": "/p", "pages": {"style": "page", "size": 5}}, "go together"),
        ({"endpoint": "/p", "pages": {"style": "page", "frst": 5}}, "did you mean 'first'?"),
    ],
)
def test_what_cannot_be_asked_is_told(given_options: dict[str, Any], problem: str) -> None:
    with pytest.raises(AudienceError) as caught:
        read_http_options(given_options)
    assert problem in str(caught.value.facts["problems"])
