"""How people are read from an HTTP API: what to ask, where the rows stand, how pages follow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from smsflow_provider.core.audience.reference import near_hint
from smsflow_provider.core.errors import AudienceError

#: Headers that carry secrets: their place is the connection, which hides them.
_SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization", "x-api-key"}


class PageStyle(StrEnum):
    """How an API says where its next page is."""

    #: A whole address in the answer.
    LINK = "link"
    #: A ``Link`` header with ``rel="next"`` (RFC 8288).
    LINK_HEADER = "link_header"
    #: A number of pages, counted by us until a page is empty.
    PAGE = "page"
    #: A number of rows to skip, counted by us until a page is empty.
    OFFSET = "offset"
    #: A mark in the answer, handed back with the next request.
    CURSOR = "cursor"


#: Styles whose next page stands in the answer, and styles in which we say what is wanted.
_ANSWERED = (PageStyle.LINK, PageStyle.CURSOR)
_ASKED = {PageStyle.PAGE: "page", PageStyle.OFFSET: "offset", PageStyle.CURSOR: "cursor"}


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pages(_Given):
    """How one page leads to the next."""

    style: PageStyle
    #: Name of the parameter that says which page. None: ``page``, ``offset`` or ``cursor``.
    param: str | None = None
    #: Number of the first page.
    first: Annotated[int, Field(strict=True, ge=0)] = 1
    #: Where the next link or the next cursor stands in the answer, such as ``meta.next``.
    at: str | None = None
    #: Where the answer says whether there is more (``true`` or ``false``). None: it does not.
    more: str | None = None
    #: Name and value of the parameter that asks for so many rows a page. None: not asked.
    size_param: str | None = None
    size: Annotated[int, Field(strict=True, ge=1)] | None = None
    #: Where these parameters go.
    into: Literal["query", "body"] = "query"

    @property
    def asks_by(self) -> str:
        """Name of the parameter that says which page."""
        return self.param or _ASKED.get(self.style, "")

    @model_validator(mode="after")
    def check_company(self) -> Self:
        """Refuse what the style does not use, and ask for what it needs."""
        if self.style in _ANSWERED and not self.at:
            raise ValueError(f"style {self.style} needs at: where the next {self.style} stands")
        if self.style not in _ANSWERED and self.at:
            raise ValueError(f"at does not go with style {self.style}")
        if self.style not in _ASKED and self.param:
            raise ValueError(f"param does not go with style {self.style}")
        if (self.size is None) != (self.size_param is None):
            raise ValueError("size and size_param go together")
        return self


class HttpOptions(_Given):
    """
    One endpoint and what its answers look like.

    A place in an answer is written with points: ``data.people``, ``data.-1.id`` for the id of the
    last of a list; empty is the answer itself.
    """

    #: Below the connection's address, such as ``/v1/people``.
    endpoint: Annotated[str, Field(min_length=1)]
    method: Literal["GET", "POST"] = "GET"
    #: Parameters of the address.
    query: dict[str, Any] = Field(default_factory=dict)
    #: Plain headers. Secrets belong to the connection.
    headers: dict[str, str] = Field(default_factory=dict)
    #: JSON of a POST.
    body: dict[str, Any] | None = None
    #: Where the list of rows stands.
    rows: str = ""
    #: Column names and where each stands within a row. Empty: the row's own keys.
    fields: dict[str, str] = Field(default_factory=dict)
    #: Where the answer says how many rows there are on all pages; compared at the end.
    total: str | None = None
    #: None: everything comes in one answer.
    pages: Pages | None = None
    #: Seconds to wait for a connection, and between two bytes of an answer.
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    #: Tries after the first, of each page, when the API is busy or out of reach.
    retries: Annotated[int, Field(strict=True, ge=0, le=20)] = 5
    #: Beyond these there is no audience: never a part of one.
    max_pages: Annotated[int, Field(strict=True, ge=1)] = 10_000
    max_rows: Annotated[int, Field(strict=True, ge=1)] = 10_000_000

    @model_validator(mode="after")
    def check_request(self) -> Self:
        """Refuse an address of its own, secrets in headers, and a body where none goes."""
        if "://" in self.endpoint or self.endpoint.startswith("//"):
            raise ValueError("endpoint must not name a host: the connection does")
        if "?" in self.endpoint:
            raise ValueError("endpoint must not hold a query: write it under query")
        secret = sorted(name for name in self.headers if name.lower() in _SECRET_HEADERS)
        if secret:
            raise ValueError(f"headers: {', '.join(secret)} belongs to the connection")
        if self.method == "GET" and (
            self.body is not None or (self.pages and self.pages.into == "body")
        ):
            raise ValueError("a body goes with method POST only")
        return self


def read_http_options(given: object) -> HttpOptions:
    """
    Read ``http``: see ``HttpOptions`` and ``Pages``.

    Raises:
        AudienceError: It cannot be used; all problems, with near names.

    Example:
        >>> read_http_options({"endpoint": "/people", "pages": {"style": "page"}}).pages.asks_by
        'page'
    """
    if not isinstance(given, Mapping):
        raise AudienceError("http must be names with values", got=type(given).__name__)
    try:
        return HttpOptions.model_validate(dict(given))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = [_problem(each) for each in found]
    raise AudienceError("the API cannot be asked so", problems=problems)


def _problem(error: Any) -> str:
    path = ".".join(str(part) for part in ("http", *error["loc"]))
    if error["type"] == "extra_forbidden":
        model = Pages if error["loc"][0] == "pages" else HttpOptions
        hint = near_hint(str(error["loc"][-1]), model.model_fields)
        return f"{path}: nobody knows this name{hint}"
    if error["type"] in {"literal_error", "enum"}:
        choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        # Never the word itself: it could be a secret that was written into the wrong place.
        return f"{path}: is not a choice: it is one of {', '.join(choices)}"
    return f"{path}: {error['msg'].removeprefix('Value error, ')}"
