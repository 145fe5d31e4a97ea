"""From `cohortd revoke` to the removal request that reaches the platform, beside a full sync."""
