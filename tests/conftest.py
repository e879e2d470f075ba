"""Fixtures that several folders share: a real PostgreSQL, and a fresh, migrated store."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler.loadscope import LoadScopeScheduling  # type: ignore[import-untyped]

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.core.store.migrate import migrate

_TEMPLATE = "smsflow_template"

# No example is timed: the first one of a process pays for what it loads. `make quick` looks at
# fewer examples; every other run at all of them.
settings.register_profile("whole", deadline=None)
settings.register_profile("quick", max_examples=10, deadline=None)
settings.load_profile("quick" if os.environ.get("SMSFLOW_QUICK") == "1" else "whole")

#: Folders whose expensive parts (a whole Airflow) are started once, so one process runs them.
_TOGETHER = ("tests/system", "tests/integration/kannel")
#: Folders that take longest: they begin first, so that no process waits for the other at the end.
_FIRST = ("tests/system", "tests/soak", "tests/stack")

# Nothing in the tests may inherit the settings of the machine they run on.
for _name in [name for name in os.environ if name.startswith(("AIRFLOW", "SMSFLOW_STORE"))]:
    del os.environ[_name]


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps what shares fixtures in one process when several run: a file, or a whole folder."""

    def _split_scope(self, nodeid: str) -> str:
        place = nodeid.partition("::")[0]
        return next((folder for folder in _TOGETHER if place.startswith(f"{folder}/")), place)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """Hand out tests by ``Together``: groups marked on items are lost with pytest 9.2."""
    return Together(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest first."""
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server for the whole run."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False)
    with server:
        yield server
    server.destroy()


@pytest.fixture(scope="session")
def migrated_template(postgres: EmbeddedPostgres) -> str:
    """A migrated database to copy, so that each test pays milliseconds for its own."""
    migrate(Store(postgres.create_database(_TEMPLATE)))
    return _TEMPLATE


@pytest.fixture
def store_dsn(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """The DSN of a migrated database of this test's own."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(name, template=migrated_template)
    postgres.drop_database(name)


@pytest.fixture
def store(store_dsn: str) -> Store:
    """A fresh, migrated store."""
    return Store(store_dsn)


@pytest.fixture
def repository() -> Path:
    """The root of this repository."""
    return Path(__file__).parent.parent
