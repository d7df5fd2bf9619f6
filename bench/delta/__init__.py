"""Patch sizes on real firmware, next to the other tools of the field.  `make bench`, or `python -m bench.delta`."""
