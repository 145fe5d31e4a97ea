"""Customer Match through the Google Ads API's offline user data jobs: ``connector.GoogleAdsConnector``.

Nothing is imported here: the vendor's package costs a second and a half, which only a process that
talks to this platform should pay.
"""
