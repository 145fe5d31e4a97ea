"""The settings: their models, the annotated example, their documentation."""

from config.differences import changed_keys, files_of_secrets
from config.documentation import document, example
from config.exposure import exposed
from config.loading import find_file, load
from config.settings import Settings
from config.yaml_file import read_yaml

__all__ = [
    "Settings",
    "changed_keys",
    "document",
    "example",
    "exposed",
    "files_of_secrets",
    "find_file",
    "load",
    "read_yaml",
]
