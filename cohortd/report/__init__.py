"""What people read: run reports, audience cards, the removal log's exports."""

from cohortd.report.deletion_answers import DeletionAnswers
from cohortd.report.linked import removal_log_jsonld
from cohortd.report.removal_log import removal_log_csv, removal_log_html, removal_log_jsonl
from cohortd.report.runs import Profile, write_run_report
from cohortd.report.segments import Looks, page_name, write_segments_report

__all__ = [
    "DeletionAnswers",
    "Looks",
    "Profile",
    "page_name",
    "removal_log_csv",
    "removal_log_html",
    "removal_log_jsonl",
    "removal_log_jsonld",
    "write_run_report",
    "write_segments_report",
]
