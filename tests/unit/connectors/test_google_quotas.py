"""By what Google counts: the project that credentials belong to."""

import json
from pathlib import Path

import pytest

from connectors.google_quotas import project_of


@pytest.mark.parametrize(
    ("content", "project"),
    [
        ({"type": "service_account", "project_id": "shop"}, "shop"),
        ({"type": "authorized_user", "quota_project_id": "shop"}, "shop"),
        ({"project_id": "keys", "quota_project_id": "shop"}, "shop"),
    ],
)
def test_credentials_say_their_project(tmp_path: Path, content: dict[str, str], project: str) -> None:
    file = tmp_path / "google.json"
    file.write_text(json.dumps(content), encoding="utf-8")

    assert project_of(file, None) == project


@pytest.mark.parametrize("content", ["", "[]", '{"type": "authorized_user"}', None])
def test_credentials_that_do_not_say_it_count_by_themselves(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "google.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    assert project_of(file, None) == str(file)


def test_another_address_counts_by_itself_and_the_machines_own_credentials_too(tmp_path: Path) -> None:
    assert project_of(tmp_path / "google.json", "grpc://127.0.0.1:1") == "grpc://127.0.0.1:1"
    assert project_of(None, None) == "the machine's own credentials"
