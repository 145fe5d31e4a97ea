"""Writes ``docs/metrics.md`` to standard output."""

import sys

from cohortd.monitoring.documentation import document

sys.stdout.write(document())
