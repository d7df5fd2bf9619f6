"""Patch streams: how NEW is made from OLD.  Format: spec/patch-stream.md."""

from spboot.delta.decoder import decode
from spboot.delta.encoder import Progress, encode

__all__ = ["Progress", "decode", "encode"]
