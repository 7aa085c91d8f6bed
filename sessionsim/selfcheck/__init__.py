"""The product held against known answers: vectors, benchmarks, and later the validation suite."""
