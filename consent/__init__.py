"""Who may be sent where, and why not; revocations; the removal log's rules."""
