"""From one page of an API to the next. Pure: no socket, no clock."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from urllib.parse import urljoin, urlsplit

from smsflow_provider.core.audience.http_options import HttpOptions, Pages, PageStyle
from smsflow_provider.core.errors import AudienceError

#: A value that is not there, which is not the same as one that is empty.
ABSENT = object()

#: Styles in which the API names the whole address.
_LINKED = frozenset({PageStyle.LINK, PageStyle.LINK_HEADER})
_LINK = re.compile(r"<([^>]*)>([^,<]*)")
_NEXT = re.compile(r";\s*rel\s*=\s*\"?[^\";]*\bnext\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """What to ask for next."""

    #: An endpoint below the connection's address, or a whole address that the API named.
    address: str = field(repr=False)
    #: Parameters of the address; empty where the address has its own.
    query: Mapping[str, Any] = field(repr=False)
    #: JSON of a POST; None: no body.
    body: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """What came back."""

    status: int
    #: The whole answer.
    body: bytes = field(repr=False)
    #: By lower-case name.
    headers: Mapping[str, str] = field(repr=False)
    #: The address that answered; relative links begin there.
    url: str = field(repr=False)


def value_at(data: object, path: str) -> Any:
    """
    Find what stands at *path* in an answer; ``ABSENT``: nothing does.

    Example:
        >>> value_at({"data": [{"id": 1}, {"id": 2}]}, "data.-1.id")
        2
    """
    for part in path.split(".") if path else ():
        if isinstance(data, Mapping) and part in data:
            data = data[part]
        elif isinstance(data, list) and _is_place(part, data):
            data = data[int(part)]
        else:
            return ABSENT
    return data


def _is_place(part: str, data: Sequence[object]) -> bool:
    return re.fullmatch(r"-?\d{1,9}", part) is not None and -len(data) <= int(part) < len(data)


def shown_keys(data: object) -> list[str]:
    """Name the keys of an answer for an error: no key that could be a phone, 20 at most."""
    keys = [str(key) for key in data] if isinstance(data, Mapping) else []
    return [key for key in keys if sum(char.isdigit() for char in key) < 6][:20]


class Walk:
    """
    Goes from page to page of one endpoint, and notices when it goes round in circles.

    Args:
        options: The endpoint and how its pages follow.
        label: What errors call the source.
    """

    def __init__(self, options: HttpOptions, *, label: str) -> None:
        self._options = options
        self._pages = options.pages
        self._label = label
        self._number = options.pages.first if options.pages else 0
        self._offset = 0
        self._seen: set[bytes] = set()
        self._before = b""
        self._is_first = True

    def first(self) -> PageRequest:
        """Say what to ask for first."""
        pages = self._pages
        if pages and pages.style is PageStyle.PAGE:
            return self._request({pages.asks_by: self._number})
        if pages and pages.style is PageStyle.OFFSET:
            return self._request({pages.asks_by: 0})
        return self._request({})

    def next(self, answer: PageAnswer, data: object, rows: Sequence[object]) -> PageRequest | None:
        """
        Say what to ask for after *answer*; None: that was the last page.

        Args:
            answer: The page.
            data: What it holds.
            rows: The rows in it.

        Raises:
            AudienceError: The answer does not say what it should, leads back to a page that was
                read, or leads to another host.
        """
        if self._pages is None or not self._has_more(data, self._pages):
            return None
        found = self._found(answer, data, rows, pages=self._pages)
        if found is not None and rows:
            self._check_rows(rows, self._pages)
        return found

    def _found(
        self, answer: PageAnswer, data: object, rows: Sequence[object], *, pages: Pages
    ) -> PageRequest | None:
        is_first, self._is_first = self._is_first, False
        match pages.style:
            case PageStyle.LINK:
                return self._linked(answer, self._told(data, pages, is_first=is_first))
            case PageStyle.LINK_HEADER:
                return self._linked(answer, next_link(answer.headers.get("link", "")))
            case PageStyle.CURSOR:
                return self._after(self._told(data, pages, is_first=is_first), pages)
        return self._counted(rows, pages)

    def _has_more(self, data: object, pages: Pages) -> bool:
        if pages.more is None:
            return True
        more = value_at(data, pages.more)
        if not isinstance(more, bool):
            raise self._error("the answer does not say whether there is more", at=pages.more)
        return more

    def _told(self, data: object, pages: Pages, *, is_first: bool) -> Any:
        """Read the next link or cursor; a place that was misspelt must not look like the end."""
        at = pages.at or ""
        told = value_at(data, at)
        if told is ABSENT and is_first:
            self._check_place(data, at)
        return None if told is ABSENT else told

    def _check_place(self, data: object, at: str) -> None:
        parent, _, name = at.rpartition(".")
        around = value_at(data, parent)
        if around is ABSENT:
            raise self._error("the answer has no such place", at=parent, keys=shown_keys(data))
        near = get_close_matches(name, shown_keys(around), n=1)
        if near:
            raise self._error("the answer has no such place", at=at, near=near[0])

    def _counted(self, rows: Sequence[object], pages: Pages) -> PageRequest | None:
        if not rows:
            return None
        self._number += 1
        self._offset += len(rows)
        is_page = pages.style is PageStyle.PAGE
        return self._request({pages.asks_by: self._number if is_page else self._offset})

    def _check_rows(self, rows: Sequence[object], pages: Pages) -> None:
        digest = _digest(rows)
        if digest == self._before:
            asked = {} if pages.style in _LINKED else {"param": pages.asks_by}
            raise self._error(
                "the API hands out the same page again and again: does it know the parameter?",
                **asked,
            )
        self._before = digest

    def _after(self, cursor: object, pages: Pages) -> PageRequest | None:
        if cursor is None or cursor in ("", False):
            return None
        if not isinstance(cursor, str | int):
            raise self._error("the cursor is neither a text nor a number", at=pages.at)
        self._check_new(str(cursor), "the API hands out the same cursor twice")
        return self._request({pages.asks_by: cursor})

    def _linked(self, answer: PageAnswer, link: object) -> PageRequest | None:
        if link is None or link in ("", False):
            return None
        if not isinstance(link, str):
            raise self._error("the next link is no text")
        address = urljoin(answer.url, link)
        if _origin(address) != _origin(answer.url):
            raise self._error(
                "the next link leads to another host, which must not see the connection's secrets",
                host=urlsplit(address).hostname,
            )
        self._check_new(address, "the API hands out the same link twice")
        return PageRequest(address=address, query={}, body=self._options.body)

    def _check_new(self, mark: str, problem: str) -> None:
        digest = _digest(mark)
        if digest in self._seen:
            raise self._error(problem)
        self._seen.add(digest)

    def _request(self, asked: Mapping[str, Any]) -> PageRequest:
        options, pages = self._options, self._pages
        said = dict(asked)
        if pages and pages.size_param:
            said[pages.size_param] = pages.size
        if pages and pages.into == "body":
            body = {**(options.body or {}), **said}
            return PageRequest(address=options.endpoint, query=options.query, body=body)
        query = {**options.query, **said}
        return PageRequest(address=options.endpoint, query=query, body=options.body)

    def _error(self, problem: str, **facts: object) -> AudienceError:
        return AudienceError(problem, source=self._label, **facts)


def next_link(header: str) -> str | None:
    """
    Find the next page in a ``Link`` header; None: there is none.

    Example:
        >>> next_link('<https://a/x?p=1>; rel="prev", <https://a/x?p=3>; rel="next"')
        'https://a/x?p=3'
    """
    return next((address for address, said in _LINK.findall(header) if _NEXT.search(said)), None)


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or usual


def _digest(value: object) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()[:16]
