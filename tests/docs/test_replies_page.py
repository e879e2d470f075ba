"""The pages about replies and quarantine say what the code does."""

from __future__ import annotations

import re

import pytest
import yaml

from smsflow_provider.core.delivery.keywords import Action, Keywords, read_keywords, understand
from smsflow_provider.core.delivery.qualify import read_qualification, shipped_tables
from smsflow_provider.core.store.qualified import Limits, Qualifier
from tests.docs.blocks import blocks
from tests.docs.tables import ROOT

REPLIES = ROOT / "docs" / "replies.md"
QUARANTINE = ROOT / "docs" / "quarantine.md"


def words() -> str:
    keywords = Keywords.of()
    return "\n".join(
        f"- `{action.value}`: {', '.join(keywords.words_of(action))}"
        " <!-- codespell:ignore stopp,optin -->"
        for action in (Action.OPT_OUT, Action.OPT_IN, Action.HELP)
    )


def test_the_page_lists_the_words_that_are_shipped() -> None:
    found = re.search(r"<!-- keywords -->\n(.*?)\n<!-- end -->", REPLIES.read_text(), re.DOTALL)

    assert found is not None
    assert words() == found[1]


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("Stop please", "opt_out"),
        ("S.T.O.P", "opt_out"),
        ("STOP36111", "opt_out"),
        ("Start", "opt_in"),
        ("please stop", "review"),
        ("sotp", "review"),
        ("start sending more", "review"),
    ],
)
def test_the_examples_of_the_page_are_understood(text: str, action: str) -> None:
    assert text in REPLIES.read_text()
    assert action == understand(text, Keywords.of()).action


def test_the_files_of_both_pages_and_of_the_examples_can_be_read() -> None:
    (keywords,) = blocks(REPLIES, "yaml")
    (qualification,) = blocks(QUARANTINE, "yaml")
    folder = ROOT / "dags" / "rules"

    for text in (keywords, (folder / "keywords.yaml").read_text()):
        assert [] == read_keywords(text)[1]
    for text in (qualification, (folder / "qualification.yaml").read_text()):
        found, problems = read_qualification(text)
        assert [] == problems
        assert found is not None
        assert Limits() == found.as_limits()
    assert "limits" in yaml.safe_load(qualification)


def test_unlisted_codes_are_as_hard_as_the_page_says() -> None:
    defaults = {name: codes["*"] for name, codes in shipped_tables().items()}

    assert {"sms_kannel": "soft", "sms_simulator": "soft", "sms_twilio": "none"} == defaults
    assert "soft" == Qualifier().hardness_of("sms_http", "anything")
    assert {"hard"} == {shipped_tables()["sms_kannel"][code] for code in ("1", "9")}
