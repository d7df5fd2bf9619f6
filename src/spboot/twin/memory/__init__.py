"""What a chip keeps: flash cells with their log of operations, RAM, what the factory wrote."""
