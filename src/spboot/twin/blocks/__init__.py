"""All other peripherals."""
