"""What a display shows: pixels, layers of them, and a picture of the whole."""
