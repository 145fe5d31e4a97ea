import pytest

from cohortd.core.errors import SettingsError

META = "{name: meta-eu, platform: meta, ad_account_id: act_1, access_token: from-file}"


def test_the_environment_wins_over_the_file(loading):
    settings = loading(
        "segmentation: {k: auto}\nlog_level: info",
        {
            "COHORTD_SEGMENTATION__K": "6",
            "COHORTD_LOG_LEVEL": "debug",
            "COHORTD_GUARDS__MOVED_SHARE": "0.5",
        },
    )
    assert (settings.segmentation.k, settings.log_level, settings.guards.moved_share) == (6, "debug", 0.5)


def test_a_variable_may_hold_null_or_a_whole_table(loading):
    settings = loading(
        "schedule: {sync: '1 * * * *'}",
        {
            "COHORTD_SCHEDULE__SYNC": "null",
            "COHORTD_CONSENT__DEFAULT": '{"*": "denied", "US": "granted"}',
            "COHORTD_SEGMENTATION__FEATURES": '["order_count"]',
        },
    )
    assert settings.schedule.sync is None
    assert settings.consent.default == {"*": "denied", "US": "granted"}
    assert settings.segmentation.chosen == ("order_count",)


def test_an_empty_variable_counts_as_unset(loading):
    assert loading("log_level: error", {"COHORTD_LOG_LEVEL": " "}).log_level == "error"


def test_destinations_go_by_their_name(loading):
    settings = loading(f"destinations: [{META}]", {"COHORTD_DESTINATIONS__META_EU__ACCESS_TOKEN": "newer"})
    assert settings.destinations[0].access_token.get_secret_value() == "newer"


def test_a_destination_that_is_not_there_is_a_fault(loading):
    faults = loading.faults("", {"COHORTD_DESTINATIONS__META__ACCESS_TOKEN": "hidden"})
    assert faults == ["COHORTD_DESTINATIONS__META: no destination has this name"]


def test_an_unknown_variable_is_refused_with_the_nearest_key(loading):
    faults = loading.faults("", {"COHORTD_AUDIENCES__MINIMUM_SIZ": "1"})
    assert faults == ["audiences.minimum_siz: unknown key; did you mean minimum_size?"]


@pytest.mark.parametrize(
    "name",
    ["COHORTD_CONFIG", "COHORTD_SERVICE_HOST", "COHORTD_PORT", "COHORTD_PORT_80_TCP", "OTHER", "cohortd_x"],
)
def test_variables_that_are_no_settings_are_left_alone(loading, name):
    assert loading("", {name: "x"}).log_level == "info"


def test_broken_json_in_a_variable_is_a_fault_without_its_text(loading):
    assert loading.faults("", {"COHORTD_DATABASE": "{hidden"}) == [
        "COHORTD_DATABASE: begins like JSON but is none"
    ]


def test_a_variable_below_one_that_sets_the_whole_table_is_a_fault(loading):
    faults = loading.faults("", {"COHORTD_ENGINE": "duckdb", "COHORTD_ENGINE__KIND": "duckdb"})
    assert faults[0].startswith("COHORTD_ENGINE__KIND: contradicts")


def test_a_secret_may_stand_in_a_file(loading, tmp_path):
    (tmp_path / "token").write_text("  the-token \n")
    settings = loading(
        "destinations: [{name: m, platform: meta, ad_account_id: act_1, access_token_file: token}]"
    )
    assert settings.destinations[0].access_token.get_secret_value() == "the-token"
    assert settings.destinations[0].access_token_file == tmp_path / "token"


def test_the_ledgers_and_the_sources_addresses_may_stand_in_files(loading, tmp_path):
    (tmp_path / "ledger").write_text("postgresql://me:pw@db/ledger\n")
    (tmp_path / "shop").write_text("postgresql://me:pw@db/shop\n")
    settings = loading("database_file: ledger\nsources: {customers: {url_file: shop, query: q}}")
    assert settings.database_url == "postgresql://me:pw@db/ledger"
    assert settings.sources.customers.url.get_secret_value() == "postgresql://me:pw@db/shop"


def test_a_value_and_its_file_together_are_a_fault(loading):
    faults = loading.faults(f"destinations: [{META.removesuffix('}')}, access_token_file: t}}]")
    assert faults == ["destinations[0].access_token_file: give access_token or access_token_file, not both"]


@pytest.mark.parametrize(
    ("content", "told"), [(None, "cannot be read"), (b" \n", "is empty"), (b"\xff", "is no text")]
)
def test_a_secret_file_at_fault_is_told_once(loading, tmp_path, content, told):
    if content is not None:
        (tmp_path / "t").write_bytes(content)
    (fault,) = loading.faults("database_file: t")
    assert fault.startswith("database_file: ")
    assert told in fault


def test_secrets_may_stand_in_a_folder_by_destination_and_key(loading, tmp_path):
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name, secret in {
        "meta_access_token": "one",
        "meta_app_secret": "two",
        "database": "sqlite:///x.db",
    }.items():
        (folder / name).write_text(secret + "\n")
    text = "destinations: [{name: meta, platform: meta, ad_account_id: act_1, app_secret: nearer}]"
    for settings in (
        loading(f"secrets_dir: secrets\n{text}"),
        loading(text, {"COHORTD_SECRETS_DIR": str(folder)}),
    ):
        (meta,) = settings.destinations
        assert meta.access_token.get_secret_value() == "one"
        assert meta.app_secret.get_secret_value() == "nearer"
        assert settings.database_url == f"sqlite:///{tmp_path}/x.db"


def test_a_folder_of_secrets_that_is_not_there_is_a_fault(loading, tmp_path):
    assert loading.faults("secrets_dir: nowhere") == [f"secrets_dir: {tmp_path}/nowhere is no folder"]


def test_secrets_are_never_shown(loading, tmp_path):
    (tmp_path / "f").write_text("hidden-5")
    text = """
        database: postgresql://me:hidden-1@db/ledger
        sources: {customers: {url: "postgresql://me:hidden-2@db/shop", query: q}}
        destinations:
          - {name: m, platform: meta, ad_account_id: act_1, access_token: hidden-3, app_secret: hidden-4}
          - {name: g, platform: google_ads, account_id: 1, developer_token_file: f, client_id: c,
             client_secret: hidden-6, refresh_token: hidden-7}
        """
    settings = loading(text)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "hidden" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "destinations: [{name: m, platform: meta, ad_account_id: act_1, access_token: [hidden]}]",
        "destinations: [{name: m, platform: meta, ad_account_id: act_1, acces_token: hidden}]",
        "destinations: [{name: m, platform: meta, ad_account_id: hidden}]",
        "destinations: hidden",
        "destinations: [hidden]",
        "database: hidden",
        "sources: hidden",
        "sources: {customers: {url: hidden}}",
        "destinations: [{name: g, platform: google_ads, account_id: 1, endpoint: 'http://x:hidden@y:1'}]",
    ],
)
def test_errors_never_show_what_was_given(loading, text):
    assert "hidden" not in "\n".join(loading.faults(text))


def test_no_traceback_carries_pydantics_own_error(loading):
    with pytest.raises(SettingsError) as caught:
        loading("database: hidden")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
