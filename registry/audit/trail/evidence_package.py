"""The file in which evidence of one letter is handed over: a package that proves itself.

A ZIP file without compression, in one form only, so that no byte of it can be another. Inside are
the proof (`export_file`, of the letter's own entries), a page for people that checks the proof
itself, and a manifest with the SHA-256 of both, which the registry signs.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.audit.trail import canonical_json, keys
from registry.audit.trail.untrusted_json import DamagedText, read_member, read_object

_FORMAT: Final = "ebox-evidence/1"
_PROOF: Final = "evidence.jsonl"
_PAGE: Final = "evidence.html"
_MANIFEST: Final = "manifest.json"
_NAMES: Final = (_MANIFEST, _PAGE, _PROOF)
_LONGEST: Final = 64 * 1024 * 1024  # bytes of one file: a hundred thousand entries have less
_DATE: Final = (1980, 1, 1, 0, 0, 0)  # the first that ZIP knows: when it was made is in the proof


@dataclass(frozen=True, slots=True)
class EvidencePackage:
    """The files of a package; the manifest as it is written, signed or not."""

    manifest: bytes
    page: bytes
    proof: bytes


def make_package(
    proof: bytes, page: bytes, private_key: Ed25519PrivateKey | None
) -> EvidencePackage:
    """Put proof and page under a manifest; without a key nobody signs it."""
    members: dict[str, Any] = {
        "format": _FORMAT,
        "key": private_key and keys.compute_key_id(private_key.public_key()),
        "sha256": {_PAGE: _hash(page), _PROOF: _hash(proof)},
    }
    statement = canonical_json.dumps(members)
    signature = keys.sign(private_key, statement) if private_key else None
    manifest = canonical_json.dumps({**members, "signature": signature}).encode()
    return EvidencePackage(manifest, page, proof)


def write_package(package: EvidencePackage) -> bytes:
    """Write the file; equal packages have equal files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, file in zip(_NAMES, _list_files(package), strict=True):
            information = zipfile.ZipInfo(name, _DATE)
            information.create_system = 3  # whatever system it is made on
            information.external_attr = 0o644 << 16
            archive.writestr(information, file)
    return buffer.getvalue()


def read_package(file: bytes) -> EvidencePackage:
    """Read the file of a package; raise `DamagedText` unless each byte is as it is written."""
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            if tuple(archive.namelist()) != _NAMES:
                raise DamagedText("This is not a package of evidence.")
            # Before anything is unpacked: a few bytes could stand for very many.
            if any(each.file_size > _LONGEST for each in archive.infolist()):
                raise DamagedText("The package is larger than any that is made.")
            package = EvidencePackage(*map(archive.read, _NAMES))
    # What zipfile raises for damaged files is not told by its documentation alone.
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        if isinstance(error, DamagedText):
            raise
        raise DamagedText("This is not a package of evidence, or a damaged one.") from error
    if write_package(package) != file:
        raise DamagedText("The package is not as it was written.")
    return package


def check_manifest(package: EvidencePackage, keyring: keys.Keys) -> str | None:
    """Compare the files with the manifest; returns the id of the key that signed it, if one did.

    Raises `DamagedText`, `keys.UnknownKey` or `keys.BadSignature`.
    """
    members = read_object(package.manifest.decode(errors="replace"))
    digests = {_PAGE: _hash(package.page), _PROOF: _hash(package.proof)}
    if members.get("format") != _FORMAT or members.get("sha256") != digests:
        raise DamagedText("The files of the package are not those of its manifest.")
    signer: str | None = read_member(members, "key", str, type(None))
    signature: str | None = read_member(members, "signature", str, type(None))
    statement = {"format": _FORMAT, "key": signer, "sha256": digests}
    signature_members = {**statement, "signature": signature}
    if canonical_json.dumps(signature_members).encode() != package.manifest:
        raise DamagedText("The manifest has something that does not belong there.")
    if signer is not None:
        keys.verify(keyring, signer, canonical_json.dumps(statement), signature or "")
    elif signature is not None:
        raise DamagedText("The manifest has a signature of nobody.")
    return signer


def _list_files(package: EvidencePackage) -> tuple[bytes, bytes, bytes]:
    return package.manifest, package.page, package.proof


def _hash(file: bytes) -> str:
    return hashlib.sha256(file).hexdigest()
