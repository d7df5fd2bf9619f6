"""A product's keys: the folder, who signs, where secrets come from."""

from spboot.keys.command import CommandSigner
from spboot.keys.fingerprint import fingerprint
from spboot.keys.folder import ENCRYPTION, PRODUCT, SIGNING, VERIFY
from spboot.keys.keys import Keys
from spboot.keys.signer import SignatureFile, Signer
from spboot.keys.signers import named_by
from spboot.keys.token import TokenSigner

__all__ = [
    "ENCRYPTION",
    "PRODUCT",
    "SIGNING",
    "VERIFY",
    "CommandSigner",
    "Keys",
    "SignatureFile",
    "Signer",
    "TokenSigner",
    "fingerprint",
    "named_by",
]
