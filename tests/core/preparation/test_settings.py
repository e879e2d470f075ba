from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest

from smsflow_provider.core.preparation.settings import PreparationSettings
from smsflow_provider.core.preparation.typology import Typology


def make_settings(**changed: Any) -> PreparationSettings:
    return PreparationSettings(**{"label": "Sale", "gateway": "sms_gateway", **changed})


@pytest.mark.parametrize(
    ("allowed", "kept"), [(None, None), (frozenset(), 0), (frozenset({33612345678}), 1)]
)
def test_of_the_allow_list_only_the_size_is_kept(
    allowed: frozenset[int] | None, kept: int | None
) -> None:
    settings = make_settings(allowed=allowed)

    assert kept == settings.as_dict()["allowed"]
    assert "336" not in f"{settings!r}{settings.as_dict()}"


def test_what_is_kept_is_json_and_names_every_setting() -> None:
    kept = make_settings(
        region="FR", opt_out_scopes=("", "shop"), dry_run=True, four_eyes=True, reviewers=("ann",)
    ).as_dict()

    assert kept == json.loads(json.dumps(kept))
    assert {each.name for each in fields(PreparationSettings)} == set(kept)
    assert ["", "shop"] == kept["opt_out_scopes"]


def test_what_says_nothing_about_who_approves_is_not_kept() -> None:
    """The fingerprint of what was prepared before there was such a rule stays what it was."""
    assert {"four_eyes", "reviewers"}.isdisjoint(make_settings().as_dict())


def test_the_list_of_the_programme_is_asked_again_by_the_sender() -> None:
    """The sender reads ``opt_out_scopes`` before each message leaves."""
    kept = make_settings(programme="Loyalty").as_dict()

    assert ["", "programme:loyalty"] == kept["opt_out_scopes"]


def test_the_rules_are_kept_as_they_were() -> None:
    typology = Typology.from_dict(
        {"rules": [{"kind": "filter", "name": "minors", "exclude_when": "age < 18"}]}
    )
    kept = make_settings(typology_name="adults", typology=typology).as_dict()

    assert typology == Typology.from_dict(kept["typology"])


def test_the_snapshot_is_written_alike_by_every_process() -> None:
    """Sets of words have another order in each process; the fingerprint must not."""
    program = (
        "import json\n"
        "from smsflow_provider.core.preparation.settings import PreparationSettings\n"
        "print(json.dumps(PreparationSettings(label='a', gateway='b').as_dict()))\n"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert 1 == len(written)
