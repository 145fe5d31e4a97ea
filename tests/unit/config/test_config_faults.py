import pytest


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("log_levl: info", "log_levl: unknown key; did you mean log_level?"),
        ("minimum_size: 5", "minimum_size: unknown key; did you mean audiences.minimum_size?"),
        ("engine: {kin: duckdb}", "engine.kin: unknown key; did you mean kind?"),
        (
            "sources: {customers: {path: a, columz: {}}}",
            "sources.customers.columz: unknown key; did you mean columns?",
        ),
        (
            "sources: {customers: {path: a, columns: {email: {column: a, hashd: true}}}}",
            "sources.customers.columns.email.hashd: unknown key; did you mean hashed?",
        ),
        (
            "destinations: [{name: m, platform: meta, ad_account_id: act_1, acces_token: top}]",
            "destinations[0].acces_token: unknown key; did you mean access_token?",
        ),
        (
            "destinations: [{name: g, platform: google_data_manager, account_id: 1, poll: {frist_s: 1}}]",
            "destinations[0].poll.frist_s: unknown key; did you mean first_s?",
        ),
        (
            "schedule: {zzz: 1}",
            "schedule.zzz: unknown key; known here: recluster, sync, revocations, polling, ",
        ),
        ("_env_file: x", "_env_file: unknown key; known here: "),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(loading, text, fault):
    assert loading.faults(text)[0].startswith(fault)


def test_every_fault_is_told_at_once(loading):
    faults = loading.faults(
        """
        log_level: loud
        guards: {removed_share: 2}
        segmentation: {k: many, window: soon, k_min: 9}
        destinations: [{name: A, platform: meta}]
        """
    )
    assert [fault.partition(":")[0] for fault in faults] == [
        "log_level",
        "segmentation.k",
        "segmentation.window",
        "destinations[0].name",
        "destinations[0].ad_account_id",
        "guards.removed_share",
    ]


def test_a_key_that_may_be_one_thing_or_another_is_told_once(loading):
    (fault,) = loading.faults("segmentation: {k: many}")
    assert fault.startswith("segmentation.k: must be 'auto', or must be a whole number")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("segmentation: {k_min: 9, k_max: 5}", "k_min must not be above k_max"),
        ("segmentation: {template: ecommerce, features: [order_count]}", "template or features, not both"),
        ("consent: {default: maybe}", "consent.default.*: must be 'granted' or 'denied'"),
        ("segmentation: {window: 0d}", "is not a duration"),
        ("segmentation: {window: 7}", "must be a duration"),
        ("segmentation: {algorithm: magic}", "must be 'kmeans'"),
        ("engine: {kind: spark}", "master and kind: spark come together"),
        ("engine: {memory_limit: plenty}", "is not written as it must be: Most memory, such as `4GB`"),
        ("schedule: {timezone: Mars/Base}", "no time zone"),
        ("schedule: {timezone: ../etc/passwd}", "no time zone"),
        ("consent: {default: revoked}", "must be"),
        ("consent: {default: {UK: denied}}", "did you mean GB?"),
        ("identity: {default_region: Germany}", "is not a country code"),
        ("engine: 3", "must be a table of keys and values"),
        ("audiences: {membership_days: 541}", "less than or equal to 540"),
        ("alerts: {urls: 5}", "alerts.urls: must be a list"),
        ("schedule: {sync: 15}", "schedule.sync: must be text"),
        ("log_levels: {nonsense: debug}", "log_levels.nonsense: there is no room nonsense"),
        ("log_levels: quiet", "log_levels: must be a table of keys and values"),
        ("reports: {plots: perhaps}", "reports.plots: must be true or false"),
        ("guards: {bad_rows: -0.1}", "greater than or equal to 0"),
    ],
)
def test_values_that_make_no_sense_are_refused(loading, text, told):
    (fault,) = loading.faults(text)
    assert told in fault


def test_consent_may_differ_by_country_and_silence_is_denied_elsewhere(loading):
    settings = loading("consent: {default: {us: granted}}")
    assert settings.consent.default == {"*": "denied", "US": "granted"}


def test_features_may_be_listed_under_either_key(loading):
    listed = ("order_count", "value_sum")
    assert loading("segmentation: {features: [order_count, value_sum]}").segmentation.chosen == listed
    assert loading("segmentation: {template: [order_count, value_sum]}").segmentation.chosen == listed
    assert loading().segmentation.chosen == "ecommerce"
