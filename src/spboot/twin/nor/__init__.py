"""Flash chips outside of the microcontroller: their cells, their commands, and two of them in parallel."""
