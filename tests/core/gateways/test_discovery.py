"""Gateways of other packages: what is declared, what is broken, and who is named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import Any

import pytest

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.discovery import (
    GROUP,
    OWN_PACKAGE,
    BrokenGateway,
    Discovered,
    discover,
)
from smsflow_provider.core.gateways.shipped import GATEWAYS

OWN = {each.conn_type for each in GATEWAYS}

SOUND = """
from dataclasses import replace
from smsflow_provider.core.gateways.shipped import GATEWAYS
from smsflow_provider.core.gateways.kannel import KannelDialect

KANNEL = next(each for each in GATEWAYS if each.conn_type == "sms_kannel")

class Dialect(KannelDialect):
    name = "sms_acme"

class Other(KannelDialect):
    name = "sms_other"

GATEWAY = replace(KANNEL, conn_type="sms_acme", dialect=Dialect)
BOTH = (GATEWAY, replace(KANNEL, conn_type="sms_other", dialect=Other))
OURS = KANNEL
NEEDY = replace(GATEWAY, make=lambda settings, now: 1 // 0)
NAMELESS = replace(GATEWAY, dialect=object)
WRONG = replace(KANNEL, conn_type="Acme!", settings=dict)
NONE = ()
NUMBER = 7
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of installed packages that this process can import from."""
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path.remove(str(tmp_path))


def install(folder: Path, name: str, declared: str, *, source: str = SOUND) -> None:
    """Put a package there as an installer does: its module, and what it declares."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{declared}\n")


def found_in(folder: Path) -> Discovered:
    points = [
        each
        for package in distributions(path=[str(folder)])
        for each in package.entry_points
        if each.group == GROUP
    ]
    for name in {each.value.partition(":")[0] for each in points}:
        sys.modules.pop(name, None)
    return discover(points, shipped=GATEWAYS)


def test_an_installed_package_adds_its_gateway(folder: Path) -> None:
    install(folder, "acme-sms", "sms_acme = acme_sms:GATEWAY")
    found = found_in(folder)

    assert {*OWN, "sms_acme"} == set(found.types)
    assert {} == found.broken


def test_one_entry_point_may_bring_several(folder: Path) -> None:
    install(folder, "acme-sms", "acme = acme_sms:BOTH")

    assert {*OWN, "sms_acme", "sms_other"} == set(found_in(folder).types)


@pytest.mark.parametrize(
    ("declared", "source", "words"),
    [
        ("sms_acme = acme_sms:GATEWAY", "import no_such_module", ["ModuleNotFoundError"]),
        ("sms_acme = acme_sms:GATEWAY", "x = = 1", ["SyntaxError"]),
        ("sms_acme = acme_sms:GATEWAY", "raise SystemError('out of ink')", ["out of ink"]),
        ("sms_acme = acme_sms:GATEWAY", "import sys; sys.exit(3)", ["SystemExit"]),
        ("sms_acme = acme_sms:NEEDY", SOUND, ["ZeroDivisionError"]),
        ("sms_acme = acme_sms:NAMELESS", SOUND, ["AttributeError"]),
        ("sms_acme = acme_sms:GATE", SOUND, ["AttributeError", "GATE"]),
        ("sms_acme = acme_sms:NUMBER", SOUND, ["is a int, not a GatewayType"]),
        ("sms_acme = acme_sms:NONE", SOUND, ["is empty"]),
        (
            "sms_acme = acme_sms:WRONG",
            SOUND,
            ["'Acme!' is not sms_", "named 'sms_kannel'", "no GatewaySettings"],
        ),
    ],
    ids=[
        "import",
        "syntax",
        "raises",
        "exits",
        "cannot make",
        "no name",
        "no such name",
        "a number",
        "empty",
        "three problems",
    ],
)
def test_a_broken_package_is_named_and_takes_no_other_down(
    folder: Path, declared: str, source: str, words: list[str]
) -> None:
    install(folder, "acme-sms", declared, source=source)
    install(folder, "good-sms", "acme = good_sms:BOTH")
    found = found_in(folder)

    assert {*OWN, "sms_acme", "sms_other"} == set(found.types)
    broken = found.broken["sms_acme"]
    assert ("acme-sms",) == broken.packages
    assert all(word in broken.problem for word in words), broken.problem


def test_a_connection_type_of_two_packages_is_nobodys_and_names_both(folder: Path) -> None:
    install(folder, "acme-sms", "sms_acme = acme_sms:GATEWAY")
    install(folder, "acme-too", "sms_acme = acme_too:GATEWAY")
    found = found_in(folder)

    assert set(found.types) == OWN
    assert ("acme-sms", "acme-too") == found.broken["sms_acme"].packages


def test_a_package_cannot_take_one_of_our_types_in_silence(folder: Path) -> None:
    install(folder, "acme-sms", "sms_kannel = acme_sms:OURS")
    found = found_in(folder)

    assert OWN - {"sms_kannel"} == set(found.types)
    assert (OWN_PACKAGE, "acme-sms") == found.broken["sms_kannel"].packages


def test_the_order_in_which_packages_are_installed_changes_nothing(folder: Path) -> None:
    for name in ("b-sms", "a-sms", "c-sms"):
        install(folder, name, f"sms_acme = {name.replace('-', '_')}:GATEWAY")

    assert ("a-sms", "b-sms", "c-sms") == found_in(folder).broken["sms_acme"].packages


def test_an_entry_point_without_a_distribution_is_read_as_well() -> None:
    entry = EntryPoint(name="sms_x", value="no_such_module:X", group=GROUP)
    broken: dict[str, Any] = dict(discover([entry], shipped=()).broken)

    assert isinstance(broken["sms_x"], BrokenGateway)
    assert ("a package without a name",) == broken["sms_x"].packages


def test_asking_for_a_broken_type_says_whose_it_is_and_why(folder: Path) -> None:
    install(folder, "acme-sms", "sms_acme = acme_sms:GATEWAY", source="import no_such_module")
    with pytest.raises(ConfigError) as caught:
        found_in(folder).find("sms_acme")

    assert ["acme-sms"] == caught.value.facts["packages"]
    assert "no_such_module" in str(caught.value)


def test_asking_for_an_unknown_type_names_packages_that_might_have_brought_it(
    folder: Path,
) -> None:
    install(folder, "acme-sms", "acme = acme_sms:GATEWAY", source="import no_such_module")
    with pytest.raises(ConfigError) as caught:
        found_in(folder).find("sms_kanel")

    assert ["sms_kannel"] == caught.value.facts["near"]
    assert ["acme-sms"] == caught.value.facts["broken_packages"]
