"""The simulator's page names all there is."""

from __future__ import annotations

import re
from pathlib import Path

from smsflow_provider.core.gateways.settings import declared_settings
from smsflow_provider.core.gateways.simulator import Family, SimulatorDialect, SimulatorSettings
from smsflow_provider.simulator.behaviour import Behaviour
from smsflow_provider.simulator.server import make_app


def page(repository: Path) -> str:
    return (repository / "docs" / "simulator.md").read_text("utf-8")


def test_every_setting_is_on_the_page_and_no_other(repository: Path) -> None:
    _, _, behaviour = page(repository).partition("## Behaviour")
    table = behaviour.partition("The dialect believes")[0]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]

    assert [*declared_settings(Behaviour)] == re.findall(r"`(\w+)`", " ".join(first))


def test_every_family_is_on_the_page_with_its_batch(repository: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (\d+) \|", page(repository), re.MULTILINE)
    made = {
        family.value: SimulatorDialect(SimulatorSettings(base_url="http://x", family=family.value))
        for family in Family
    }

    assert {name: str(dialect.max_batch) for name, dialect in made.items()} == dict(rows)


def test_every_route_is_on_the_page_and_in_the_words_of_the_module(repository: Path) -> None:
    shown = page(repository)
    routes = [
        f"{route.method} {route.resource.canonical}"
        for route in make_app().router.routes()
        if route.resource is not None and route.method != "HEAD"
    ]

    assert [] == [route for route in routes if f"`{route}`" not in shown]
