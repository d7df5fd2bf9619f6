"""Between the twin and the machine that it runs on."""
