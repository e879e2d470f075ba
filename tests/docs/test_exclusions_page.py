"""The page of the exclusions says what the code does."""

from __future__ import annotations

import re

import pytest
import yaml

from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.number_value import NumberKind, NumberProblem
from smsflow_provider.core.preparation.population import Numbers, Population
from tests.docs.blocks import blocks
from tests.docs.tables import ROOT, comments_of

PAGE = ROOT / "docs" / "exclusions.md"


def test_every_reason_has_its_own_words_in_the_order_of_the_law() -> None:
    heads = re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    named = [word for head in heads for word in head.split() if word in set(Exclusion)]

    assert list(Exclusion) == named


@pytest.mark.parametrize("kind", [Exclusion, NumberProblem, NumberKind])
def test_every_member_that_the_page_shows_is_explained(
    kind: type[Exclusion | NumberProblem | NumberKind],
) -> None:
    comments = dict(comments_of(kind))

    assert [] == [one.name for one in kind if not comments.get(one.name)]


def test_the_example_of_a_population_can_be_used_and_says_everything() -> None:
    (text,) = blocks(PAGE, "yaml", mark="population")
    population = Population.model_validate(yaml.safe_load(text))

    assert set(Population.model_fields) == population.model_fields_set


def test_the_kinds_that_are_refused_are_named() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [] == [one for one in Numbers().refuse if f"`{one}`" not in text]
