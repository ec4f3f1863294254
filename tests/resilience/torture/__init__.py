"""Many writers, writers that die, colleagues with R, readers all the while: nothing lost, and nobody sees a mixture.

`make torture` (``python -m tests.resilience.torture``) runs the long scenarios and prints a table; `make test` runs
short ones.
"""
