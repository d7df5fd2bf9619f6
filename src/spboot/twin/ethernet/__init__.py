"""What an Ethernet MAC is connected to: a PHY, the cable behind it, and descriptors in memory."""
