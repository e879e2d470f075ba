"""
Airflow's home for tests: a temporary folder with a configuration of its own.

Imported before anything of Airflow. Settings are in the file, not in the environment: programs
that other tests start would inherit those.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

_CONFIGURATION = """
[core]
load_examples = False
dags_folder = {home}/dags
plugins_folder = {home}/plugins
simple_auth_manager_users = ann:admin,maria:user,vera:viewer
[database]
sql_alchemy_conn = sqlite:///{home}/airflow.db
[api]
base_url = http://airflow.test:8080
[api_auth]
jwt_secret = a secret of the tests, of 64 bytes or more: {home} and some more
[logging]
base_log_folder = {home}/logs
[smsflow]
review_hold_s = 0
"""


def make_home() -> Path:
    """Make the folder, unless the environment names one already."""
    known = os.environ.get("AIRFLOW_HOME")
    if known is not None:
        return Path(known)
    home = Path(tempfile.mkdtemp(prefix="smsflow-airflow-"))
    (home / "dags").mkdir()
    (home / "airflow.cfg").write_text(_CONFIGURATION.format(home=home))
    os.environ["AIRFLOW_HOME"] = str(home)
    return home


HOME = make_home()

# Starlette's test client asks for httpx2; Airflow, which uses it too, has httpx.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
    import starlette.testclient  # noqa: F401
