"""Statements that take PostgreSQL the longest, as it counts them itself."""

from typing import Final

from tests.bench.scale.cluster import MeasuredCluster

_LONGEST: Final = 160  # characters of a statement in an account of it


class StatementWatch:
    """Counts from its making on, in one database."""

    def __init__(self, cluster: MeasuredCluster, database: str) -> None:
        self._cluster, self._database = cluster, database
        cluster.ask(database, "SELECT pg_stat_statements_reset()")

    def describe_slowest(self) -> str:
        """Tell the one that took the longest in all, how long each time, and what it read."""
        rows = self._cluster.ask(self._database, _SLOWEST)
        if not rows:
            return "PostgreSQL counted no statement"
        share, mean, blocks, query = rows[0]
        text = " ".join(query.split())
        text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        return f"{mean:.1f} ms each, {blocks:.0f} buffers, {share:.0%} of all time: {text}"


_SLOWEST: Final = """
SELECT total_exec_time / sum(total_exec_time) OVER (), mean_exec_time,
  (shared_blks_hit + shared_blks_read)::float / calls, query
FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE datname = current_database() AND query NOT LIKE '%%pg_stat_statements%%' AND calls > 0
ORDER BY total_exec_time DESC LIMIT 1
"""
