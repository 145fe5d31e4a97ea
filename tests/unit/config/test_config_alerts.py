from datetime import timedelta

import pytest

from cohortd.core.errors import SettingsError

TABLES = "sources: {customers: {path: customers.csv}}\n"
SLACK, HOOK = "slack://a/b/c", "jsons://hooks.example.com/x"


def _urls(settings):
    return [each.get_secret_value() for each in settings.alerts.urls]


def test_without_settings_nobody_is_told(loading):
    assert loading(TABLES).alerts is None


def test_what_stands_is_told_again_after_a_day_unless_set(loading):
    found = loading(f"{TABLES}alerts: {{urls: ['{SLACK}', '{HOOK}'], events_stale_after: 3d}}")

    assert _urls(found) == [SLACK, HOOK]
    assert found.alerts.repeat_after == timedelta(days=1)
    assert found.alerts.events_stale_after == timedelta(days=3)


def test_urls_may_stand_in_a_file_one_a_line(loading, tmp_path):
    (tmp_path / "urls").write_text(f"# ours\n{SLACK}\n\n  {HOOK}\n{SLACK}\n")

    assert _urls(loading(f"{TABLES}alerts: {{urls_file: urls}}")) == [SLACK, HOOK]


def test_urls_may_stand_in_the_environment(loading):
    found = loading(f"{TABLES}alerts: {{repeat_after: 2d}}", {"COHORTD_ALERTS__URLS": SLACK})

    assert _urls(found) == [SLACK]


@pytest.mark.parametrize("urls", ["[]", "['no-url-hunter2']", "''"])
def test_what_is_no_url_is_refused_without_being_shown(loading, urls):
    with pytest.raises(SettingsError) as caught:
        loading(f"{TABLES}alerts: {{urls: {urls}}}")

    assert "alerts.urls" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_room_that_is_none_is_refused_with_the_one_meant(loading):
    with pytest.raises(SettingsError, match="did you mean ledger"):
        loading(f"{TABLES}log_levels: {{leger: debug}}")
