"""A document's values become a model, or a list of what is wrong with them, each with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from smsflow_provider.core.document.problem import Problem, near_or_all
from smsflow_provider.core.document.tree import Path, Tree, dotted

#: Size of a workflow or a typology. People write a page or two; a larger file is something else.
MOST_BYTES = 1_000_000

_FOUND = {"str": "a text", "dict": "a mapping", "list": "a list", "NoneType": "nothing"}

#: Errors about how large a number is; the number itself says more than its type.
_BOUNDS = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}

Model = TypeVar("Model", bound=BaseModel)


def text_of(path: FilePath) -> str | Problem:
    """Read the text of a file, or say why not."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return Problem(file=str(path), text=(error.strerror or "cannot be read").lower())
    if len(raw) > MOST_BYTES:
        return Problem(file=str(path), text="is too large", hint="at most 1 MB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Problem(file=str(path), line=line, text="is not UTF-8", hint="save it as UTF-8")


def judge(tree: Tree, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    """
    Make a *model* of what *tree* holds.

    The problems of the tree itself are not repeated, nor what follows from a value that it left
    out.

    Returns:
        The model and no problem, or None and all problems, with lines and near names.
    """
    try:
        return model.model_validate(tree.data), []
    except ValidationError as error:
        found = field_problems(error, tree=tree, model=model)
    told = {each.field for each in tree.problems} - {""}
    return None, [each for each in found if each.field not in told]


def field_problems(error: ValidationError, *, tree: Tree, model: type[BaseModel]) -> list[Problem]:
    """Say every error of pydantic in our words, where it stands in *tree*."""
    return [_said(each, tree, model) for each in error.errors(include_url=False)]


def _said(error: ErrorDetails, tree: Tree, model: type[BaseModel]) -> Problem:
    path, around = _placed(error["loc"], model, tree.data)
    text, hint = _in_words(error, path, around)
    return Problem(field=dotted(path), text=text, hint=hint, line=tree.line_of(path))


@dataclass(frozen=True, slots=True)
class _Around:
    """What may stand at a place: the names of fields, or the kinds of a choice of models."""

    fields: Sequence[str] = ()
    kinds: Sequence[str] = ()


def _in_words(error: ErrorDetails, path: Path, around: _Around) -> tuple[str, str]:
    """Say *error* in our words, with what to do about it."""
    context: Mapping[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "smsflow":
            said = context["text"], context["hint"]
        case "missing":
            said = "is missing", ""
        case "extra_forbidden":
            said = f"unknown field {path[-1]!r}", near_or_all(path[-1], around.fields)
        case "union_tag_not_found":
            said = "has no kind", near_or_all("", around.kinds)
        case "union_tag_invalid":
            said = f"unknown kind {context['tag']!r}", near_or_all(context["tag"], around.kinds)
        case "literal_error" | "enum":
            choices = re.findall(r"'([^']*)'", context["expected"])
            said = f"{error['input']!r} is not a choice", near_or_all(error["input"], choices)
        case _:
            said = _plain(error)
    return said


def _plain(error: ErrorDetails) -> tuple[str, str]:
    if error["type"] in {"string_pattern_mismatch", "string_too_short", "too_short"}:
        return "must not be empty", ""
    kind = type(error["input"]).__name__
    found = _FOUND.get(kind, f"a value of type {kind}")
    if error["type"] in _BOUNDS:
        found = f"{error['input']}"
    said = error["msg"].removeprefix("Input ")
    quotes = error["type"] == "string_type" and kind not in _FOUND
    return f"{said[:1].lower()}{said[1:]}, found {found}", "put it in quotes" if quotes else ""


def _placed(loc: Path, model: type[BaseModel], data: object) -> tuple[Path, _Around]:
    """
    Turn pydantic's location into ours: no kind of a union, no mark of a key.

    Returns:
        The path, and what may stand around its last part.
    """
    path: list[str | int] = []
    shape: Any = model
    around = _Around(fields=_names(shape))
    for part in loc:
        kinds = _kinds(shape)
        if part == "[key]":
            continue
        if part in kinds:
            shape = kinds[str(part)]
            continue
        chosen = _chosen(shape, data)
        around = _Around(fields=_names(chosen), kinds=list(kinds))
        path.append(part)
        shape, data = _below(chosen, part), _value_at(data, part)
    return tuple(path), _Around(fields=around.fields, kinds=list(_kinds(shape)) or around.kinds)


def _bare(shape: Any) -> Any:
    while get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    if get_origin(shape) in {Union, UnionType}:
        some = [each for each in get_args(shape) if each is not type(None)]
        return _bare(some[0]) if len(some) == 1 else shape
    return shape


def _kinds(shape: Any) -> dict[str, Any]:
    """Models of a choice by the word that names them; empty: it is no choice."""
    bare = _bare(shape)
    if get_origin(bare) not in {Union, UnionType}:
        return {}
    return {
        word: each
        for each in map(_bare, get_args(bare))
        if isinstance(each, type) and issubclass(each, BaseModel) and "kind" in each.model_fields
        for word in _words(each.model_fields["kind"].annotation)
    }


def _words(annotation: Any) -> tuple[str, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _chosen(shape: Any, data: object) -> Any:
    kind = data.get("kind") if isinstance(data, Mapping) else None
    return _kinds(shape).get(kind, _bare(shape)) if isinstance(kind, str) else _bare(shape)


def _below(shape: Any, part: str | int) -> Any:
    """Give the type of what stands at *part* of a *shape*; None: nobody can tell."""
    bare = _bare(shape)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        for name, field in bare.model_fields.items():
            if part in (name, field.alias):
                return field.annotation
        return None
    inner = get_args(bare)
    return inner[-1 if get_origin(bare) is dict else 0] if inner else None


def _names(shape: Any) -> list[str]:
    bare = _bare(shape)
    if not (isinstance(bare, type) and issubclass(bare, BaseModel)):
        return []
    return [field.alias or name for name, field in bare.model_fields.items()]


def _value_at(data: object, part: str | int) -> object:
    if isinstance(data, Mapping):
        return data.get(part)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return None
