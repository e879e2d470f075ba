from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number_value import NumberKind
from smsflow_provider.core.preparation.population import Population


def problems_of(given: Any) -> Any:
    with pytest.raises(ConfigError) as caught:
        Population.read(given, what="exclude")
    return caught.value.facts["problems"]


def test_nothing_said_is_everybody_but_lines_that_take_no_text() -> None:
    population = Population.read({}, what="exclude")

    assert ({}, (), None, None) == (
        population.filters,
        population.audiences,
        population.control_group,
        population.size_limit,
    )
    assert NumberKind.PREMIUM in population.numbers.refuse
    assert NumberKind.FIXED_LINE not in population.numbers.refuse


def test_all_problems_are_told_at_once_with_the_near_names() -> None:
    assert [
        "numbers.refuse.0: 'premum' is not a choice (did you mean 'premium'?)",
        "numbers.countries.0: 'UK' is not an ISO 3166 country code (did you mean 'GB'?)",
        "duplicates.keep: 'best' is not a choice (known: first, freshest, highest)",
        "filters.A b: 'A b' cannot name a rule (up to 63 of a-z, 0-9 and _, a letter first)",
        "filters.many: unknown function 'sum'",
        "size_limits: unknown field 'size_limits' (did you mean 'size_limit'?)",
    ] == problems_of(
        {
            "filters": {"A b": "age < 18", "many": "sum(age) > 1"},
            "numbers": {"refuse": ["premum"], "countries": ["UK"]},
            "duplicates": {"keep": "best"},
            "size_limits": {"count": 3},
        }
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"control_group": {"percent": 10, "count": 2}},
            "control_group: give a percent or a count (one of the two)",
        ),
        (
            {"control_group": {"percent": 500}},
            "control_group.percent: should be less than or equal to 100, found 500",
        ),
        ({"control_group": {}}, "control_group: give a percent or a count (one of the two)"),
        (
            {"duplicates": {"keep": "freshest"}},
            "duplicates: 'by' names a column for freshest and highest, and for them only",
        ),
        (
            {"duplicates": {"by": "seen"}},
            "duplicates: 'by' names a column for freshest and highest, and for them only",
        ),
        ({"filters": {"a": ""}}, "filters.a: must not be empty"),
    ],
)
def test_what_contradicts_itself_is_refused(given: dict[str, Any], expected: str) -> None:
    assert [expected] == problems_of(given)


@pytest.mark.parametrize("given", [None, [], "minors", 7, {"size_limit": {"count": -1}}])
def test_anything_else_is_refused(given: object) -> None:
    assert problems_of(given)


def test_countries_are_written_in_capitals() -> None:
    population = Population.read({"numbers": {"countries": ["fr", "FR", "be"]}}, what="exclude")

    assert {"FR", "BE"} == population.numbers.countries


def test_a_population_is_written_and_read_back_with_what_was_set_only() -> None:
    given = {"filters": {"minors": "age < 18"}, "numbers": {"countries": ["FR"]}}
    population = Population.read(given, what="exclude")

    assert given == population.as_dict()
    assert population == Population.read(population.as_dict(), what="exclude")


def test_a_delivery_adds_its_own_to_what_the_typology_says() -> None:
    typology = Population.read(
        {
            "filters": {"minors": "age < 18"},
            "audiences": ["staff"],
            "numbers": {"refuse": ["voip"]},
            "size_limit": {"count": 1_000},
        },
        what="population",
    )
    own = Population.read(
        {
            "filters": {"away": "city <> 'Lyon'"},
            "audiences": ["vip", "staff"],
            "numbers": {"countries": ["FR"]},
            "control_group": {"percent": 5},
        },
        what="exclude",
    )
    merged = typology.merged(own)

    assert ["minors", "away"] == list(merged.filters)
    assert ("staff", "vip") == merged.audiences
    assert {NumberKind.VOIP} == merged.numbers.refuse
    assert {"FR"} == merged.numbers.countries
    assert typology.size_limit == merged.size_limit
    assert own.control_group == merged.control_group


def test_what_a_delivery_sets_wins() -> None:
    typology = Population.read({"size_limit": {"count": 1_000}}, what="population")
    own = Population.read({"size_limit": {"count": 10}}, what="exclude")

    assert own.size_limit == typology.merged(own).size_limit


def test_a_delivery_cannot_put_another_filter_in_the_place_of_one_of_the_typology() -> None:
    """It would text those whom the typology protects, under the same name."""
    typology = Population.read({"filters": {"minors": "age < 18"}}, what="population")
    other = Population.read({"filters": {"minors": "age < 8"}}, what="exclude")

    with pytest.raises(ConfigError) as caught:
        typology.merged(other)

    assert ["minors"] == caught.value.facts["filters"]
    assert typology.filters == typology.merged(typology).filters


def test_a_dag_is_parsed_without_the_libraries_of_columns_and_numbers() -> None:
    program = (
        "import sys\n"
        "from smsflow_provider.hooks.rules import check_rules\n"
        "check_rules(exclude={'filters': {'minors': 'age < 18'}}, weight=7)\n"
        "print([name for name in ('polars', 'phonenumbers', 'numpy') if name in sys.modules])\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert "[]" == told.stdout.strip()


def test_what_was_written_is_not_repeated_by_an_error_of_python() -> None:
    with pytest.raises(ValueError, match="validation error") as caught:
        Population.model_validate({"filters": ["+33612345678"]})

    assert "336" not in str(caught.value)
