"""What somebody with a board needs to try spboot on it: files, keys, and a page that says what to do."""

from __future__ import annotations

from spboot.kit.kit import KEYS, README, SUMS, Item, Kit, write

__all__ = ["KEYS", "README", "SUMS", "Item", "Kit", "write"]
