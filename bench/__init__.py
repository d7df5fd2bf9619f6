"""Benchmarks: what we are compared with, and how.  No part of the product."""
