"""Looks at a registry from outside: at its rows, its bucket, and what its own commands say."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from registry.domain.document_keys import PREFIX, find_message_id
from registry.sandbox.demo.tour import must
from registry.sandbox.drill.archived_cluster import ArchivedCluster
from registry.sandbox.layout import Document
from registry.sandbox.servers.postgres import SUPERUSER
from registry.sandbox.supervisor import Supervisor
from registry.settings import Settings
from registry.wiring.storage import make_document_store

_FINDINGS_LEFT: Final = 1  # the exit code of `registry fsck`
_ALWAYS: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StorageVerdict:
    """The findings of `registry fsck`: messages with stray documents, and a line for all else."""

    strays: Collection[str]
    others: Sequence[str]


@dataclass(frozen=True, slots=True)
class TrailVerdict:
    """The verdict of `registry audit verify`: how many seals there are, and the known breaks."""

    seals: int
    breaks: Sequence[str]


@dataclass(frozen=True)
class Examiner:
    """Asks one sandbox, by its own commands where there is one."""

    supervisor: Supervisor
    cluster: ArchivedCluster
    document: Document

    def list_messages(self) -> Collection[str]:
        """List the ids of all messages that the database has, of whatever e-Box."""
        with psycopg.connect(self.cluster.url(SUPERUSER)) as connection:
            return {str(row[0]) for row in connection.execute("SELECT message_id FROM messages")}

    def has_seal_since(self, instant: datetime) -> bool:
        """Tell if a seal was stored in the bucket since."""
        with psycopg.connect(self.cluster.url(SUPERUSER)) as connection:
            statement = "SELECT FROM audit_seals WHERE stored_at > %s LIMIT 1"
            return connection.execute(statement, [instant]).fetchone() is not None

    def check_storage(self) -> StorageVerdict:
        """Run `registry fsck --deep` over objects of any age: nothing is under way."""
        output = self.supervisor.run_registry(
            *("fsck", "--deep", "--older-than", "0", "--json"), codes=(0, _FINDINGS_LEFT)
        )
        findings = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        strays = {_name_message(each) for each in findings if each.get("finding") == "stray"}
        others = [
            f"{each['finding']} {each['key']}"
            for each in findings
            if each.get("finding") not in (None, "stray")
        ]
        return StorageVerdict(strays, others)

    def adopt(self) -> None:
        """Run `registry fsck --adopt` over publications of any age, and have them filed again."""
        self.supervisor.run_registry(
            *("fsck", "--adopt", "--yes", "--older-than", "0"), codes=(0, _FINDINGS_LEFT)
        )

    def resume_sealing(self, reason: str) -> None:
        """Run `registry audit resume`; raises `StartFailed` when it refuses."""
        self.supervisor.run_registry("audit", "resume", "--reason", reason)

    def verify_trail(self) -> TrailVerdict:
        """Run `registry audit verify`; raises `StartFailed` when it finds a fault."""
        verdict = _read_json(self.supervisor.run_registry("audit", "verify", "--json"))
        return TrailVerdict(verdict["seals"], [each["detail"] for each in verdict["breaks"]])

    def sweep(self) -> None:
        """Run `registry jobs sweep` with no mercy for what is young; nobody may publish."""
        self.supervisor.run_registry("jobs", "sweep", "--older-than", "0")

    def list_documents(self) -> Collection[str]:
        """List the messages, by id, for which storage has a document, whoever knows of it."""
        settings = Settings.load(self.supervisor.layout.environment(self.document))
        keys = make_document_store(settings).keys(PREFIX, _ALWAYS)
        return {str(find_message_id(key)) for key in keys}


def _name_message(finding: dict[str, Any]) -> str:
    return str(find_message_id(finding["key"]))


def _read_json(output: str) -> dict[str, Any]:
    """Read the JSON at the beginning of an output; raises `DemoFailed` without any."""
    try:
        members, _ = json.JSONDecoder().raw_decode(output)
    except ValueError:
        members = None
    must(isinstance(members, dict), "The command answers in JSON")
    result: dict[str, Any] = members
    return result
