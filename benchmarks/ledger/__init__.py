"""What the ledger costs at a size: ``python -m benchmarks.ledger --members 1e6``."""
