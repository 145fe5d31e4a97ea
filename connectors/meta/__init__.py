"""Meta Custom Audiences over the Graph API."""

from connectors.meta.connector import MetaConnector
from connectors.meta.options import MetaOptions

__all__ = ["MetaConnector", "MetaOptions"]
