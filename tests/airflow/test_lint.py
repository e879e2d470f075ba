from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# Airflow makes its home when it is first imported.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="smsflow-airflow-"))

from smsflow_provider.cli.lint import add_arguments, lint, run

ROOT = Path(__file__).parents[2]
WRONG = ROOT / "tests" / "data" / "workflows"

WORKFLOW = """\
id: team.sale
activities:
  people: {kind: build_audience, file: people.csv}
  sms:
    kind: sms_delivery
    audience: people
    template: sale
"""

TEMPLATE = "---\nsender: ACME\n---\nHello {{ name }}, STOP 36111\n"

DAG_FILE = """\
from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
from smsflow_provider import BuildAudienceOperator, SmsDeliveryOperator
from smsflow_provider import ManualApprovalSensor, PrepareDeliveryOperator, SendDeliveryOperator

with DAG("team.by_hand", schedule=None):
    people = BuildAudienceOperator(task_id="people", file="people.csv")
{tasks}
"""

BY_HAND = """
    prepare = PrepareDeliveryOperator(task_id="prepare", audience=people.output, template="sale")
    review = ManualApprovalSensor(task_id="review", delivery=prepare.output{review})
    send = SendDeliveryOperator(task_id="send", delivery={delivery}{send})
    other = EmptyOperator(task_id="other"{other})
    {arrows}
"""


def by_hand(
    arrows: str,
    *,
    review: str = "",
    send: str = "",
    other: str = "",
    delivery: str = "prepare.output",
) -> str:
    tasks = BY_HAND.format(arrows=arrows, review=review, send=send, other=other, delivery=delivery)
    return DAG_FILE.format(tasks=tasks)


