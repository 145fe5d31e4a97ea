"""``python -m cohortd.engine``: prints docs/features.md."""

import sys

from cohortd.engine.documentation import document

sys.stdout.write(document())
