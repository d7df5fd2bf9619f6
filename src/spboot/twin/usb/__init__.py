"""What hangs at a USB connector: a flash drive, byte by byte and packet by packet."""
