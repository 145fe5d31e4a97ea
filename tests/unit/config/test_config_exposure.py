"""Secrets that others on the machine could read are told of, never told."""

from pathlib import Path

import pytest

from config import exposed

SECRETS = """\
database: postgresql://cohortd:hush-1@db/cohortd
sources:
  customers: {url: "postgresql://reader:hush-2@db/shop", query: select 1}
  events: {url: "postgresql://db/shop", query: select 1}
destinations:
  - {name: meta, platform: meta, access_token: hush-3, app_secret_file: secret.txt}
alerts: {urls: ["slack://hush-4/b/c"]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cohortd.yaml"
    path.write_text(SECRETS)
    return path


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_it_says_where_the_secrets_stand_and_not_what_they_are(file: Path, mode: int) -> None:
    file.chmod(mode)
    told = exposed(file)

    assert "(database, sources.customers.url, destinations[0].access_token, alerts.urls)" in told
    assert "hush" not in told


def test_a_file_for_its_owner_alone_is_well(file: Path) -> None:
    file.chmod(0o600)

    assert exposed(file) == ""


def test_a_file_without_secrets_may_be_read_by_all(file: Path) -> None:
    file.write_text("database_file: /run/secrets/database\n")
    file.chmod(0o644)

    assert exposed(file) == ""
