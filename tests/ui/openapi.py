"""
Write the OpenAPI document of the REST API: ``python -m tests.ui.openapi ui/openapi.json``.

The types of the dashboard are made from it. It says the same on every machine: keys are sorted.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

# The first of all: whatever comes next imports Airflow.
import tests.airflow.home  # noqa: F401
from smsflow_provider.plugins.app import application


def described() -> dict[str, Any]:
    """Describe the API, as ``/smsflow/openapi.json`` does."""
    return application().openapi()


def document() -> str:
    """Compose the document, as it is kept in ``ui/openapi.json``."""
    return json.dumps(described(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