def found(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Lint one DAG file; give what is said of each task, without the name of the file."""
    path = folder / "by_hand.py"
    path.write_text(text)
    lint([path], json=True)
    problems = json.loads(capsys.readouterr().out)["problems"]
    return [
        f"{problem['field'].removeprefix('team.by_hand.')}: {problem['text']}"
        for problem in problems
    ]


GROUP = """
    sms = SmsDeliveryOperator("sms", audience=people.output, template="sale")
"""
ALONE = "can start without the review of its delivery"


@pytest.mark.parametrize(
    "text",
    [
        DAG_FILE.format(tasks=GROUP),
        DAG_FILE.format(tasks=GROUP + "    sms >> EmptyOperator(task_id='next')"),
        by_hand("prepare >> review >> send"),
        by_hand("prepare >> review >> other >> send"),
        by_hand("prepare >> review >> send", delivery="review.output"),
        by_hand(
            "prepare >> review >> send",
            delivery="\"{{ ti.xcom_pull(task_ids='prepare') }}\"",
        ),
        "x = 1\n",
    ],
)
def test_a_sound_dag_file_has_no_problems(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [] == found(text, tmp_path, capsys)


REFUSED = {
    "no review before the send": (by_hand("prepare >> send"), [f"send: {ALONE}"]),
    "a send that runs whatever came before": (
        by_hand("prepare >> review >> send", send=", trigger_rule='all_done'"),
        ["send: trigger rule 'all_done' would start it after a failure or a skip"],
    ),
    "a review that runs whatever came before": (
        by_hand("prepare >> review >> send", review=", trigger_rule='all_done'"),
        ["review: trigger rule 'all_done' would start it after a failure or a skip"],
    ),
    "a gap between review and send": (
        by_hand("prepare >> review >> other >> send", other=", trigger_rule='none_failed'"),
        [f"send: {ALONE}"],
    ),
    "a stranger that leads to the send": (
        by_hand("prepare >> review >> send; other >> send"),
        ["send: 'other' leads to it around its review"],
    ),
    "a send as a teardown": (
        by_hand("prepare >> review >> send; send.as_teardown(setups=people)"),
        [
            "send: trigger rule 'all_done_setup_success' would start it after a failure or a skip",
            "send: is a teardown, which Airflow starts by other rules",
        ],
    ),
    "a mapped send": (
        DAG_FILE.format(
            tasks="""
    SendDeliveryOperator.partial(task_id="send").expand(delivery=["d1", "d2"])
"""
        ),
        [
            "send: does not say which delivery it is about",
            "send: is mapped: one approval would stand for several instances",
        ],
    ),
    "a send of a delivery that was never prepared here": (
        DAG_FILE.format(
            tasks="""
    SendDeliveryOperator(task_id="send", delivery="spring-sale-1")
"""
        ),
        [f"send: {ALONE}"],
    ),
    "a subclass of ours that skips the review": (
        DAG_FILE.format(
            tasks="""
    class Mine(SendDeliveryOperator):
        pass
    Mine(task_id="send", delivery="spring-sale-1")
"""
        ),
        [f"send: {ALONE}"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_dag_file_that_could_send_unapproved_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, expected = REFUSED[name]

    assert expected == found(text, tmp_path, capsys)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from airflow.sdk import DAG\n1 / 0\n", "2: cannot be loaded: ZeroDivisionError"),
        ("from airflow.sdk import DAG\nimport no_such_thing\n", "2: cannot be loaded: ModuleNot"),
        ("from airflow.sdk import DAG\ndef f(:\n", "2: cannot be loaded: SyntaxError"),
    ],
)
def test_a_dag_file_that_cannot_be_loaded_is_a_problem_with_its_line(
    text: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)

    assert 1 == lint([path])
    assert capsys.readouterr().out.startswith(f"{path}:{expected}")


def test_a_dag_file_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_lint_test.py").write_text("NAME = 'team.neighbour'\n")
    path = tmp_path / "dag.py"
    path.write_text(
        "from airflow.sdk import DAG\nfrom neighbour_of_lint_test import NAME\nDAG(NAME)\n"
    )

    assert 0 == lint([path])
    assert str(tmp_path) not in sys.path


def test_the_examples_have_no_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == lint([ROOT / "dags"])
    assert re.fullmatch(r"no problems in \d+ files\n", capsys.readouterr().out)


# Workflows and templates: no Airflow is needed for them.


def test_every_problem_is_one_line_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    path = WRONG / "everything_wrong.yaml"
    expected = (WRONG / "everything_wrong.txt").read_text(encoding="utf-8").splitlines()

    assert 1 == lint([path])
    assert [f"{path}:{line}" for line in expected] == capsys.readouterr().out.splitlines()


def test_with_json_stdout_holds_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == lint([WRONG, "gone.yaml"], json=True)
    told = json.loads(capsys.readouterr().out)

    assert 2 == told["files"]
    assert {
        "file": "gone.yaml",
        "line": None,
        "field": "",
        "text": "no such file or folder",
        "hint": "",
    } == told["problems"][0]
    assert {1} == {problem["line"] for problem in told["problems"] if problem["field"] == "id"}


def test_what_a_dag_file_prints_is_not_part_of_the_document(tmp_path: Path) -> None:
    path = tmp_path / "loud.py"
    path.write_text("from airflow.sdk import DAG\nprint('LOUD')\nDAG('team.loud')\n")
    code = "import sys; from smsflow_provider.cli.lint import lint; lint(sys.argv[1:], json=True)"

    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path / "airflow")},
    )

    assert {"files": 1, "problems": [], "notes": []} == json.loads(done.stdout)


def test_workflows_and_templates_are_looked_at_without_airflow(tmp_path: Path) -> None:
    (tmp_path / "sale.yaml").write_text(WORKFLOW)
    (tmp_path / "sale.sms.j2").write_text(TEMPLATE)
    code = (
        "import sys; from smsflow_provider.cli.lint import lint; lint(sys.argv[1:]);"
        " print('airflow' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )

    assert "no problems in 2 files\nFalse\n" == done.stdout


def test_a_template_with_problems_is_told_with_its_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sale.sms.j2"
    path.write_text("---\nsendr: ACME\nmax_parts: 99\n---\nHello {{ name }\n")

    assert 1 == lint([path])
    told = capsys.readouterr().out.splitlines()
    assert f"{path}:2: sendr: unknown setting (did you mean 'sender'?)" == told[0]
    assert [f"{path}:{line}" for line in (2, 3, 5)] == [line.partition(": ")[0] for line in told]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("sale", []),
        ("sale.sms.j2", []),
        ("sael", ["no such template 'sael' (did you mean 'sale'?)"]),
        ("../secret", ["no such template '../secret' (known: broken, sale)"]),
        ("broken", ["template 'broken': 1 problem in the template (look at it with smsflow lint)"]),
        ('"{{ params.which }}"', []),
    ],
)
def test_a_workflow_names_a_template_that_is_there(
    template: str, expected: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "sale.sms.j2").write_text(TEMPLATE)
    (tmp_path / "templates" / "broken.sms.j2").write_text("no front matter\n")
    (tmp_path / "workflows").mkdir()
    path = tmp_path / "workflows" / "sale.yaml"
    params = "params: {which: {type: string}}\n"
    path.write_text(params + WORKFLOW.replace("template: sale", f"template: {template}"))

    lint([path])

    told = [line for line in capsys.readouterr().out.splitlines() if "no problems" not in line]
    assert [f"{path}:8: activities.sms.template: {each}" for each in expected] == told


def write_rules(folder: Path) -> Path:
    """Write a folder of rules in which every file has a problem but one typology."""
    rules = folder / "rules"
    (rules / "typologies").mkdir(parents=True)
    (rules / "typologies" / "good.yaml").write_text("label: Good\n")
    (rules / "typologies" / "bad.yaml").write_text("rules:\n- {kind: filtr}\n")
    (rules / "budgets.yaml").write_text("default: {per_daz: {parts: 1}}\n")
    (rules / "prices.csv").write_text("# as of 2026-11-01\ncountry,price,currency\nFRR,1,EUR\n")
    (rules / "keywords.yaml").write_text("leave_out: [QIUT]\n")
    (rules / "qualification.yaml").write_text("limits: {soft_erors: 3}\n")
    return rules


def test_rules_are_looked_at_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = write_rules(tmp_path)

    assert 1 == lint([tmp_path])
    told = capsys.readouterr().out.splitlines()
    assert [
        f"{rules}/budgets.yaml:1: default.per_daz: unknown key (did you mean 'per_day'?)",
        f"{rules}/keywords.yaml:1: leave_out.0: 'QIUT' is not shipped (did you mean 'quit'?)",
        f"{rules}/prices.csv:3: country: 'FRR' is not a country (did you mean 'FR'?)",
        (
            f"{rules}/qualification.yaml:1: limits.soft_erors: unknown field 'soft_erors'"
            " (did you mean 'soft_errors'?)"
        ),
        f"{rules}/typologies/bad.yaml:2: rules.0: unknown kind 'filtr' (did you mean 'filter'?)",
    ] == told


@pytest.mark.parametrize(
    ("typology", "expected"),
    [
        ("good", []),
        ("goood", ["no such typology 'goood' (did you mean 'good'?)"]),
        ('"{{ params.which }}"', []),
    ],
)
def test_a_workflow_and_a_template_name_a_typology_that_is_there(
    typology: str, expected: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rules(tmp_path)
    (tmp_path / "workflows").mkdir()
    path = tmp_path / "workflows" / "sale.yaml"
    params = "params: {which: {type: string}}\n"
    path.write_text(f"{params}{WORKFLOW}    typology: {typology}\n")
    template = tmp_path / "sale.sms.j2"
    named = typology if "{" not in typology else "good"
    template.write_text(TEMPLATE.replace("sender: ACME", f"sender: ACME\ntypology: {named}"))

    lint([path, template])

    told = [line for line in capsys.readouterr().out.splitlines() if "no problems" not in line]
    problems = [line for line in told if ": note: " not in line]
    assert [f"{path}:9: activities.sms.typology: {each}" for each in expected] + [
        f"{template}: typology: {each}" for each in expected
    ] == problems


def test_a_workflow_and_a_template_name_a_budget_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = write_rules(tmp_path)
    (rules / "budgets.yaml").write_text("spring:\n  per_day: {parts: 5}\n")
    path, template = tmp_path / "sale.yaml", tmp_path / "sale.sms.j2"
    path.write_text(f"{WORKFLOW}    budget: springs\n")
    template.write_text(TEMPLATE.replace("sender: ACME", "sender: ACME\nbudget: springs"))

    assert 1 == lint([path, template])
    told = capsys.readouterr().out
    problem = "budget: no such budget 'springs' (did you mean 'spring'?)"
    assert f"{path}:8: activities.sms.{problem}\n" in told
    assert f"{template}: {problem}\n" in told


DIMENSION = "table: people\nkey: id\nphone: tel\ncolumns: {age: integer}\n"


def test_dimensions_are_looked_at_with_the_columns_of_their_filters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rules" / "dimensions"
    folder.mkdir(parents=True)
    (folder / "good.yaml").write_text(DIMENSION)
    (folder / "typo.yaml").write_text(DIMENSION.replace("key:", "kye:"))
    (folder / "wrong.yaml").write_text(f"{DIMENSION}filters: {{a: {{column: aeg, above: 1}}}}\n")

    assert 1 == lint([tmp_path])
    assert [
        f"{folder}/typo.yaml:1: key: is missing",
        f"{folder}/typo.yaml:2: kye: unknown field 'kye' (did you mean 'key'?)",
        f"{folder}/wrong.yaml: filters.a.column: unknown column 'aeg' (did you mean 'age'?)",
    ] == capsys.readouterr().out.splitlines()


def test_a_workflow_names_a_dimension_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules" / "dimensions").mkdir(parents=True)
    (tmp_path / "rules" / "dimensions" / "people.yaml").write_text(DIMENSION)
    path = tmp_path / "sale.yaml"
    path.write_text(
        "id: a.b\nactivities:\n  who:\n    kind: build_audience\n    dimension: peple\n"
        "    rules: [{column: age, above: 1}]\n    save_as: grown\n"
    )

    lint([path])

    problem = "activities.who.dimension: no such dimension 'peple' (did you mean 'people'?)"
    assert f"{path}:5: {problem}\n" in capsys.readouterr().out


def test_rules_of_a_workflow_are_held_against_their_dimension(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rules" / "dimensions"
    folder.mkdir(parents=True)
    (folder / "people.yaml").write_text(
        "table: people\nkey: id\nphone: phone\ncolumns: {city: text, age: integer}\n"
    )
    (tmp_path / "workflows").mkdir()
    path = tmp_path / "workflows" / "a.yaml"
    path.write_text(
        "id: team.a\n"
        "activities:\n"
        "  who:\n"
        "    kind: build_audience\n"
        "    dimension: people\n"
        "    columns: [cty]\n"
        "    save_as: grown\n"
        "    rules:\n"
        "      - {column: age, at_least: '{{ params.age }}'}\n"
        "      - any:\n"
        "          - {column: citty, equals: Lyon}\n"
        "          - {column: age, starts_with: a}\n"
        "params: {age: {type: integer, default: 18}}\n"
    )
    assert 1 == lint([path])

    said = capsys.readouterr().out.splitlines()
    assert 3 == len(said)
    assert said[0].startswith(f"{path}:6: activities.who.columns.0: unknown column 'cty'")
    assert said[1].startswith(f"{path}:11: activities.who.rules.1.any.0.column: unknown column")
    assert "did you mean 'city'?" in said[1]
    assert said[2].startswith(f"{path}:12: activities.who.rules.1.any.1")


def test_an_expression_that_is_no_sql_is_told_where_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, template = tmp_path / "sale.yaml", tmp_path / "sale.sms.j2"
    path.write_text(f"{WORKFLOW}    exclude:\n      filters:\n        minors: age <\n")
    template.write_text(TEMPLATE.replace("sender: ACME", "sender_expression: coalesce(shop"))

    assert 1 == lint([path, template])
    told = capsys.readouterr().out
    assert f"{path}:10: activities.sms.exclude.filters.minors: " in told
    assert f"{template}: sender_expression: " in told


def test_the_expression_of_a_sender_is_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sale.sms.j2"
    path.write_text(TEMPLATE.replace("sender: ACME", "sender_expression: max(shop)"))

    assert 1 == lint([path])
    assert f"{path}: sender_expression: unknown function 'max'" in capsys.readouterr().out


def test_a_workflow_with_a_wrong_exclusion_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sale.yaml"
    path.write_text(
        WORKFLOW
        + "    weight: 101\n"
        + "    exclude:\n"
        + "      filters:\n"
        + "        minors: sum(age) < 18\n"
        + "      control_group: {percnt: 5}\n"
    )

    assert 1 == lint([path])
    told = [line.removeprefix(f"{path}:") for line in capsys.readouterr().out.splitlines()]
    assert "11: activities.sms.exclude.filters.minors: unknown function 'sum'" in told
    assert (
        "12: activities.sms.exclude.control_group.percnt: unknown field 'percnt'"
        " (did you mean 'percent'?)"
    ) in told
    assert any(line.startswith("8: activities.sms.weight: ") for line in told)


def test_two_workflows_of_one_id_are_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(WORKFLOW)

    assert 1 == lint([tmp_path])
    told = capsys.readouterr().out
    assert f"{tmp_path}/b.yaml:1: id: 'team.sale' is the id of {tmp_path}/a.yaml too" in told


def test_files_that_are_plainly_something_else_are_left_out_of_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (".hidden", "__pycache__", "node_modules"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bad.yaml").write_text("id: bad")
    (tmp_path / "docker-compose.yml").write_text("services: {}\n")
    (tmp_path / "tool.py").write_text("import no_such_module\n")
    (tmp_path / "README.md").write_text("hello")
    (tmp_path / "sale.yaml").write_text(WORKFLOW)

    assert 0 == lint([tmp_path])
    assert "no problems in 1 file\n" == capsys.readouterr().out


def test_any_yaml_in_a_folder_named_workflows_is_meant_for_us(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "typo.yaml").write_text("idd: team.sale\n")

    assert 1 == lint([tmp_path])


def test_a_file_named_on_the_command_line_is_looked_at_in_any_case(tmp_path: Path) -> None:
    path = tmp_path / "docker-compose.yml"
    path.write_text("services: {}\n")

    assert 1 == lint([path])


def test_a_file_of_another_kind_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")

    assert 1 == lint([path])
    assert f"{path}: is no file of ours" in capsys.readouterr().out


def test_a_file_named_twice_is_looked_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sale.yaml"
    path.write_text(WORKFLOW)

    assert 0 == lint([path, tmp_path, path])
    assert "no problems in 1 file\n" == capsys.readouterr().out


def test_the_command_line_takes_paths_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sale.yaml").write_text(WORKFLOW)
    parser = argparse.ArgumentParser()
    add_arguments(parser)

    assert 0 == run(parser.parse_args([str(tmp_path), "--json"]))
    assert {"files": 1, "problems": [], "notes": []} == json.loads(capsys.readouterr().out)


def test_what_workflows_have_told_is_not_told_again_by_the_file_that_loads_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "workflows").mkdir()
    wrong = WORKFLOW.replace("template:", "templat_:")
    (tmp_path / "workflows" / "sale.yaml").write_text(wrong)
    (tmp_path / "workflows.py").write_text((ROOT / "dags" / "workflows.py").read_text())

    assert 1 == lint([tmp_path])
    shown = capsys.readouterr().out
    assert 1 == shown.count("unknown field 'templat_'")
    assert "workflows.py: cannot be loaded because of 2 problems in its workflows" in shown
