"""The OpenAPI document: every operation says which problems it may answer with."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from smsflow_provider.plugins.api.models.problem import Problem

#: What any operation may answer.
_EVERY: Final[dict[int, str]] = {
    401: "Nobody is logged in",
    403: "The login is none, or the caller may not do this",
    404: "There is no such thing, or the caller may not see it",
    422: "The request cannot be read, or asks for what cannot be",
    503: "The store does not answer",
}
#: What a write may answer beside.
_WRITES: Final[dict[int, str]] = {
    400: "The body is no text in UTF-8",
    409: "It does not stand as the caller believes: look again",
    502: "The gateway does not answer, or refuses",
}
_MEDIA_TYPE: Final = "application/problem+json"
_READS: Final = frozenset({"get", "head"})


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """
    Document answers of an operation that are problems, for ``responses=``.

    Example:
        >>> sorted(problems(404, 409))
        [404, 409]
    """
    words = _EVERY | _WRITES
    return {each: {"model": Problem, "description": words[each]} for each in statuses}


#: For every operation of the application; see ``document_of`` for what writes have beside.
PROBLEMS: Final = problems(*_EVERY)


def document_of(app: FastAPI) -> dict[str, Any]:
    """
    Write the OpenAPI document of *app*, whose ``responses`` are ``PROBLEMS``.

    Every problem is said to be ``application/problem+json``, and every write to answer also with
    the problems of writes.
    """
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
    )
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _say_problems(operation["responses"], is_write=method not in _READS)
    return document


def _say_problems(responses: dict[str, Any], *, is_write: bool) -> None:
    if is_write:
        for status, words in _WRITES.items():
            responses.setdefault(str(status), {"description": words})
    for code, response in responses.items():
        if code >= "4":
            schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
            response["content"] = {_MEDIA_TYPE: {"schema": schema}}
