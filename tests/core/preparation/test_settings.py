from __future__ import annotations

import json
from typing import Any

import pytest

from smsflow_provider.core.preparation.settings import PreparationSettings


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
    kept = make_settings(region="FR", opt_out_scopes=("", "shop"), dry_run=True).as_dict()

    assert kept == json.loads(json.dumps(kept))
    assert {
        "label": "Sale",
        "gateway": "sms_gateway",
        "region": "FR",
        "dry_run": True,
        "opt_out_scopes": ["", "shop"],
        "allowed": None,
        "has_public_url": False,
    } == kept
