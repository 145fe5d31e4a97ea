"""What 10,000 members cost, beside the vendors' own ways: ``python -m benchmarks.connectors``."""
