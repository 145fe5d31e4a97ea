import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cohortd.core.errors import SettingsError
from config import Settings, find_file, load
from tests.evidence.processes import in_a_process


def test_a_file_with_nothing_but_customers_takes_every_default(loading, tmp_path):
    settings = loading()
    assert settings.data_dir == tmp_path / "var"
    assert settings.database_url == f"sqlite:///{tmp_path}/var/cohortd.db"
    assert settings.segmentation.refit_every == timedelta(weeks=4)
    assert settings.consent.default == {"*": "denied"}
    assert settings.destinations == ()


def test_what_is_loaded_is_settings(loading):
    assert isinstance(loading(), Settings)
    assert repr(loading()).startswith("Settings(")


def test_the_designs_own_example_loads(write, tmp_path):
    (tmp_path / "token").write_text("a-token\n")
    settings = load(
        write(
            """
            data_dir: var
            log_level: info
            database: sqlite:///var/cohortd.db
            engine: {kind: duckdb}
            sources:
              customers: {path: customers.csv, columns: {customer_id: id, email: email_address}}
              events:    {path: "events/*.parquet"}
              consent:   {path: consent.csv}
            segmentation: {template: ecommerce, algorithm: kmeans, k: auto, refit_every: 4w, margin: 0.15}
            audiences: {minimum_size: 1000, minimum_share: 0.01, below_minimum: merge}
            consent: {default: denied, purpose: advertising}
            destinations:
              - {name: google, platform: google_data_manager, account_id: "1234567890", endpoint: null}
              - {name: meta, platform: meta, ad_account_id: act_123, access_token_file: token}
            schedule: {recluster: "0 3 * * 1", sync: "0 * * * *", revocations: "*/5 * * * *", timezone: UTC}
            guards: {removed_share: 0.2, moved_share: 0.3, source_drop: 0.3}
            """
        ),
        environ={},
    )
    assert [destination.name for destination in settings.destinations] == ["google", "meta"]


def test_relative_paths_are_taken_from_the_settings_file(loading, tmp_path):
    settings = loading(
        """
        data_dir: here
        database: sqlite:///books/l.db?timeout=3
        sources:
          customers: {path: a.csv}
          events: {path: /elsewhere/*.csv}
          consent: {path: "s3://bucket/consent.csv"}
        destinations:
          - {name: g, platform: google_data_manager, account_id: 1, credentials_file: key.json}
        """
    )
    assert settings.data_dir == tmp_path / "here"
    assert settings.database_url == f"sqlite:///{tmp_path}/books/l.db?timeout=3"
    assert settings.sources.customers.path == str(tmp_path / "a.csv")
    assert settings.sources.events.path == "/elsewhere/*.csv"
    assert settings.sources.consent.path == "s3://bucket/consent.csv"
    assert settings.destinations[0].credentials_file == tmp_path / "key.json"


def test_an_absolute_database_stays(loading):
    assert loading("database: sqlite:////srv/l.db").database_url == "sqlite:////srv/l.db"
    url = "postgresql://me:pw@db/ledger"
    assert loading(f"database: {url}").database_url == url


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://me:pw@db/ledger", "ledger.db"])
def test_a_database_that_can_hold_no_ledger_is_refused(loading, url):
    (fault,) = loading.faults(f'database: "{url}"')
    assert fault.startswith("database: must ")
    assert "pw" not in fault


def test_settings_cannot_be_changed(loading):
    with pytest.raises(ValueError, match="frozen"):
        loading().log_level = "debug"


def test_norway_is_no_boolean_and_a_leading_zero_no_number(loading):
    settings = loading("consent: {default: {NO: granted}}\naudiences: {names: {s1: 012}}")
    assert settings.consent.default["NO"] == "granted"
    assert settings.audiences.names == {"s1": "012"}


def test_numbers_are_still_numbers_in_yaml(loading):
    settings = loading("guards: {removed_share: .5}\nsegmentation: {seed: 12, margin: 0.2}")
    assert settings.guards.removed_share == 0.5
    assert (settings.segmentation.seed, settings.segmentation.margin) == (12, 0.2)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "line 1: is not valid YAML"),
        ("token: %hidden", "is not valid YAML"),
        ("- a", "must hold a table"),
        ("log_level: info\nlog_level: debug", "line 2: log_level stands twice"),
    ],
)
def test_a_file_that_is_no_table_is_refused_without_its_text(write, text, told):
    with pytest.raises(SettingsError, match=told) as caught:
        load(write(text), environ={})
    assert "hidden" not in str(caught.value)


def test_an_unreadable_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "absent.yaml", environ={})
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="no UTF-8 text"):
        load(tmp_path / "binary.yaml", environ={})


def test_an_empty_file_needs_its_sources(write):
    with pytest.raises(SettingsError, match=r"^sources: is needed$"):
        load(write(""), environ={})


def test_a_named_file_wins_over_the_variable_and_that_over_the_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("cohortd.yaml", "option.yaml", "variable.yaml"):
        Path(name).touch()
    assert find_file("option.yaml", {"COHORTD_CONFIG": "variable.yaml"}) == Path("option.yaml")
    assert find_file(None, {"COHORTD_CONFIG": "variable.yaml"}) == Path("variable.yaml")
    assert find_file(None, {}) == Path("cohortd.yaml")


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(SettingsError, match="cohortd init"):
        find_file(tmp_path / "absent.yaml", {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root shuts a folder to somebody")
@pytest.mark.parametrize("shut", ["settings", "secrets"])
def test_a_folder_that_is_shut_to_the_daemons_user_is_told(
    shut: str, write: Callable[[str], Path], tmp_path: Path
) -> None:
    secrets = tmp_path / "shut" / "secrets"
    secrets.mkdir(parents=True)
    (tmp_path / "shut").chmod(0o700)
    file = write(f"sources: {{customers: {{path: c.csv}}}}\nsecrets_dir: {secrets}\n")
    file.chmod(0o644)
    named = tmp_path / "shut" / file.name if shut == "settings" else file
    tmp_path.chmod(0o755)

    def read() -> None:
        os.chdir(tmp_path)
        os.seteuid(10001)
        with pytest.raises(SettingsError, match=r"cannot be read.*Permission denied"):
            load(find_file(os.path.relpath(named, tmp_path), {}))

    assert in_a_process(read) == 0


def test_a_folder_is_told_with_the_file_that_may_be_in_it(tmp_path):
    with pytest.raises(SettingsError, match="is a folder; name the settings file in it"):
        find_file(tmp_path, {})
