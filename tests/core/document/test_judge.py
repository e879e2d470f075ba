from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from smsflow_provider.core.document.judge import judge, text_of
from smsflow_provider.core.document.problem import Problem
from smsflow_provider.core.document.tree import read_tree
from smsflow_provider.core.document.zone import check_zone


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cat(Strict):
    kind: Literal["cat"]
    lives: int = 9


class Dog(Strict):
    kind: Literal["dog"]
    size: Size = Size.SMALL
    friends: tuple[Cat, ...] = ()


class Home(Strict):
    street: str = Field(default="", alias="road")
    best: Cat | None = None
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = Field(default_factory=list)
    named: dict[str, Annotated[Cat | Dog, Field(discriminator="kind")]] = Field(
        default_factory=dict
    )


def told(text: str) -> list[str]:
    tree = read_tree(text)
    _, found = judge(tree, Home)
    return [str(problem).removeprefix(":") for problem in [*tree.problems, *found]]


def test_what_is_right_becomes_the_model() -> None:
    home, problems = judge(read_tree("road: Elm\npets: [{kind: dog, size: large}]\n"), Home)

    assert [] == problems
    assert Home(road="Elm", pets=[Dog(kind="dog", size=Size.LARGE)]) == home


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("raod: Elm", "1: raod: unknown field 'raod' (did you mean 'road'?)"),
        ("best:\n  livez: 3", "2: best.livez: unknown field 'livez' (did you mean 'lives'?)"),
        ("pets:\n- {kind: cot}", "2: pets.0: unknown kind 'cot' (did you mean 'cat'?)"),
        ("pets:\n- {lives: 3}", "2: pets.0: has no kind (known: cat, dog)"),
        (
            "pets:\n- kind: dog\n  size: lage",
            "3: pets.0.size: 'lage' is not a choice (did you mean 'large'?)",
        ),
        (
            "pets:\n- kind: dog\n  friends:\n  - kind: cat\n    livs: 1",
            "5: pets.0.friends.0.livs: unknown field 'livs' (did you mean 'lives'?)",
        ),
        (
            "named:\n  rex:\n    kind: dog\n    syze: small",
            "4: named.rex.syze: unknown field 'syze' (did you mean 'size'?)",
        ),
        ("named: {rex: 3}", "1: named.rex: should be a valid dictionary"),
        ("road: 7", "1: road: should be a valid string, found a value of type int (put it in"),
    ],
)
def test_a_problem_has_its_line_and_the_near_name(text: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in told(text)), told(text)


def test_what_follows_from_a_value_that_was_left_out_is_not_told_again() -> None:
    assert 1 == len(told("pets:\n- {kind: dog, friends: [no]}\n"))


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    assert Problem(file=str(tmp_path / "a.yaml"), text="no such file or directory") == text_of(
        tmp_path / "a.yaml"
    )


def test_a_zone_is_known_by_its_name() -> None:
    assert "Europe/Paris" == check_zone("Europe/Paris")
