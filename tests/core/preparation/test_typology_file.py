from __future__ import annotations

from pathlib import Path

import pytest

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.typology import TYPOLOGY_DEFAULT
from smsflow_provider.core.preparation.typology_file import (
    find_typology,
    is_typology_file,
    look_at_typology,
    read_typology,
    typology_files,
)

RIGHT = """\
label: France
time_zone: Europe/Paris
population:
  numbers: {countries: [FR]}
rules:
  - kind: filter
    name: minors
    exclude_when: age < 18
  - kind: control
    code: too_many
    level: error
    fails_when: to_deliver > 100000 OR hour < 8
    message: More than 100,000 people, or before eight
"""

WRONG = """\
labl: France
time_zone: Europe/Pariss
population:
  size_limit: {cont: 5}
  numbers: {refuse: [premum]}
rules:
  - kind: filter
    name: minors
    exclude_when: median(age) < 18
  - kind: kontrol
  - kind: control
    code: too_many
    level: fatal
    fails_when: now() > 1
    message: no
  - name: weekly
    days: 7
"""

CLOCK = "'now' differs at each look: CURRENT_DATE is the day of the preparation"
SURPRISE = 'YAML reads no as false (write "no" in quotes, or false if that is meant)'


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder of rules with one typology, ``france``."""
    folder = tmp_path / "rules" / "typologies"
    folder.mkdir(parents=True)
    (folder / "france.yaml").write_text(RIGHT)
    return folder.parent


def test_a_typology_is_read_from_its_file(rules: Path) -> None:
    name, typology = find_typology("france", rules)

    assert ("france", "France", 2) == (name, typology.label, len(typology.rules))


def test_all_problems_are_told_at_once_with_line_and_near_name() -> None:
    typology, problems = read_typology(WRONG, file="a.yaml")

    assert typology is None
    assert [
        "a.yaml:1: labl: unknown field 'labl' (did you mean 'label'?)",
        "a.yaml:2: time_zone: unknown time zone 'Europe/Pariss' (did you mean 'Europe/Paris'?)",
        "a.yaml:4: population.size_limit.count: is missing",
        "a.yaml:4: population.size_limit.cont: unknown field 'cont' (did you mean 'count'?)",
        "a.yaml:5: population.numbers.refuse.0: 'premum' is not a choice (did you mean 'premium'?)",
        "a.yaml:9: rules.0.exclude_when: unknown function 'median'",
        "a.yaml:10: rules.1: unknown kind 'kontrol' (did you mean 'control'?)",
        "a.yaml:13: rules.2.level: 'fatal' is not a choice (known: error, warning, note)",
        f"a.yaml:14: rules.2.fails_when: {CLOCK}",
        f"a.yaml:15: rules.2.message: {SURPRISE}",
        "a.yaml:16: rules.3: has no kind (known: control, filter, pressure)",
    ] == [str(problem) for problem in problems]


def test_figures_that_do_not_exist_are_known_when_the_file_is_read() -> None:
    text = RIGHT.replace("to_deliver > 100000", "to_delivr > 100000 OR cost > 'much'")
    _, problems = read_typology(text, file="a.yaml")

    assert [
        "a.yaml:12: rules.1.fails_when: unknown column 'to_delivr' (did you mean 'to_deliver'?)"
    ] == [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        ("- a\n- b\n", "must hold one typology"),
        ("rules: [\n", "is not YAML"),
        ("label: a\nlabel: b\n", "stands twice, first in line 1"),
    ],
)
def test_what_is_no_typology_is_said(text: str, expected: str) -> None:
    typology, problems = read_typology(text, file="a.yaml")

    assert typology is None
    assert expected in str(problems[0])


def test_a_delivery_that_names_none_gets_the_default_one(rules: Path) -> None:
    assert ("", TYPOLOGY_DEFAULT) == find_typology(None, rules)

    (rules / "typologies" / "default.yml").write_text("label: Everybody\n")
    name, typology = find_typology(None, rules)

    assert ("default", "Everybody") == (name, typology.label)


def test_no_folder_of_rules_is_no_rules(tmp_path: Path) -> None:
    assert ("", TYPOLOGY_DEFAULT) == find_typology(None, tmp_path / "nowhere")


def test_a_typology_that_is_not_there_fails_with_the_near_name(rules: Path) -> None:
    with pytest.raises(ConfigError, match="no such typology") as caught:
        find_typology("frnace", rules)

    assert "did you mean 'france'?" == caught.value.facts["hint"]


def test_the_default_must_be_there_if_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such typology"):
        find_typology("default", tmp_path)


@pytest.mark.parametrize("name", ["../typologies/france", "/etc/passwd", ".", "france.yaml"])
def test_a_name_never_leads_out_of_the_folder(rules: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="no such typology"):
        find_typology(name, rules)


def test_a_broken_default_stops_the_delivery_instead_of_being_left_out(rules: Path) -> None:
    """A typology that cannot be read protects nobody."""
    (rules / "typologies" / "default.yaml").write_text(WRONG)

    with pytest.raises(ConfigError) as caught:
        find_typology(None, rules)

    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    assert "default.yaml:1: labl: unknown field 'labl' (did you mean 'label'?)" == problems[0]
    assert str(rules) not in str(caught.value)


def test_two_files_of_one_name_are_refused(rules: Path) -> None:
    (rules / "typologies" / "france.yml").write_text(RIGHT)

    with pytest.raises(ConfigError, match="two typologies have one name"):
        find_typology("france", rules)


def test_a_file_that_is_no_text_is_a_problem(rules: Path) -> None:
    path = rules / "typologies" / "latin.yaml"
    path.write_bytes("label: Été\n".encode("latin-1"))

    assert ["is not UTF-8"] == [problem.text for problem in look_at_typology(path)[1]]


def test_typologies_are_known_by_their_folder(rules: Path) -> None:
    (rules / "typologies" / ".hidden.yaml").write_text("")

    assert ["france"] == list(typology_files(rules))
    assert is_typology_file(rules / "typologies" / "france.yaml")
    assert not is_typology_file(rules / "budgets.yaml")


def test_an_expression_that_is_no_sql_has_its_line() -> None:
    wrong = (
        "population:\n  filters:\n    minors: age <\nrules:\n"
        "- {kind: filter, name: far, exclude_when: city =}\n"
        "- {kind: pressure, name: weekly, days: 7, most: 1, most_by: CASE WHEN vip}\n"
        "- {kind: control, code: dear, level: error, fails_when: cost >, message: dear}\n"
    )
    problems = read_typology(wrong, file="a.yaml")[1]

    assert [
        (3, "population.filters.minors"),
        (5, "rules.0.exclude_when"),
        (6, "rules.1.most_by"),
        (7, "rules.2.fails_when"),
    ] == [(problem.line, problem.field) for problem in problems]


def test_a_control_is_not_named_like_a_finding_of_the_log() -> None:
    wrong = (
        "rules:\n- {kind: control, code: over_budget, level: note,"
        " fails_when: cost > 3, message: x}\n"
    )
    (problem,) = read_typology(wrong, file="a.yaml")[1]

    assert "a.yaml:2: rules.0.code: 'over_budget' is a word of the log: choose another" == str(
        problem
    )
