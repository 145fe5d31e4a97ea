"""One run: read, cluster, decide, diff, send, report. The only caller of the rooms."""
