"""Files for upload by hand, in the form that Google's and Meta's own pages take."""

from connectors.csv_drop.connector import CsvDropConnector
from connectors.csv_drop.options import CsvDropOptions

__all__ = ["CsvDropConnector", "CsvDropOptions"]
