"""Measure how long what the dashboard's pages ask for takes, from a real API server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from smsflow_provider.cli.bench.dashboard_store import LARGE, WORKFLOWS, fill_store
from smsflow_provider.cli.bench.made import made_database
from smsflow_provider.cli.bench.result import Verdict
from smsflow_provider.cli.demo.machines import to_postgres
from smsflow_provider.cli.demo.stack import AirflowStack
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.migrate import migrate

MOST_MS: Final = 100.0
_API: Final = "/api/v1/"
_REPEATED: Final = 15
#: A route that takes this long altogether is not asked again.
_LONGEST_S: Final = 10.0
#: What stands for a parameter behind this word of an address.
_NAMED: Final = {
    "log": "4711",
    "deliveries": LARGE,
    "workflows": "bench",
    "audiences": "bench",
    "templates": "bench",
    "gateways": "simulator",
    "exclusions": "opted_out",
}
#: What stands for a query that must be there.
_ASKED: Final = {"reason": "opted_out", "delivery": LARGE, "delivery_id": LARGE, "dag_id": "bench"}
#: How the pages ask beside the plain way.
_MORE: Final[Mapping[str, Sequence[str]]] = {
    "/api/v1/deliveries": ("?state=ready", "?state=finished&limit=50"),
    "/api/v1/deliveries/{delivery_id}/messages/log": ("?state=failed", "?after=2500000"),
}
_DAGS = """
from datetime import timedelta
from airflow.sdk import DAG
from smsflow_provider import BuildAudienceOperator, SmsDeliveryOperator

for name in {names}:
    with DAG(name, schedule=None) as globals()[name.replace(".", "_")]:
        people = BuildAudienceOperator(task_id="people", file={file!r})
        SmsDeliveryOperator("sms", audience=people.output, template="bench",
                            response_timeout=timedelta(days=2))
"""
_TEMPLATE = (
    "---\nlabel: Bench\nsender: ACME\ngateway: simulator\nregion: FR\n---\nHello {{ name }}\n"
)
_PEOPLE = "recipient_id,phone,name\nc1,+33612345678,Zoe\n"
#: Nothing listens there; the pages show that it does not answer.
_SIMULATOR: Final = {"conn_type": "sms_simulator", "host": "127.0.0.1", "port": 9}


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardPlan:
    """What the store holds."""

    deliveries: int = 5_000
    #: Of the largest delivery.
    messages: int = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardResult:
    """What was found."""

    deliveries: int
    messages: int
    #: Medians in milliseconds, by what was asked for.
    routes_ms: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON values, rounded for people."""
        return {
            "deliveries": self.deliveries,
            "messages": self.messages,
            "slowest_ms": round(max(self.routes_ms.values()), 1),
            "routes_ms": {name: round(ms, 1) for name, ms in self.routes_ms.items()},
        }

    def verdicts(self) -> list[Verdict]:
        """Judge it: each route by the same limit."""
        return [
            Verdict(what=name.removeprefix("GET /smsflow/api/v1"), found=ms, limit=MOST_MS)
            for name, ms in self.routes_ms.items()
        ]


def measure_dashboard(plan: DashboardPlan, *, say: Callable[[str], None]) -> DashboardResult:
    """
    Measure over the loopback, on an Airflow and a PostgreSQL server made for it.

    Every route of the OpenAPI document that is read with GET and answers JSON is asked; one whose
    parameters are not known here is an error, so that none is forgotten.

    Args:
        plan: What the store holds.
        say: Told what happens now, as a sentence.

    Raises:
        ConfigError: A route wants what this benchmark does not know, or answers something else
            than 200; the facts name it.
    """
    with running_dashboard(plan, say=say) as stack:
        say("asking")
        headers = {"Authorization": f"Bearer {stack.token('manager')}"}
        base = f"{stack.base_url}/smsflow"
        with httpx.Client(base_url=base, headers=headers, timeout=60, trust_env=False) as client:
            document = client.get("/api/v1/openapi.json").raise_for_status().json()
            found = {route: _median_ms(client, route) for route in routes_of(document)}
    return DashboardResult(
        deliveries=plan.deliveries,
        messages=plan.messages,
        routes_ms={f"GET /smsflow{route}": ms for route, ms in found.items()},
    )


