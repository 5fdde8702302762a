"""`python -m registry.sandbox.seeds`: plant what the environment's registry does not hold yet."""

import os
from datetime import UTC, datetime

from sqlalchemy import Engine, select

from registry.blobs.s3 import S3Blobs
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.partitions import GENERAL
from registry.sandbox.seeds.reference import read_seeds
from registry.sandbox.seeds.scenarios import Seed, seeds
from registry.settings import Settings
from registry.store.consultation import messages
from registry.store.publication import sent_messages
from registry.store.publication.sent_messages import SentMessage
from registry.wiring.database import make_engine
from registry.wiring.reference import open_reference_import
from registry.wiring.storage import make_document_store


def main() -> None:
    """Plant reference data, documents and messages, as the owner of the tables."""
    settings = Settings.load(os.environ)
    engine = make_engine(settings, "owner")
    blobs = make_document_store(settings)
    with open_reference_import(settings, "sandbox") as reference_import:
        reference_import.replace(read_seeds())
    for seed in seeds():
        _plant(engine, blobs, seed)
    engine.dispose()


def _plant(engine: Engine, blobs: S3Blobs, seed: Seed) -> None:
    """Documents first, then the rows that promise them."""
    same_message = select(messages.messages.c.message_id).where(
        messages.messages.c.ebox == seed.ebox, messages.messages.c.message_id == seed.message_id
    )
    with engine.connect() as connection:
        if connection.execute(same_message).first():
            return
    files = list(seed.attachments())
    for row, content in files:
        blobs.put(row["blob_key"], [content])
    columns = seed.columns(datetime.now(UTC))
    with engine.begin() as connection:
        messages.add(connection, seed.ebox, columns, [row for row, _ in files])
        sender = Ebox(EboxKind.ENTERPRISE, seed.sender)
        partition = columns.get("sender_partition") or GENERAL
        sent_messages.add(
            connection,
            sender,
            SentMessage(message_id=seed.message_id, recipient=seed.ebox, partition=partition),
        )


if __name__ == "__main__":
    main()
