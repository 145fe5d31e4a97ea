"""Write ``docs/settings.md`` to standard output: ``python -m config > docs/settings.md``."""

import sys

from config.documentation import document

sys.stdout.write(document())
