"""The settings file that the demo leaves behind, for every other command to work on."""

from collections.abc import Mapping

_TEXT = """\
# Written by `cohortd demo`. The platforms are stand-ins on this machine; start them again with:
#   cohortd emulate -c {name} --state platforms
data_dir: var
log_level: warning
sources:
  customers: {{path: data/customers.parquet}}
  events:    {{path: data/events.parquet}}
  consent:   {{path: data/consent.csv}}
segmentation:
  template: ecommerce
  window: 13w
  refit_every: 1w
identity: {{default_region: US}}
audiences:
  minimum_size: 100
  minimum_share: 0.02
consent: {{default: denied, purpose: advertising}}
destinations:
  - name: google
    platform: google_data_manager
    account_id: "1234567890"
    endpoint: {google_data_manager}
    poll: {{first_s: 0.1, factor: 1.3, max_s: 1}}
  - name: google-ads
    platform: google_ads
    account_id: "2345678901"
    endpoint: {google_ads}
    poll: {{first_s: 0.1, factor: 1.3, max_s: 1}}
  - name: meta
    platform: meta
    ad_account_id: act_3456789012
    endpoint: {meta}
"""


def settings_text(endpoints: Mapping[str, str]) -> str:
    """Fill in the emulators' endpoints by platform."""
    return _TEXT.format(name="cohortd.yaml", **endpoints)
