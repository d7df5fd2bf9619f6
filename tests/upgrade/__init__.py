"""Every released bootloader and application against the spboot of today; see test_upgrade.py."""
