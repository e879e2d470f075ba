"""What the dashboard's types are made from is what the API says of itself."""

from __future__ import annotations

from pathlib import Path

from tests.ui.openapi import document


def test_the_document_that_is_kept_is_the_one_the_api_writes(repository: Path) -> None:
    kept = (repository / "ui" / "openapi.json").read_text(encoding="utf-8")

    assert document() == kept, "run make ui-types, and commit what it writes"
