"""Checking a signature with nothing but the public key."""

from __future__ import annotations

import base64
import binascii

from huitong.errors import BadRequest
from huitong.ports import Signature


def fits(message: bytes, signature: Signature) -> bool:
    """Raises BadRequest for an algorithm that needs the platform (SM2: KMS alone checks it)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    if signature.algorithm != "ECDSA_SHA_256":
        raise BadRequest(
            f"{signature.algorithm} 签名须由平台核验",
            f"A signature by {signature.algorithm} is checked by the platform",
            algorithm=signature.algorithm,
        )
    try:
        key = serialization.load_pem_public_key(signature.public_key.encode())
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(base64.b64decode(signature.value, validate=True), message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
