"""The product held against known answers: benchmarks, and later vectors and the validation suite."""
