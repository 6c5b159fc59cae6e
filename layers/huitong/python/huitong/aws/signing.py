"""Signatures by an asymmetric key of KMS: ECDSA on P-256, or SM2 in China's regions."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from huitong.audit.signatures import fits
from huitong.aws.errors import codes, translate, translated
from huitong.ports import Signature


class KmsSigner:
    """:class:`huitong.ports.Signer`. The public key is asked for once.

    ``former``: SHA-256 (hexadecimal) of public keys (PEM) that signed before this one and are trusted still,
    after the key was replaced or the platform restored elsewhere (S-24, S-25). They are a setting of the
    deployment: a list in the database could be extended by whoever writes to it.
    """

    def __init__(self, client: Any, key: str, former: Collection[str] = ()) -> None:
        self._client = client
        self._key = key
        self._former = frozenset(former)

    def sign(self, message: bytes) -> Signature:
        algorithm, public = self._public
        with translated("signature"):
            answer = self._client.sign(
                KeyId=self._key, Message=message, MessageType="RAW", SigningAlgorithm=algorithm
            )
        return Signature(base64.b64encode(answer["Signature"]).decode(), algorithm, public)

    def verify(self, message: bytes, signature: Signature) -> bool:
        algorithm, public = self._public
        if (signature.algorithm, signature.public_key) != (algorithm, public):
            return self._trusted(signature) and fits(message, signature)
        try:
            value = base64.b64decode(signature.value, validate=True)
            answer = self._client.verify(
                KeyId=self._key,
                Message=message,
                MessageType="RAW",
                Signature=value,
                SigningAlgorithm=algorithm,
            )
        except binascii.Error:
            return False
        except ClientError as error:
            if "KMSInvalidSignatureException" in codes(error):
                return False
            raise translate(error, what="signature") from error
        return bool(answer["SignatureValid"])

    @property
    def public_key(self) -> str:
        """PEM."""
        return self._public[1]

    def _trusted(self, signature: Signature) -> bool:
        return hashlib.sha256(signature.public_key.encode()).hexdigest() in self._former

    @cached_property
    def _public(self) -> tuple[str, str]:
        """Algorithm and public key (PEM)."""
        with translated("public key of signatures"):
            answer = self._client.get_public_key(KeyId=self._key)
        text = base64.b64encode(answer["PublicKey"]).decode()
        lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
        pem = f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
        return str(answer["SigningAlgorithms"][0]), pem
