"""Customer Match through Google's Data Manager API."""

from connectors.google_data_manager.connector import DataManagerConnector
from connectors.google_data_manager.options import DataManagerOptions

__all__ = ["DataManagerConnector", "DataManagerOptions"]
