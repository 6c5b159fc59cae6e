"""Signatures by a key in memory."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from huitong.audit.signatures import fits
from huitong.ports import Signature


class LocalSigner:
    """:class:`huitong.ports.Signer` with ECDSA on P-256, as KMS does it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._public = public.decode()

    def sign(self, message: bytes) -> Signature:
        value = self._key.sign(message, ec.ECDSA(hashes.SHA256()))
        return Signature(base64.b64encode(value).decode(), "ECDSA_SHA_256", self._public)

    def verify(self, message: bytes, signature: Signature) -> bool:
        return signature.public_key == self._public and fits(message, signature)
