"""Customer Match through the Google Ads API's offline user data jobs."""

from connectors.google_ads.connector import GoogleAdsConnector
from connectors.google_ads.options import GoogleAdsOptions

__all__ = ["GoogleAdsConnector", "GoogleAdsOptions"]
