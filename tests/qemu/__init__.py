"""The shipped bootloader and its crypto in QEMU, where there is one: docs/decisions/0061-qemu.md."""
