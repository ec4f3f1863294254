"""Many writers, writers that die, colleagues with R, readers all the while: nothing lost, and nobody sees a mixture.

``python -m tests.torture`` (`make torture`) runs the long scenarios and prints a table; `make test` runs short ones.
"""
