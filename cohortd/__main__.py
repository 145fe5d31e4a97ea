"""``python -m cohortd``, where the command is not on the path."""

from cohortd.cli import main

main()
