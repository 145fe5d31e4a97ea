import pytest

from config.endpoints import check_endpoint, is_loopback

GOOGLE_ADS = "{name: g, platform: google_ads, account_id: 1"


def _one(loading, text):
    return loading(f"destinations: [{text}]").destinations[0]


def test_dashes_in_account_ids_do_not_matter(loading):
    google = "{name: g, platform: google_data_manager, account_id: 123-456-7890, login_account_id: 987}"
    found = _one(loading, google)
    assert (found.account_id, found.login_account_id) == ("1234567890", "987")


def test_names_stand_once(loading):
    twice = ", ".join(["{name: g, platform: google_data_manager, account_id: 1}"] * 2)
    assert loading.faults(f"destinations: [{twice}]") == [
        "destinations: each name may stand once; twice: g"
    ]


@pytest.mark.parametrize("destination", ["{name: x}", "{name: x, platform: googel}"])
def test_the_platform_must_be_known(loading, destination):
    (fault,) = loading.faults(f"destinations: [{destination}]")
    assert fault == "destinations[0]: platform must be google_data_manager, google_ads, meta or csv_drop"


def test_meta_needs_its_token(loading):
    (fault,) = loading.faults("destinations: [{name: m, platform: meta, ad_account_id: act_1}]")
    assert fault == "destinations[0]: needs access_token or access_token_file"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "needs credentials_file, or client_id, client_secret, refresh_token"),
        (", developer_token: t", "needs credentials_file, or client_id, client_secret, refresh_token"),
        (
            ", developer_token: t, client_id: c, client_secret: s",
            "needs credentials_file, or refresh_token",
        ),
        (", developer_token: t, client_id: c, credentials_file: f", "not both"),
    ],
)
def test_google_ads_needs_its_credentials(loading, more, told):
    (fault,) = loading.faults(f"destinations: [{GOOGLE_ADS}{more}}}]")
    assert told in fault


def test_this_machine_needs_no_credentials(loading):
    assert _one(loading, f'{GOOGLE_ADS}, endpoint: "grpc://127.0.0.1:9090"}}').is_local
    meta = '{name: m, platform: meta, ad_account_id: act_1, endpoint: "http://localhost:8080/"}'
    assert _one(loading, meta).endpoint == "http://localhost:8080"


def test_google_members_live_as_long_as_the_audiences_say(loading):
    settings = loading(
        """
        audiences: {membership_days: 90}
        destinations:
          - {name: a, platform: google_data_manager, account_id: 1}
          - {name: b, platform: google_data_manager, account_id: 2, membership_days: 30}
        """
    )
    assert [destination.membership_days for destination in settings.destinations] == [90, 30]


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:80",
        "http://127.9.9.9:80",
        "grpc://[::1]:9",
        "http://LOCALHOST:80",
        "https://proxy.example",
    ],
)
def test_endpoints_that_may_be_used(endpoint):
    assert check_endpoint(endpoint, schemes=("http", "grpc", "https")) == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://example.com:80",
        "http://127.0.0.1.example.com:80",
        "http://localhost.example.com:80",
        "http://0.0.0.0:80",
        "http://10.0.0.1:80",
        "grpc://[2001:db8::1]:80",
        "http://127.0.0.1",
        "http://127.0.0.1:99999",
        "http://user:hidden@127.0.0.1:80",
        "http://127.0.0.1:80/path",
        "http://127.0.0.1:80?token=hidden",
        "ftp://127.0.0.1:80",
        "127.0.0.1:80",
        "http://[::1",
        "",
    ],
)
def test_endpoints_that_may_not_be_used(endpoint):
    with pytest.raises(ValueError, match=r"^(must|http://|grpc://)") as caught:
        check_endpoint(endpoint, schemes=("http", "grpc", "https"))
    assert "hidden" not in str(caught.value)


def test_each_platform_has_its_own_schemes(loading):
    google = '{name: g, platform: google_ads, account_id: 1, endpoint: "http://127.0.0.1:9"}'
    assert "must be grpc://HOST:PORT" in loading.faults(f"destinations: [{google}]")[0]


def test_the_platforms_own_address_is_not_local():
    assert not is_loopback(None)
    assert not is_loopback("https://proxy.example")
