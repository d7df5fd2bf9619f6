"""What code costs, and what it is called."""
