"""A preparation to be killed: ``python -m tests.core.preparation.crash_preparation DSN``."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from typing import Any

from smsflow_provider.core.preparation.prepare import prepare
from smsflow_provider.core.store.connection import Store
from tests.core.preparation.preparing import make_preparation, person, rows_of


def main() -> None:
    """Prepare delivery ``d1``, say when three batches are written, and wait to be killed."""

    def say(progress: dict[str, Any]) -> None:
        if progress.get("texts") == 3000:
            sys.stdout.write(f"{json.dumps(progress)}\n")
            sys.stdout.flush()
            time.sleep(60)

    rows = rows_of([person(n) for n in range(1, 4001)])
    prepare(
        Store(sys.argv[1]), "d1", replace(make_preparation(rows), on_progress=say), actor="process"
    )


if __name__ == "__main__":
    main()
