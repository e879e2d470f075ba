"""One Kannel for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kannel_harness import Kannel


@pytest.fixture(scope="session")
def running_kannel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kannel]:
    """A Kannel for the whole run; starting one takes a second, stopping it some more."""
    with Kannel(tmp_path_factory.mktemp("kannel")) as kannel:
        yield kannel


@pytest.fixture
def kannel(running_kannel: Kannel) -> Kannel:
    """It, with nothing received yet."""
    running_kannel.forget()
    return running_kannel
