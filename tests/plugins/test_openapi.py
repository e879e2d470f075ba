"""
The whole OpenAPI document against the running application: it answers as it says, whatever comes.

Each operation gets requests that fit its schema and requests that do not, on a store that holds
deliveries. Nothing leaves: there is no gateway behind their connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from smsflow_provider.core.delivery.switch import switch_on
from smsflow_provider.core.store.connection import Store
from smsflow_provider.plugins.app import application
from tests.airflow.running import headers_of, make_metadata
from tests.governed import make_going

#: No operation documents a 500: the first of them finds it.
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
#: Requests of each kind for each operation.
EXAMPLES = 3
_SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def operations() -> list[Any]:
    """Read every operation of the document."""
    schema: Any = schemathesis.openapi.from_dict(application().openapi())
    return [each.ok() for each in schema.get_all_operations()]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """What stands in the store, by the name it has in a path; filled by the first test."""
    return {"dag_id": "shop.nothing", "name": "sale", "conn_id": "sms_gateway"}


@pytest.fixture
def names(made: dict[str, str], airflow_store: Store) -> Iterator[dict[str, str]]:
    """Names that stand for something, so that requests come further than to a 404."""
    make_metadata()
    if "delivery_id" not in made:
        made["delivery_id"] = f"d-{uuid4().hex}"
        make_going(airflow_store, count=3, delivery_id=made["delivery_id"])
    yield made
    # One of the operations switches everything off; other tests share the store.
    switch_on(airflow_store, actor="test")


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.label)
def test_it_answers_as_its_document_says(
    operation: Any, server: TestClient, names: dict[str, str], templates: object
) -> None:
    del templates
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        known = names if mode is GenerationMode.POSITIVE else {}
        _try(operation, mode, partial(_check, server=server, known=known))


def _try(operation: Any, mode: GenerationMode, check: Callable[[Any], None]) -> None:
    """Let hypothesis find requests of one kind; the same ones each time."""
    try:
        cases = operation.as_strategy(generation_mode=mode)
    except schemathesis.errors.SchemathesisError:
        assert mode is GenerationMode.NEGATIVE, "nothing of it can be wrong"
        return

    def once(case: Any) -> None:
        check(case)

    seed(7)(_SETTINGS(given(case=cases)(once)))()


def _check(case: Any, *, server: TestClient, known: dict[str, str]) -> None:
    case.path_parameters.update({k: v for k, v in known.items() if k in case.path_parameters})
    asked = case.as_transport_kwargs(base_url="http://airflow.test/smsflow")
    asked.pop("cookies", None)
    if "data" in asked:
        asked["content"] = asked.pop("data")
    asked["headers"] = {**asked["headers"], **headers_of("ann")}
    case.validate_response(server.request(**asked), checks=CHECKS)
