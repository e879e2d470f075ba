"""The pages about sources and about erasing say what the code does."""

from __future__ import annotations

import dataclasses
import re

import yaml

from smsflow_provider.core.audience.file_options import FileOptions
from smsflow_provider.core.audience.http_options import HttpOptions, Pages, PageStyle
from smsflow_provider.core.audience.paged import BUSY
from smsflow_provider.core.store.erasure import UNTOUCHED
from smsflow_provider.core.store.suppressed import NOBODY
from smsflow_provider.core.workflow.spec import BuildAudience
from tests.docs.blocks import blocks
from tests.docs.tables import ROOT

PAGE = ROOT / "docs" / "sources.md"
TEXT = PAGE.read_text(encoding="utf-8")
ERASE = (ROOT / "docs" / "erase.md").read_text(encoding="utf-8")


def rows_of(heading: str) -> set[str]:
    """The first cells of the table below a heading or a word."""
    table = TEXT.split(heading, 1)[1].split("\n\n", 2)[0 if heading.endswith("|") else 1]
    return set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))


def test_every_example_is_an_audience() -> None:
    for text in blocks(PAGE, "yaml", mark="sources"):
        for activity in yaml.safe_load(text).values():
            assert BuildAudience.model_validate(activity).kind == "build_audience"


def test_every_option_of_a_file_and_every_style_of_pages_is_told() -> None:
    assert {one.name for one in dataclasses.fields(FileOptions)} == rows_of("| option |")
    assert {str(one) for one in PageStyle} == rows_of("| `style` |")
    for name in (*HttpOptions.model_fields, *Pages.model_fields):
        assert re.search(rf"\b{name}\b", TEXT), name


def test_the_numbers_are_those_of_the_code() -> None:
    fields = HttpOptions.model_fields
    for name in ("max_pages", "max_rows", "retries"):
        assert f"`{name}` ({fields[name].default:,})" in TEXT, name
    for status in BUSY:
        assert str(status) in TEXT


def test_the_page_about_erasing_names_what_is_left_alone() -> None:
    assert str(NOBODY) in ERASE
    section = ERASE.split("## What is left")[1].split("## What it does not do")[0]
    for word in ("being prepared", "ready", "approved", "being sent", "paused"):
        assert word in section
    assert 5 == len(UNTOUCHED)
