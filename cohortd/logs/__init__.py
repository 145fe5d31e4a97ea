"""How log lines look, which are shown, and what is taken out of them."""

from cohortd.logs.dying import keep_quiet, place_of
from cohortd.logs.lines import set_up_logs

__all__ = ["keep_quiet", "place_of", "set_up_logs"]
