"""A preparation to be killed: ``python -m tests.core.preparation.crash_preparation DSN``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

from smsflow_provider.core.preparation.prepare import Columns, prepare
from smsflow_provider.core.store.connection import Store
from tests.core.preparation.preparing import columns_of, make_preparation, person


def main() -> None:
    """Prepare delivery ``d1``, say what is written after three batches, and wait to be killed."""
    told: list[dict[str, int]] = []

    def batches() -> Iterator[Columns]:
        for start in (1, 1001, 2001):
            yield columns_of([person(n) for n in range(start, start + 1000)])
        sys.stdout.write(f"{json.dumps(told[-1])}\n")
        sys.stdout.flush()
        time.sleep(60)

    preparation = replace(make_preparation(batches()), on_progress=told.append)
    prepare(Store(sys.argv[1]), "d1", preparation, actor="process")


if __name__ == "__main__":
    main()
