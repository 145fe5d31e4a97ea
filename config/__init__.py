"""The settings: their models, the annotated example, their documentation."""

from config.loading import find_file, load
from config.settings import Settings

__all__ = ["Settings", "find_file", "load"]
