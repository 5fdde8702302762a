"""The sandbox directory: where things are in it, and `sandbox.json`, an interface for scripts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from registry.sandbox.federation.addresses import AUDIENCE, EVENTS, FEDERATION, PARTITION
from registry.sandbox.files import write_private
from registry.sandbox.personas import AUDIT_KEY, PERSONAS, REPRESENTATIVE, WEBHOOK

Document = dict[str, Any]
PORTAL: Final = "https://portal.example"  # whose pages may call us, beside the local portal's
HASH_KEY: Final = "of the sandbox, where there is nobody to hide"
_LOCAL: Final = "localhost,127.0.0.1"


class NotRunning(Exception):
    """There is no sandbox in this directory that is ready for use."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of all things under a sandbox directory, which is made absolute."""

    directory: Path

    @classmethod
    def at(cls, directory: Path) -> "Layout":
        """The layout of this directory."""
        return cls(directory.absolute())

    @property
    def document(self) -> Path:
        """Present exactly while everything is up and ready."""
        return self.directory / "sandbox.json"

    @property
    def draft(self) -> Path:
        """Present while starting: whoever cleans up after a killed sandbox finds the pids in it."""
        return self.directory / "starting.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it lives; also what marks a sandbox directory."""
        return self.directory / "sandbox.lock"

    @property
    def keys(self) -> Path:
        """NAME.pem of each persona, and what signs seals; survive a fresh start."""
        return self.directory / "keys"

    @property
    def federation(self) -> Path:
        """Files of the stand-ins: clients.json, partitions.json and so on."""
        return self.directory / "federation"

    @property
    def postgres(self) -> Path:
        """The cluster's directory."""
        return self.directory / "postgres"

    @property
    def objects(self) -> Path:
        """The object store's directory."""
        return self.directory / "objects"

    @property
    def logs(self) -> Path:
        """One file a process or task."""
        return self.directory / "logs"

    def read_document(self) -> Document:
        """Read sandbox.json; raises `NotRunning`."""
        return _load(self.document) or self._refuse()

    def read_any_document(self) -> Document:
        """Read the document, also of a sandbox that is still starting; empty without either."""
        return _load(self.document) or _load(self.draft) or {}

    def write(self, document: Document, *, ready: bool) -> None:
        """Publish the facts, to everybody when ready."""
        path, other = (self.document, self.draft) if ready else (self.draft, self.document)
        write_private(path, json.dumps(document, indent=2) + "\n")
        other.unlink(missing_ok=True)

    def erase(self) -> None:
        """Nothing runs here any more."""
        self.document.unlink(missing_ok=True)
        self.draft.unlink(missing_ok=True)

    def key(self, persona: str) -> Path:
        """The private key of this persona."""
        return self.keys / f"{persona}.pem"

    def environment(self, document: Document) -> dict[str, str]:
        """The variables that `registry.settings` reads, for the sandbox of this document."""
        origin = stand_ins(document)
        address = urlsplit(document["baseUrls"]["enterprise"]["v3"])
        store = document["s3"]
        return {
            "REGISTRY_ENVIRONMENT": "test",
            "REGISTRY_PUBLIC_URL": f"{address.scheme}://{address.netloc}",
            "REGISTRY_CORS_ORIGINS": f"{PORTAL},{document['portalUrl'].rstrip('/')}",
            "REGISTRY_DATABASE_URL": document["applicationDatabaseUrl"],
            "REGISTRY_DATABASE_OWNER_URL": document["databaseUrl"],
            "REGISTRY_DATABASE_WORKER_URL": document["workerDatabaseUrl"],
            "REGISTRY_HASH_KEY": HASH_KEY,
            "REGISTRY_S3_ENDPOINT": store["endpoint"],
            "REGISTRY_S3_BUCKET": store["bucket"],
            "REGISTRY_S3_ACCESS_KEY": store["accessKey"],
            "REGISTRY_S3_SECRET_KEY": store["secretKey"],
            "REGISTRY_AUDIT_BUCKET": store["sealBucket"],
            "REGISTRY_AUDIT_KEY_PATH": str(self.keys / AUDIT_KEY),
            "REGISTRY_AUDIT_SEAL_EVERY": "1",  # nobody waits a minute for a trial
            "REGISTRY_OAUTH_TOKEN_URL": document["tokenUrl"],
            "REGISTRY_OAUTH_INTROSPECT_URL": document["introspectUrl"],
            "REGISTRY_OAUTH_CLIENT_ID": PERSONAS["registry"].client_id,
            "REGISTRY_OAUTH_KEY_PATH": str(self.key("registry")),
            "REGISTRY_OAUTH_ALGORITHM": PERSONAS["registry"].algorithm,
            "REGISTRY_TOKEN_ISSUER": document["tokenUrl"].removesuffix("/token"),
            "REGISTRY_TOKEN_AUDIENCE": AUDIENCE,
            "REGISTRY_PARTITION_URL": f"{origin}{PARTITION}",
            "REGISTRY_FEDERATION_URL": f"{origin}{FEDERATION}",
            "REGISTRY_EVENTS_URL": f"{origin}{EVENTS}",
            "REGISTRY_REPRESENTATIVE_SCOPE": REPRESENTATIVE,
            "REGISTRY_WEBHOOK_SCOPE": WEBHOOK,
        }

    def merge_environment(self, document: Document, environ: Mapping[str, str]) -> dict[str, str]:
        """`environ` with the sandbox's settings in it, and no proxy between its parts."""
        direct = {
            name: ",".join(filter(None, (environ.get(name), _LOCAL)))
            for name in ("no_proxy", "NO_PROXY")
        }
        return {**environ, **direct, **self.environment(document)}

    def _refuse(self) -> Document:
        if self.draft.exists():
            raise NotRunning(f"The sandbox in {self.directory} is still starting.")
        raise NotRunning(
            f"No sandbox is running in {self.directory}. Start one: registry sandbox up"
        )


def stand_ins(document: Document) -> str:
    """The origin of the federation's stand-ins, /sandbox/faults and the like included."""
    token_url = urlsplit(document["tokenUrl"])
    return f"{token_url.scheme}://{token_url.netloc}"


def _load(path: Path) -> Document | None:
    try:
        document: Document = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return document