@contextmanager
def running_dashboard(plan: DashboardPlan, *, say: Callable[[str], None]) -> Iterator[AirflowStack]:
    """Run a whole Airflow over a store that is filled by *plan*, until the block ends."""
    with made_database() as (folder, dsn):
        store = Store(dsn)
        migrate(store)
        say(f"filling a store: {plan.deliveries:,} deliveries, {plan.messages:,} messages of one")
        fill_store(store, deliveries=plan.deliveries, messages=plan.messages)
        say("starting Airflow")
        with _make_stack(folder, dsn) as stack:
            for name in ("bench", *WORKFLOWS):
                stack.client("manager").wait_for_dag(name)
            yield stack


def routes_of(document: Mapping[str, Any]) -> list[str]:
    """
    List what to ask for, with all that must be said filled in.

    Args:
        document: The OpenAPI document of the application.

    Raises:
        ConfigError: A parameter of a route is not known.

    Example:
        >>> routes_of({"paths": {"/api/v1/deliveries/{delivery_id}": {"get": {}}}})
        ['/api/v1/deliveries/bench-large']
    """
    found = []
    for path, operations in sorted(document["paths"].items()):
        operation = operations.get("get")
        if operation is not None and path.startswith(_API) and _answers_json(path, operation):
            filled = _fill(path) + _query_of(path, operation)
            found += [filled, *(f"{_fill(path)}{query}" for query in _MORE.get(path, ()))]
    return found


def _answers_json(path: str, operation: Mapping[str, Any]) -> bool:
    """Tell a page's question from a file to take home, which is as large as it is."""
    content = operation.get("responses", {}).get("200", {}).get("content", {"application/json": {}})
    return "application/json" in content and not path.endswith((".csv", "/export"))


def _fill(path: str) -> str:
    words = path.split("/")
    for number, word in enumerate(words):
        if word.startswith("{"):
            before = words[number - 1]
            if before not in _NAMED:
                raise ConfigError("the benchmark does not know what to ask for", route=path)
            words[number] = quote(_NAMED[before], safe="")
    return "/".join(words)


def _query_of(path: str, operation: Mapping[str, Any]) -> str:
    wanted = [
        each["name"]
        for each in operation.get("parameters", ())
        if each["in"] == "query" and each.get("required")
    ]
    if unknown := [name for name in wanted if name not in _ASKED]:
        raise ConfigError("the benchmark does not know what to ask for", route=path, of=unknown)
    return ("?" + "&".join(f"{name}={_ASKED[name]}" for name in wanted)) if wanted else ""


def _median_ms(client: httpx.Client, route: str) -> float:
    """Ask again and again; the first answer, for which much is loaded, does not count."""
    _ask(client, route)
    taken_ms: list[float] = []
    while len(taken_ms) < _REPEATED and sum(taken_ms) < 1000 * _LONGEST_S:
        taken_ms.append(_ask(client, route))
    return statistics.median(taken_ms)


def _ask(client: httpx.Client, route: str) -> float:
    """Ask once; gives the milliseconds until the whole answer was there."""
    began_s = time.perf_counter()
    try:
        answer = client.get(route)
    except httpx.HTTPError as error:
        raise ConfigError("no answer came", route=route, error=type(error).__name__) from error
    taken_ms = 1000 * (time.perf_counter() - began_s)
    if answer.status_code != httpx.codes.OK:
        raise ConfigError("a route does not answer", route=route, status=answer.status_code)
    return taken_ms


def _make_stack(folder: Path, dsn: str) -> AirflowStack:
    for name in ("dags", "templates", "artifacts"):
        (folder / name).mkdir()
    people = folder / "people.csv"
    people.write_text(_PEOPLE)
    (folder / "templates" / "bench.sms.j2").write_text(_TEMPLATE)
    names = ("bench", *WORKFLOWS)
    (folder / "dags" / "bench.py").write_text(_DAGS.format(names=names, file=str(people)))
    return AirflowStack(
        folder / "airflow",
        dags_folder=folder / "dags",
        connections={"smsflow_store": to_postgres("smsflow_store", dsn), "simulator": _SIMULATOR},
        env={
            "AIRFLOW__SMSFLOW__TEMPLATES": str(folder / "templates"),
            "AIRFLOW__SMSFLOW__ARTIFACTS": str(folder / "artifacts"),
        },
    )


def table_of(result: DashboardResult) -> str:
    """Write what was found for people."""
    lines = [f"{result.deliveries:,} deliveries, {result.messages:,} messages of the largest"]
    lines += [f"{name:<90} {ms:7.1f} ms" for name, ms in sorted(result.routes_ms.items())]
    return "\n".join(lines)
