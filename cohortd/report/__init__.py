"""What people read: run reports, audience cards, the removal log's exports."""

from cohortd.report.removal_log import removal_log_csv, removal_log_html, removal_log_jsonl
from cohortd.report.runs import Profile, write_run_report

__all__ = ["Profile", "removal_log_csv", "removal_log_html", "removal_log_jsonl", "write_run_report"]
