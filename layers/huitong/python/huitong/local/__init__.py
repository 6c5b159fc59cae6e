"""The ports without a cloud: memory and disk, for tests, benchmarks and offline tools."""
