"""Reset and clock control, one file for each family."""
