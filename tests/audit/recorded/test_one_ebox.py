"""Every operation asks for the rows of one e-Box at a time, by name.

That is what lets the tables be distributed over servers by their first column (ADR 046): a
statement that names its e-Box goes to the one server that has it. The table of operations is that
of the trail, so that a new one is looked at from the start.
"""

import json
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text

from registry.api.state import get_state
from tests.audit.recorded.table import TABLE
from tests.audit.recorded.test_recorded import CALLS

PARTITIONS = text("""
SELECT i.inhrelid::regclass::text, i.inhparent::regclass::text
FROM pg_inherits i JOIN pg_partitioned_table t ON t.partrelid = i.inhparent AND t.partstrat = 'h'
JOIN pg_class c ON c.oid = t.partrelid AND c.relkind = 'p'
""")
PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@pytest.fixture
def engine(app):
    return get_state(app).registry.consultation.transactions.engine


@pytest.fixture(scope="module")
def wholes(owner):
    """Table by partition."""
    with owner.connect() as connection:
        return dict(connection.execute(PARTITIONS).all())


@contextmanager
def record(engine):
    """The statements of a block with what is bound to them."""
    statements = {}

    def note(_connection, _cursor, statement, parameters, *_):
        if statement.lstrip().startswith(PLANNED):
            statements[statement] = parameters

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def list_scanned(plan):
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        yield plan["Relation Name"]
    for below in plan.get("Plans", ()):
        yield from list_scanned(below)


def count_partitions(owner, wholes, statement, parameters):
    """How many partitions a statement reads of each table, if no policy helps it."""
    with owner.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    scanned = {name for name in list_scanned(plan[0]["Plan"]) if name in wholes}
    tables = [wholes[name] for name in scanned]
    return {table: tables.count(table) for table in tables}


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_an_operation_names_the_ebox_whose_rows_it_reads(scene, engine, owner, wholes, call):
    version, kind, method, path = call
    case, around = TABLE[version, method, path], scene(version, kind)

    with record(engine) as statements:
        answer = case.ask(getattr(around, case.whose), around, around.path(path))

    assert answer.status_code == case.status, answer.text
    assert statements
    for statement, parameters in statements.items():
        counts = count_partitions(owner, wholes, statement, parameters)
        assert set(counts.values()) <= {1}, f"{statement}\n{counts}"
