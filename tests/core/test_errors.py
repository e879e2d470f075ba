from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from smsflow_provider.core import errors
from smsflow_provider.core.errors import (
    ConfigError,
    GatewayError,
    IllegalMoveError,
    MaybeSentError,
    NotSentError,
    RefusedError,
    SmsflowError,
)

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, SmsflowError)
]
FACTS = {"delivery": "d1", "near": ["d2"], "retry_after_s": 1.5, "nothing": None}
_DRAWN = re.compile(r"^( *)[*.-] (\w+Error)\b", re.MULTILINE)


def drawn() -> dict[str, str]:
    """Read the drawing in the module's docstring: each class and the one it stands under."""
    parents: dict[str, str] = {}
    above: dict[int, str] = {}
    for indent, name in _DRAWN.findall(errors.__doc__ or ""):
        depth = len(indent) // 2
        above[depth] = name
        parents[name] = above.get(depth - 1, "")
    return parents


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_pickling_with_its_facts(kind: type[SmsflowError]) -> None:
    error = kind("it went wrong", **FACTS)

    for back in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):  # noqa: S301  our own
        assert type(back) is kind
        assert ("it went wrong", FACTS, str(error)) == (back.problem, back.facts, str(back))


def test_the_drawing_shows_every_class_at_its_place() -> None:
    tree = {kind.__name__: (kind.__mro__[1].__name__) for kind in KINDS}

    assert {**tree, "SmsflowError": ""} == drawn()


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_in_its_docstring_what_is_true(kind: type[SmsflowError]) -> None:
    assert (kind.__doc__ or "").strip()
    assert kind.__name__.endswith("Error")


def test_facts_stand_behind_the_sentence() -> None:
    assert "no such thing" == str(ConfigError("no such thing"))
    assert "no such thing (name='x', near=['y'])" == str(
        ConfigError("no such thing", name="x", near=["y"])
    )


def test_the_type_answers_whether_a_message_can_have_left() -> None:
    for kind in (NotSentError, MaybeSentError, RefusedError):
        assert issubclass(kind, GatewayError)
        assert GatewayError in kind.__bases__
    assert not issubclass(MaybeSentError, NotSentError)


def test_an_error_is_caught_as_its_family() -> None:
    with pytest.raises(errors.StoreError):
        raise IllegalMoveError("a delivery cannot make this move", current="draft")
