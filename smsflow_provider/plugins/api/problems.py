"""Every error of the plugin as problem+json (RFC 9457): a title, a status, no personal data."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

import structlog
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from smsflow_provider.core.errors import (
    ConfigError,
    GatewayError,
    IllegalMoveError,
    NotAllowedError,
    NotApprovedError,
    NotFoundError,
    SmsflowError,
    SupersededError,
)

log = structlog.get_logger(__name__)

#: What pydantic puts behind a key of an object that is wrong itself.
_KEY = "[key]"
#: A field, as the core names it before what is wrong with it.
_NAMED = re.compile(r"([A-Za-z_][\w.\[\]-]{0,99}): (.+)", re.DOTALL)
#: What the caller can do something about. Everything else is between us and the store: 503.
_STATUS: dict[type[SmsflowError], int] = {
    NotFoundError: 404,
    IllegalMoveError: 409,
    NotAllowedError: 403,
    NotApprovedError: 409,
    SupersededError: 409,
    GatewayError: 502,
}


class WrongInputError(Exception):
    """What the caller asks for cannot be done, for reasons in the request itself."""

    def __init__(self, error: ConfigError) -> None:
        super().__init__(error.problem)
        self.problem = error.problem
        self.facts = error.facts


@contextlib.contextmanager
def wrong_input() -> Iterator[None]:
    """Take a ``ConfigError`` for one of the caller, not of the installation."""
    try:
        yield
    except ConfigError as error:
        raise WrongInputError(error) from None


def tell_problems(app: FastAPI) -> None:
    """Answer each error of *app* with a problem."""
    app.add_exception_handler(SmsflowError, _of_ours)
    app.add_exception_handler(WrongInputError, _of_wish)
    app.add_exception_handler(AirflowNotFoundException, _without_store)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_input)


async def _of_ours(_: Request, error: Exception) -> JSONResponse:
    error = cast("SmsflowError", error)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
    if status == 503:
        # The facts name hosts and databases: for the log, not for every reader.
        log.warning("The store of smsflow cannot be used", cause=str(error))
    return _problem(error.problem, status)


async def _of_wish(_: Request, error: Exception) -> JSONResponse:
    error = cast("WrongInputError", error)
    wrong = error.facts.get("problems")
    told = {name: each for name, each in error.facts.items() if name != "problems"}
    if isinstance(wrong, list | tuple):
        told["problems"] = [_item_of(str(each)) for each in wrong]
    return _problem(error.problem, 422, **told)


def _item_of(words: str) -> dict[str, str]:
    """
    Take the field, where one is named, off what is wrong with it.

    Example:
        >>> _item_of("to: a number is given twice")
        {'field': 'to', 'text': 'a number is given twice'}
        >>> _item_of("2 texts: the most is 1")
        {'field': '', 'text': '2 texts: the most is 1'}
    """
    named = _NAMED.fullmatch(words)
    return {"field": named[1], "text": named[2]} if named else {"field": "", "text": words}


async def _without_store(_: Request, __: Exception) -> JSONResponse:
    return _problem("there is no connection to the store: add one of type smsflow_store", 503)


async def _of_http(_: Request, error: Exception) -> JSONResponse:
    error = cast("HTTPException", error)
    return _problem(str(error.detail), error.status_code, headers=error.headers)


async def _of_input(_: Request, error: Exception) -> JSONResponse:
    errors = cast("RequestValidationError", error).errors()
    wrong = [{"field": _field_of(each["loc"]), "text": each["msg"]} for each in errors]
    return _problem("the request cannot be read", 422, problems=wrong)


def _field_of(place: Sequence[str | int]) -> str:
    """Name the field of a wrong value, also of one in a list; of a wrong key, what it is in."""
    names = [part for part in place if isinstance(part, str)]
    if names[-1:] == [_KEY]:
        names = names[:-2]
    return names[-1] if names else ""


def _problem(title: str, status: int, *, headers: Any = None, **more: Any) -> JSONResponse:
    return JSONResponse(
        {"title": title, "status": status, **more},
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )
