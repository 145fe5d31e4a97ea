"""Settings that change while the daemon runs."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cohortd.core.errors import SettingsError
from cohortd.daemon.reloading import SECRETS_S, Reloading

SETTINGS = """
data_dir: {data_dir}
sources: {{customers: {{path: customers.csv}}}}
schedule: {{sync: "{sync}"}}
secrets_dir: secrets
destinations:
  - {{name: meta, platform: meta, ad_account_id: act_1, access_token_file: token}}
  - {{name: other, platform: meta, ad_account_id: act_2}}
"""


class Place:
    """A settings file with its secrets, of which one lies as Kubernetes lays it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "secrets").mkdir()
        (folder / "token").write_text("first-token")
        self.mount("1", "first-other")
        self.write()

    def write(self, *, sync: str = "1h", data_dir: str = "var") -> None:
        self.file.write_text(SETTINGS.format(sync=sync, data_dir=data_dir))

    def mount(self, version: str, secret: str) -> None:
        """Swap the folder that all links lead through, as the kubelet does."""
        secrets = self.folder / "secrets"
        made = secrets / f"..{version}"
        made.mkdir()
        (made / "other_access_token").write_text(secret)
        link = secrets / "..new"
        link.symlink_to(made.name)
        link.replace(secrets / "..data")
        name = secrets / "other_access_token"
        if not name.is_symlink():
            name.symlink_to("..data/other_access_token")

    @property
    def file(self) -> Path:
        return self.folder / "cohortd.yaml"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def reloading(place: Place) -> Reloading:
    return Reloading.begin(str(place.file), now=0)


def _tokens(reloading: Reloading) -> list[str]:
    found = (reloading.waiting or reloading.settings).destinations
    return [each.access_token.get_secret_value() for each in found]  # type: ignore[union-attr]


def test_what_changed_is_told_by_key_and_waits_to_be_used(place: Place, reloading: Reloading) -> None:
    place.write(sync="2h")
    (place.folder / "token").write_text("second-token")
    with capture_logs() as logs:
        is_waiting = reloading.look(is_asked=True, now=1)
    before = reloading.settings.schedule.sync
    used = reloading.adopt()
    [told] = logs

    assert is_waiting
    assert told["event"] == "settings_read"
    assert told["changed"] == [
        "destinations.meta.access_token",
        "destinations.meta.access_token_file",
        "schedule.sync",
    ]
    assert "token" not in str(logs).replace("access_token", "")
    assert (before, used.schedule.sync) == ("1h", "2h")
    assert not reloading.look(is_asked=True, now=2)


def test_secrets_are_read_again_by_themselves_and_nothing_else_with_them(
    place: Place, reloading: Reloading
) -> None:
    place.write(sync="2h")
    (place.folder / "token").write_text("second-token")
    looks = [reloading.look(is_asked=False, now=now) for now in (SECRETS_S - 1, SECRETS_S)]
    first = _tokens(reloading)
    reloading.adopt()
    place.mount("2", "second-other")
    looks.append(reloading.look(is_asked=False, now=2 * SECRETS_S))

    assert looks == [False, True, True]
    assert first == ["second-token", "first-other"]
    assert _tokens(reloading) == ["second-token", "second-other"]
    assert reloading.adopt().schedule.sync == "1h"


def test_a_secret_that_cannot_be_read_leaves_the_old_one_until_it_is_mended(
    place: Place, reloading: Reloading
) -> None:
    (place.folder / "token").write_text("")
    with capture_logs() as logs:
        looks = [reloading.look(is_asked=False, now=n * SECRETS_S) for n in (1, 2)]
    fault = reloading.fault
    (place.folder / "token").write_text("second-token")
    looks.append(reloading.look(is_asked=False, now=3 * SECRETS_S))

    assert looks == [False, False, True]
    assert [each["event"] for each in logs] == ["settings_not_read"]
    assert "access_token_file" in fault
    assert reloading.fault == ""


def test_a_broken_file_keeps_the_settings_in_use_and_is_told_until_it_is_mended(
    place: Place, reloading: Reloading
) -> None:
    place.write(sync="never")
    broken = reloading.look(is_asked=True, now=1)
    fault = reloading.fault
    (place.folder / "token").write_text("second-token")
    rotated = reloading.look(is_asked=False, now=1 + SECRETS_S)
    still = reloading.fault
    place.write(sync="1h")
    reloading.look(is_asked=True, now=100)

    assert (broken, rotated) == (False, True)
    assert "schedule.sync" in fault
    assert still == fault
    assert reloading.fault == ""


def test_what_a_running_daemon_cannot_change_stays_and_the_rest_is_used(
    place: Place, reloading: Reloading
) -> None:
    place.write(sync="2h", data_dir="elsewhere")
    reloading.look(is_asked=True, now=1)
    used = reloading.adopt()

    assert used.data_dir.name == "var"
    assert used.schedule.sync == "2h"
    assert reloading.fault == "data_dir changed: that takes a restart"


def test_a_new_password_of_the_same_database_needs_no_restart(place: Place) -> None:
    secret = place.folder / "secrets" / "database"
    secret.write_text("postgresql://cohortd:one@db/ledger")
    reloading = Reloading.begin(str(place.file), now=0)
    urls = []
    for url in ("postgresql://cohortd:two@db/ledger", "postgresql://cohortd:two@other/ledger"):
        secret.write_text(url)
        if reloading.look(is_asked=True, now=1):
            reloading.adopt()
        urls.append(reloading.settings.database_url)

    assert urls == ["postgresql://cohortd:two@db/ledger"] * 2
    assert reloading.fault == "database changed: that takes a restart"


def test_settings_that_prove_to_be_of_no_use_give_way_to_the_last(
    place: Place, reloading: Reloading
) -> None:
    place.write(sync="2h")
    reloading.look(is_asked=True, now=1)
    reloading.adopt()
    went_back = reloading.revert("another account under the same name")
    first = reloading.settings.schedule.sync
    reloading.settle()

    assert (went_back, first) == (True, "1h")
    assert reloading.fault == "another account under the same name"
    assert not reloading.revert("again")


def test_a_secret_changes_without_what_was_of_no_use_and_that_can_be_tried_once_more(
    place: Place, reloading: Reloading
) -> None:
    place.write(sync="2h")
    reloading.look(is_asked=True, now=1)
    reloading.adopt()
    reloading.revert("the database is out of reach")
    tried = [reloading.retry(), reloading.retry()]
    again = reloading.adopt().schedule.sync
    reloading.revert("the database is out of reach")
    (place.folder / "token").write_text("second-token")
    reloading.look(is_asked=False, now=1 + SECRETS_S)
    tokens, used = _tokens(reloading), reloading.adopt()

    assert (tried, again) == ([True, False], "2h")
    assert (tokens[0], used.schedule.sync) == ("second-token", "1h")
    assert not reloading.retry()


def test_without_settings_there_is_no_daemon(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such settings file"):
        Reloading.begin(str(tmp_path / "none.yaml"), now=0)
