"""The settings: their models, the annotated example, their documentation."""

from config.documentation import document, example
from config.exposure import exposed
from config.loading import find_file, load
from config.settings import Settings

__all__ = ["Settings", "document", "example", "exposed", "find_file", "load"]
