"""Power control, one file for each family."""
