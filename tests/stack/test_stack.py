"""A real Airflow starts, serves, is watched over, and leaves nothing behind."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from smsflow_provider.cli.demo.processes import MARK
from smsflow_provider.cli.demo.stack import PARTS, USERS, AirflowStack, User, check_port
from smsflow_provider.core.errors import ConfigError, NotFoundError, SmsflowError
from smsflow_provider.core.store.embedded import EmbeddedPostgres

pytestmark = pytest.mark.timeout(240)

DAG = """
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import BaseHook, dag, task

@dag(dag_id="team.trial", schedule=None, catchup=False)
def trial():
    @task
    def look():
        connection = BaseHook.get_connection("crm")
        return {"host": connection.host, "level": connection.extra_dejson["level"]}

    @task
    def last():
        return "done"

    look() >> ApprovalOperator(task_id="review", subject="Go on?") >> last()

trial()
"""


class Healthy(http.server.BaseHTTPRequestHandler):
    """Answers as a healthy Airflow does."""

    def do_GET(self) -> None:
        names = ("metadatabase", "scheduler", "dag_processor")
        body = json.dumps({name: {"status": "healthy"} for name in names}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name for it
        """Keep quiet."""


def _family(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowStack]:
    """One Airflow on a private PostgreSQL, as the demo runs it."""
    home = tmp_path_factory.mktemp("stack")
    (home / "dags").mkdir()
    (home / "dags" / "trial.py").write_text(DAG)
    postgres = EmbeddedPostgres(home / "postgres", durable=False)
    with postgres:
        dsn = postgres.create_database("airflow")
        yield from _started(home, metadata=dsn.replace("postgresql:", "postgresql+psycopg2:"))
    postgres.destroy()


def _started(home: Path, *, metadata: str) -> Iterator[AirflowStack]:
    crm = {"conn_type": "generic", "host": "crm.test", "extra": {"level": 7}}
    with AirflowStack(
        home / "airflow", dags_folder=home / "dags", metadata=metadata, connections={"crm": crm}
    ) as stack:
        yield stack


def _idle(home: Path, **wishes: object) -> AirflowStack:
    return AirflowStack(home, dags_folder=home / "dags", **wishes)  # type: ignore[arg-type]


class TestRunning:
    def test_a_run_goes_to_its_review_and_on_after_the_answer(self, stack: AirflowStack) -> None:
        admin, manager = stack.client("admin"), stack.client("manager")
        admin.wait_for_dag("team.trial")
        admin.start_run("team.trial", run_id="r1")
        review = admin.wait_for_review("team.trial", "r1")
        assert "none" == admin.task_states("team.trial", "r1")["last"]
        manager.answer(review, "Approve")

        assert "success" == admin.wait_for_run("team.trial", "r1", states=["success"])
        assert {"host": "crm.test", "level": 7} == admin.xcom("team.trial", "r1", "look")
        assert [] == admin.open_reviews("team.trial")
        assert "Done" in admin.task_log("team.trial", "r1", "last")

    def test_a_second_run_of_one_id_is_refused(self, stack: AirflowStack) -> None:
        admin = stack.client("admin")
        admin.wait_for_dag("team.trial")
        admin.start_run("team.trial", run_id="twice")

        with pytest.raises(SmsflowError) as caught:
            admin.start_run("team.trial", run_id="twice")
        assert 409 == caught.value.facts["status"]

    def test_a_viewer_may_look_and_not_start(self, stack: AirflowStack) -> None:
        viewer = stack.client("viewer")
        viewer.wait_for_dag("team.trial")

        with pytest.raises(SmsflowError) as caught:
            viewer.start_run("team.trial", run_id="by viewer")
        assert 403 == caught.value.facts["status"]

    def test_each_user_has_a_token_of_his_own(self, stack: AirflowStack) -> None:
        assert 3 == len({stack.token(user.name) for user in USERS})

    def test_an_unknown_user_is_reported_with_the_known_ones(self, stack: AirflowStack) -> None:
        with pytest.raises(NotFoundError, match=r"nobody.*manager"):
            stack.client("nobody")

    def test_the_dag_folder_is_read_without_an_error(self, stack: AirflowStack) -> None:
        assert [] == stack.client("admin").import_errors()

    def test_it_listens_on_the_loopback_only(self, stack: AirflowStack) -> None:
        mark = (stack.home / "stack.mark").read_text()
        listening = {
            connection.laddr.ip
            for process in _family(mark)
            for connection in process.net_connections(kind="tcp")
            if connection.status == psutil.CONN_LISTEN
        }

        assert {"127.0.0.1"} == listening

    def test_its_port_is_taken_for_others(self, stack: AirflowStack) -> None:
        with pytest.raises(ConfigError, match=rf"port {stack.port} for the web"):
            check_port(stack.port, what="the web")

    @pytest.mark.parametrize("job", ["SchedulerJob", "DagProcessorJob"])
    def test_the_health_checks_of_the_compose_file_pass(
        self, stack: AirflowStack, job: str
    ) -> None:
        stack.airflow("jobs", "check", "--job-type", job)

    def test_a_killed_part_is_named_and_can_be_started_again(self, stack: AirflowStack) -> None:
        os.killpg(stack.pid("dag-processor"), signal.SIGKILL)
        time.sleep(0.5)
        with pytest.raises(SmsflowError, match="dag-processor") as caught:
            stack.check()
        assert str(caught.value.facts["log"]).endswith("dag-processor.log")
        stack.start_part("dag-processor")

        stack.check()


class TestStopping:
    def test_nothing_is_left_of_it(self, tmp_path: Path) -> None:
        """A killed scheduler leaves its workers without a parent; they go too."""
        stack = _idle(tmp_path)
        (tmp_path / "dags").mkdir()
        with stack:
            mark = (tmp_path / "stack.mark").read_text()
            os.kill(stack.pid("scheduler"), signal.SIGKILL)
            assert len(PARTS) <= len(_family(mark))

        assert [] == _family(mark)
        stack.stop()

    def test_a_part_that_cannot_start_shows_the_end_of_its_log(self, tmp_path: Path) -> None:
        stack = _idle(tmp_path, metadata="sqlite:////proc/no/such/folder.db")

        with pytest.raises(SmsflowError) as caught:
            stack.start()
        assert "unable to open database file" in str(caught.value.facts["tail"])
        assert str(caught.value.facts["log"]).endswith("airflow-db-migrate.log")

    def test_a_port_taken_meanwhile_is_named_even_by_another_healthy_airflow(
        self, tmp_path: Path
    ) -> None:
        squatter = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Healthy, bind_and_activate=False
        )

        def take_port(step: str) -> None:
            if step == "starting Airflow":
                squatter.server_bind()
                squatter.server_activate()
                threading.Thread(target=squatter.serve_forever, daemon=True).start()

        stack = _idle(tmp_path, progress=take_port)
        (tmp_path / "dags").mkdir()
        squatter.server_address = ("127.0.0.1", stack.port)
        with pytest.raises(ConfigError, match=f"port {stack.port}"):
            stack.start()
        squatter.shutdown()
        squatter.server_close()


class TestBeforeStarting:
    def test_a_taken_port_is_reported_with_what_to_do(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(ConfigError, match="Airflow's web server") as caught:
                _idle(tmp_path, port=port).start()

        assert f"port {port}" in caught.value.problem
        assert "--port N" in str(caught.value.facts["do"])

    def test_connections_are_variables_in_json(self, tmp_path: Path) -> None:
        connection = {"conn_type": "postgres", "port": 5432, "extra": {"a": 1}}
        env = _idle(tmp_path, connections={"crm": connection}).env()

        assert connection == json.loads(env["AIRFLOW_CONN_CRM"])

    def test_more_variables_win_over_ours(self, tmp_path: Path) -> None:
        env = _idle(tmp_path, env={"AIRFLOW__CORE__PARALLELISM": "32"}).env()

        assert "32" == env["AIRFLOW__CORE__PARALLELISM"]

    def test_no_airflow_variable_of_the_caller_gets_through(self, tmp_path: Path) -> None:
        os.environ["AIRFLOW__CORE__DEFAULT_TIMEZONE"] = "Mars/Olympus"
        try:
            assert "AIRFLOW__CORE__DEFAULT_TIMEZONE" not in _idle(tmp_path).env()
        finally:
            del os.environ["AIRFLOW__CORE__DEFAULT_TIMEZONE"]

    def test_keys_are_shared_by_all_parts_and_kept(self, tmp_path: Path) -> None:
        names = [
            "AIRFLOW__API_AUTH__JWT_SECRET",
            "AIRFLOW__CORE__FERNET_KEY",
            "AIRFLOW__API__SECRET_KEY",
        ]
        first, second = _idle(tmp_path).env(), _idle(tmp_path).env()

        assert [first[name] for name in names] == [second[name] for name in names]
        assert 0o600 == stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode)

    def test_two_homes_have_different_keys(self, tmp_path: Path) -> None:
        name = "AIRFLOW__API_AUTH__JWT_SECRET"

        assert _idle(tmp_path / "a").env()[name] != _idle(tmp_path / "b").env()[name]

    def test_roles_are_told_and_passwords_are_not_shown(self, tmp_path: Path) -> None:
        user = User(name="ann", password="hidden", role="OP")
        env = _idle(tmp_path, users=[user]).env()

        assert "ann:OP" == env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"]
        assert "hidden" not in repr(user)
        assert "hidden" not in str(env)

    def test_without_a_database_it_takes_sqlite_in_its_home(self, tmp_path: Path) -> None:
        url = _idle(tmp_path).env()["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]

        assert f"sqlite:///{tmp_path}/airflow.db" == url
