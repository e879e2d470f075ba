"""The pages hold together: links lead somewhere, tables are fresh, named tests exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.states import MessageState
from smsflow_provider.core.store import migrations
from tests.docs.tables import ROOT, TABLES, filled, pages

GUARANTEES = ROOT / "docs" / "guarantees.md"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TEST = re.compile(r"`((?:tests|smsflow_provider/testing)/[\w/]+\.py)::(test_\w+)`")


def _read(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def _anchors(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them of its headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        place, _, anchor = link.partition("#")
        if "://" in place:
            continue
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            lost.append(link)

    assert [] == lost


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_every_table_is_what_the_code_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert filled(text) == text, "run: python -m tests.docs.tables"


def test_every_table_that_can_be_printed_is_printed() -> None:
    whole = "\n".join(page.read_text(encoding="utf-8") for page in pages())

    assert set(TABLES) == set(re.findall(r"<!-- table: ([\w-]+) -->", whole))


def _tests_of(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def test_every_test_that_the_guarantees_name_exists() -> None:
    named = _TEST.findall(GUARANTEES.read_text(encoding="utf-8"))
    lost = [f"{file}::{name}" for file, name in named if name not in _tests_of(ROOT / file)]

    assert len(named) > 40
    assert [] == lost


def test_every_promise_names_a_test_or_says_that_it_is_not_there_yet() -> None:
    parts = re.split(
        r"^### (\d)\. ", _read("guarantees.md").split("## Crash point")[0], flags=re.MULTILINE
    )
    promises = dict(zip(parts[1::2], parts[2::2], strict=True))

    assert list("12345678") == list(promises)
    for number, text in promises.items():
        assert _TEST.search(text) or "Not there yet" in text, number


def test_every_row_of_the_crash_points_has_a_proof() -> None:
    section = _read("guarantees.md").split("## Crash point")[1].split("## Known limits")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]

    assert len(rows) > 10
    for row in rows:
        proof = row.split("|")[3]
        assert "::test_" in proof or "same" in proof or "not proven" in proof, row


def test_every_table_of_the_store_is_described() -> None:
    (folder,) = migrations.__path__
    steps = [path.read_text(encoding="utf-8") for path in Path(folder).glob("versions/0*.py")]
    made = set(re.findall(r"CREATE (?:UNLOGGED )?TABLE (smsflow_\w+)", "\n".join(steps)))
    described = set(re.findall(r"^\| `(smsflow_\w+)`", _read("architecture.md"), re.MULTILINE))

    assert made == described


def test_the_layers_in_the_picture_are_those_that_are_checked() -> None:
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    text = _read("architecture.md")
    for layers in re.findall(r"^layers = \[\n(.*?)^\]", settings, re.MULTILINE | re.DOTALL):
        names = re.findall(r'^ +"([^"]+)"', layers, re.MULTILINE)
        pictured = re.escape(names[0]) + "".join(
            rf"[^\n]*\n{re.escape(name)}" for name in names[1:]
        )
        assert re.search(rf"^{pictured}", text, re.MULTILINE), names


def test_the_glossary_is_in_order() -> None:
    rows = re.findall(r"^\| ([^|]+?) \|", _read("glossary.md"), re.MULTILINE)[2:]

    assert sorted(rows, key=str.lower) == rows
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("kind", [MessageState, OutcomeKind])
def test_every_state_of_a_message_is_explained(kind: type[MessageState | OutcomeKind]) -> None:
    text = _read("architecture.md")

    assert [] == [one.value for one in kind if f"`{one.value}`" not in text]


def test_every_decision_has_context_choice_and_consequences() -> None:
    found = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert [f"{number:04}" for number in range(1, len(found) + 1)] == [
        page.name[:4] for page in found
    ]
    for page in found:
        heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert ["Context", "Choice", "Consequences"] == heads[1:], page.name
        assert heads[0].startswith(f"{int(page.name[:4])}. ")


def test_no_page_names_a_place_of_one_machine() -> None:
    place = re.compile(r"(?<![\w.])/(home|root|work|tmp|Users)/\w+")
    named = [page.name for page in pages() if place.search(page.read_text(encoding="utf-8"))]

    assert [] == named
