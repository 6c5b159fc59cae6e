"""Sealing of short secrets by KMS."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from huitong.aws.errors import translated
from huitong.errors import Corrupt

_MARK: Final = "kms1:"


class KmsSecrets:
    """:class:`huitong.ports.Secrets`: KMS encrypts the secret itself (at most 4 KiB).

    The context is bound to the cipher text: what was sealed for one
    subscription cannot be unsealed for another.
    """

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key

    def seal(self, plain: str, context: str) -> str:
        with translated(f"secret of {context}"):
            answer = self._client.encrypt(
                KeyId=self._key, Plaintext=plain.encode(), EncryptionContext={"huitong": context}
            )
        return _MARK + base64.b64encode(answer["CiphertextBlob"]).decode()

    def unseal(self, sealed: str, context: str) -> str:
        with translated(f"secret of {context}"):
            answer = self._client.decrypt(
                KeyId=self._key, CiphertextBlob=_blob(sealed, context), EncryptionContext={"huitong": context}
            )
        return bytes(answer["Plaintext"]).decode()


def _blob(sealed: str, context: str) -> bytes:
    try:
        if not sealed.startswith(_MARK):
            raise binascii.Error("no mark")
        return base64.b64decode(sealed.removeprefix(_MARK), validate=True)
    except binascii.Error as error:
        raise Corrupt(
            f"{context} 的密文已损坏", f"The sealed secret of {context} is broken", what=context
        ) from error
