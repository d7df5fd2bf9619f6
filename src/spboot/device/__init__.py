"""A board with its chip, running: on the twin or at a serial port."""

from spboot.device.device import Device, Through

__all__ = ["Device", "Through"]
