"""The words of the log: each that code writes is explained, and each explained one is written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.states import DeliveryState

STATES = "delivery_"


def written_in(path: Path) -> Iterator[str]:
    """Words a module writes as the event of a line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "event":
            yield from (
                each.value
                for each in ast.walk(node.value)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "LogEvent":
            yield LogEvent[node.attr].value


def test_every_word_of_the_log_is_explained_and_every_explained_one_is_written(
    repository: Path,
) -> None:
    found = {
        word
        for path in (repository / "smsflow_provider").rglob("*.py")
        if path.name != "log_event.py"
        for word in written_in(path)
    }
    states = {word for word in LogEvent if word.startswith(STATES)}

    # The word of a move is made of the state it leads to.
    assert {one.value for one in LogEvent} - states == found - {STATES}
    assert {word.removeprefix(STATES) for word in states} <= {one.value for one in DeliveryState}


def test_no_code_writes_a_word_of_the_log_as_a_mere_text(repository: Path) -> None:
    words = {one.value for one in LogEvent}
    loose = [
        (path.name, each.value)
        for path in (repository / "smsflow_provider").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "event"
        for each in ast.walk(node.value)
        if isinstance(each, ast.Constant) and each.value in words
    ]

    assert [] == loose
