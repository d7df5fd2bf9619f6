"""spboot: secure patching bootloader and firmware update system for STM32 microcontrollers."""
