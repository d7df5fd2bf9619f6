"""Patch streams, which make NEW from OLD.  Format: spec/patch-stream.md."""

from spboot.delta.chip_decoder import decode
from spboot.delta.encoder import Progress, encode
from spboot.delta.file import apply_file, encode_file

__all__ = ["Progress", "apply_file", "decode", "encode", "encode_file"]
