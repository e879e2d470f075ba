"""What the pages of audiences say is so."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from smsflow_provider.cli.main import make_parser
from smsflow_provider.core.audience.reference import KEYS, AudienceReference
from smsflow_provider.core.workflow.read import read_workflow
from smsflow_provider.core.workflow.spec import BuildAudience
from tests.docs.blocks import blocks
from tests.docs.tables import ROOT


def test_the_reference_of_the_page_is_one_and_every_key_is_explained() -> None:
    page = ROOT / "docs" / "audiences.md"
    (text,) = blocks(page, "json", mark="reference")
    given = json.loads(text)

    assert given == AudienceReference.from_dict(given).as_dict()
    assert list(KEYS) == list(given)
    assert all(f"\n| `{key}` |" in page.read_text(encoding="utf-8") for key in KEYS)


def test_every_command_of_the_page_can_be_read() -> None:
    (text,) = blocks(ROOT / "docs" / "saved_audiences.md", "sh")
    parser = make_parser("audience")
    lines = [shlex.split(line, comments=True)[1:] for line in text.splitlines()]

    assert {"list", "show", "save", "update", "append", "delete", "describe", "diff", "export"} == {
        parser.parse_args(words).action for words in lines
    }


def test_the_workflow_of_the_page_can_be_read(tmp_path: Path) -> None:
    (text,) = blocks(ROOT / "docs" / "saved_audiences.md", "yaml", mark="saved")
    path = tmp_path / "welcome.yaml"
    path.write_text(text, encoding="utf-8")
    built = read_workflow(path).activities["newcomers"]

    assert isinstance(built, BuildAudience)
    assert ("newcomers", "append", "each_try") == (built.save_as, built.save_mode, built.refresh)
