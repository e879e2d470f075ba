"""What the README and the docs show is what happens: their code blocks are run."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smsflow_provider.cli.lint import lint
from smsflow_provider.cli.main import main, make_parser
from smsflow_provider.compiler.dag_files import dag_file_problems
from smsflow_provider.core.content.template import load_template
from smsflow_provider.core.gateways.registry import GATEWAY_TYPES, read_connection
from smsflow_provider.core.gateways.settings import ConnectionFields
from smsflow_provider.get_provider_info import get_provider_info
from tests.docs.blocks import Block, blocks, blocks_of
from tests.docs.tables import ROOT, pages

README = ROOT / "README.md"
SHELL = {"bash", "sh", "", "console"}


def _blocks(*languages: str) -> list[tuple[Path, Block]]:
    return [
        (page, block)
        for page in pages()
        for block in blocks_of(page)
        if block.language in languages
    ]


def _name(given: object) -> str:
    if isinstance(given, Path):
        return given.stem
    return str(given.line) if isinstance(given, Block) else ""


@pytest.fixture
def dags(tmp_path: Path) -> Path:
    """A DAG folder with every template of the examples and of the pages, and one workflow."""
    shutil.copytree(ROOT / "dags" / "templates", tmp_path / "templates")
    (template,) = blocks(README, "jinja")
    (tmp_path / "templates" / "sale.sms.j2").write_text(template, encoding="utf-8")
    (tmp_path / "workflows").mkdir()
    (workflow,) = blocks(README, "yaml")
    (tmp_path / "workflows" / "spring_sale.yaml").write_text(workflow, encoding="utf-8")
    return tmp_path


def test_the_readme_shows_what_a_newcomer_needs() -> None:
    assert [True] * 3 == ["DAG" in block for block in blocks(README, "python")]
    assert 1 == len(blocks(README, "yaml"))
    assert 1 == len(blocks(README, "bash", mark="rest"))
    assert 25 >= len(blocks(README, "yaml")[0].splitlines())


@pytest.mark.parametrize(("page", "block"), _blocks("python"), ids=_name)
def test_python_is_run_and_dags_are_parsed_by_airflow(page: Path, block: Block, dags: Path) -> None:
    path = dags / f"{page.stem}_{block.line}.py"
    path.write_text(block.text, encoding="utf-8")

    ast.parse(block.text, filename=page.name)
    if "DAG" in block.text:
        # Airflow reads only files that hold both words.
        assert "airflow" in block.text
        assert [] == dag_file_problems(path)
    elif "assert " in block.text:
        done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
        assert (0, "") == (done.returncode, done.stderr)


#: Where the YAML of a mark belongs; without one it is a workflow. Other marks have
#: tests of their own.
PLACES = {
    "": "workflows/shown.yaml",
    "typology": "rules/typologies/shown.yaml",
    "budgets": "rules/budgets.yaml",
    "prices": "rules/prices.yaml",
    "keywords": "rules/keywords.yaml",
    "qualification": "rules/qualification.yaml",
}


@pytest.mark.parametrize(
    ("page", "block"),
    [(page, block) for page, block in _blocks("yaml") if block.mark in PLACES],
    ids=_name,
)
def test_yaml_has_no_problems_where_it_belongs(
    page: Path, block: Block, dags: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = dags / PLACES[block.mark]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")

    assert page.suffix == ".md"
    assert 0 == lint([path]), capsys.readouterr().out


@pytest.mark.parametrize(("page", "block"), _blocks("jinja"), ids=_name)
def test_a_template_that_is_shown_can_be_read(page: Path, block: Block, tmp_path: Path) -> None:
    path = tmp_path / f"{page.stem}.sms.j2"
    path.write_text(block.text, encoding="utf-8")

    assert "first_name" in load_template(path, blocks={"footer": "STOP to 36111"}).fields


@pytest.mark.parametrize(
    ("page", "block"),
    [(page, block) for page, block in _blocks("bash") if block.mark == "run"],
    ids=_name,
)
def test_commands_that_need_no_server_are_run(
    page: Path, block: Block, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    commands = [shlex.split(line) for line in block.text.splitlines()]

    assert page.suffix == ".md"
    assert all(words[0] == "smsflow" for words in commands)
    for words in commands:
        assert 0 == main(words[1:]), capsys.readouterr()
        assert capsys.readouterr().out


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Every command of a shell block, with continued lines joined and comments taken off."""
    for page, block in _blocks(*SHELL):
        text = block.text.replace("\\\n", " ")
        for line in text.splitlines():
            words = _words(line)
            if words:
                yield f"{page.name}:{block.line}", words


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # a quoted text over several lines
        return []


@pytest.mark.parametrize(
    ("place", "words"), [(at, words) for at, words in _commands() if words[0] == "smsflow"]
)
def test_every_smsflow_command_is_one_the_program_accepts(place: str, words: list[str]) -> None:
    given = ["1" if word.startswith("$") else word for word in words[1:]]

    assert make_parser(given[0]).parse_args(given).verb == given[0], place


def test_every_make_target_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    used = {words[1] for _, words in _commands() if words[0] == "make" and len(words) > 1}
    there = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))

    assert {"demo"} <= used
    assert used <= there


def test_every_setting_that_is_shown_is_one_of_ours() -> None:
    ours = {
        f"AIRFLOW__SMSFLOW__{name.upper()}"
        for name in get_provider_info()["config"]["smsflow"]["options"]
    }
    shown = {
        found
        for page in pages()
        for found in re.findall(r"AIRFLOW__SMSFLOW__[A-Z_]+", page.read_text(encoding="utf-8"))
    }

    assert len(shown) >= 2
    assert shown <= ours


def _connections() -> Iterator[dict[str, object]]:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for found in re.findall(r"AIRFLOW_CONN_\w+='(\{.*?\})'", text, re.DOTALL):
            yield json.loads(found)


def test_every_connection_that_is_shown_can_be_read() -> None:
    shown = list(_connections())
    kinds = {str(given["conn_type"]) for given in shown}

    assert {"smsflow_store", "sms_kannel"} <= kinds
    for given in shown:
        if given["conn_type"] in GATEWAY_TYPES:
            fields = ConnectionFields(
                **{name: value for name, value in given.items() if name != "conn_type"}  # type: ignore[arg-type]
            )
            assert read_connection(str(given["conn_type"]), fields).base_url.startswith("http")
        else:
            assert {"host", "schema"} <= set(given)


def test_the_rest_block_is_shell_that_can_be_read() -> None:
    (script,) = blocks(README, "bash", mark="rest")

    done = subprocess.run(["bash", "-n"], input=script, text=True, check=False)

    assert 0 == done.returncode
    assert '"chosen_options": ["Send"]' in script


@pytest.mark.parametrize(("page", "block"), _blocks("json"), ids=_name)
def test_json_that_is_shown_is_json(page: Path, block: Block) -> None:
    assert json.loads(block.text), page


def test_a_report_that_is_shown_adds_up() -> None:
    (text,) = blocks(ROOT / "docs" / "rest.md", "json", mark="report")
    shown = json.loads(text)
    settled = ("accepted", "failed", "unknown", "cancelled", "expired", "waiting")

    assert shown["targeted"] == sum(shown["excluded"].values()) + shown["to_deliver"]
    assert shown["to_deliver"] == sum(shown[name] for name in settled)
    assert shown["accepted"] >= shown["delivered"] + shown["undelivered"]
