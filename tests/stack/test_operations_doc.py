"""What docs/operations.md says is what the code has."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import yaml

from smsflow_provider.cli.main import make_parser
from smsflow_provider.core.store.embedded import EmbeddedPostgres
from smsflow_provider.get_provider_info import get_provider_info

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text()


def _first_column(heading: str) -> list[str]:
    """Read the first cell of each row of the table under a heading."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_every_setting_is_in_the_table() -> None:
    options = get_provider_info()["config"]["smsflow"]["options"]

    assert sorted(options) == sorted(_first_column("Settings"))


def test_every_connection_type_is_named() -> None:
    types = {each["connection-type"] for each in get_provider_info()["connection-types"]}

    assert all(f"`{conn_type}`" in TEXT for conn_type in types)


def test_the_ports_are_the_defaults_of_the_commands() -> None:
    for verb in ("receiver", "simulator"):
        args = make_parser(verb).parse_args([verb])
        assert f"| `smsflow {verb}`" in TEXT
        assert f"{args.host}:{args.port}" in TEXT


def test_the_block_about_the_embedded_server_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (block,) = [each for each in blocks if "EmbeddedPostgres(" in each]
    folder = tmp_path / "postgres"
    code = textwrap.dedent(block).replace("/srv/smsflow/postgres", str(folder))
    found: dict[str, str] = {}
    exec(code.replace(", port=15432", ""), found)  # noqa: S102  it is our own page
    EmbeddedPostgres(folder).destroy()

    assert found["dsn"].endswith("/smsflow")


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)

    assert links
    assert all((ROOT / "docs" / link).exists() for link in links)


def test_the_demo_says_its_own_port_and_folder() -> None:
    args = make_parser("demo").parse_args(["demo"])

    assert f"on port {args.port}" in TEXT
    assert "`.demo`" in TEXT


def test_every_service_of_the_compose_file_is_one_the_page_names() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    section = TEXT.split("\n## Docker Compose\n")[1]

    for word in ("simulator", "airflow-init", "PostgreSQL", "scheduler", "dag-processor"):
        assert word in section
    assert {"postgres", "simulator", "crm"} <= set(services)
