"""Speed of the twin, in ratios: `python -m bench.twin`."""
