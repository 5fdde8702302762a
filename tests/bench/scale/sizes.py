"""`python -m tests.bench.scale.sizes`: bytes a message, of each table and each of its indexes.

What is counted: all tables that grow with the messages, their indexes and TOAST, without the audit
trail. The documents of the bench share one object; here each has a key and a digest of its own, as
uploads have, in rows that came in one by one. Of the events only those are counted that a worker
would have kept: told ones are forgotten after a fortnight. Other indexes are as COPY and the
migrations leave them.

Exit codes: 0 when a message takes no more than 1,600 bytes, 1 when it takes more.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import click

from tests.bench.scale.eboxes import Population
from tests.bench.scale.progress import say
from tests.bench.scale.site import Site

_LIMIT: Final = 1_600  # bytes a message
_COPY: Final = "sizes"


class StoredSize(NamedTuple):
    """Bytes a message of a table's rows, or of one of its indexes."""

    table: str
    part: str
    size: float


@click.command()
@click.option("--messages", default=100_000, show_default=True, type=click.IntRange(10_000))
@click.option(
    "--dir", "folder", envvar="BENCH_DIR", default=Path("/var/tmp/bench-sizes"),  # noqa: S108 - kept
    show_default=True, type=click.Path(path_type=Path, file_okay=False),
    help="Where the database is, or is filled.",
)  # fmt: skip
def main(messages: int, folder: Path) -> None:
    """Print the bytes of each table and index for a message, the largest first."""
    population = Population(messages)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # PostgreSQL's user passes through
    with Site(folder, [population]) as site, _copied_database(site, population):
        sizes = _weigh(site, population.total)
    for each in sizes:
        if each.size >= 1:
            say(f"{each.table:20} {each.part:42} {each.size:8.1f}")
    total = sum(each.size for each in sizes)
    say(f"{total:,.0f} bytes a message, of {population.total:,}; at most {_LIMIT:,}")
    sys.exit(total > _LIMIT)


@contextmanager
def _copied_database(site: Site, population: Population) -> Iterator[None]:
    """A copy of a filled database, in which documents are as uploads make them."""
    drop = f"DROP DATABASE IF EXISTS {_COPY} WITH (FORCE)"
    site.cluster.ask("postgres", drop)
    site.cluster.ask(
        "postgres", f"CREATE DATABASE {_COPY} TEMPLATE {site.name_database(population)}"
    )
    try:
        for statement in _UPLOADS:
            site.cluster.ask(_COPY, statement)
        yield
    finally:
        site.cluster.ask("postgres", drop)


def _weigh(site: Site, messages: int) -> Sequence[StoredSize]:
    """Weigh all parts; of the outbox as much as its share of events that are kept."""
    kept = float(site.cluster.ask(_COPY, _KEPT_EVENTS)[0][0])
    return [
        StoredSize(table, part, float(size) / messages * (kept if table == "outbox" else 1))
        for table, part, size in site.cluster.ask(_COPY, _PARTS)
    ]


# In no order of e-Boxes: so the indexes grow as they do in years.
_UPLOADS: Final = (
    "CREATE UNLOGGED TABLE filed AS SELECT * FROM attachments",
    "TRUNCATE attachments",
    """
    INSERT INTO attachments SELECT (jsonb_populate_record(f, jsonb_build_object(
      'blob_key', 'documents/' || message_id || '-' || attachment_id,
      'digest', translate(encode(sha256(convert_to(message_id || attachment_id, 'UTF8')),
        'base64'), '+/', '-_')))).*
    FROM filed f ORDER BY message_id
    """,
    "DROP TABLE filed",
    "VACUUM ANALYZE attachments",
)
_KEPT_EVENTS: Final = """
SELECT avg((state <> 'told' OR settled_at > now() - interval '14 days')::int) FROM outbox
"""
_PARTS: Final = """
WITH parts AS (
  SELECT parent.relname AS whole, part.oid FROM pg_inherits
  JOIN pg_class part ON part.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent
  WHERE part.relkind = 'r' AND parent.relname NOT LIKE 'audit%%'
)
SELECT whole, 'rows', sum(pg_table_size(oid)) AS size FROM parts GROUP BY whole
UNION ALL
SELECT whole, parent.relname, sum(pg_relation_size(indexrelid)) FROM parts
JOIN pg_index ON indrelid = parts.oid JOIN pg_inherits ON inhrelid = indexrelid
JOIN pg_class parent ON parent.oid = inhparent
GROUP BY whole, parent.relname ORDER BY size DESC
"""

if __name__ == "__main__":
    main()
