"""Queries that are asked of the driver: the same answers, errors and listeners as by SQLAlchemy."""

import pytest
from sqlalchemy import BigInteger, Text, bindparam, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, ProgrammingError

from registry.domain.errors import Unavailable
from registry.store.bounded_connection import get_driver
from registry.store.direct_query import DirectQuery
from tests.factories import an_ebox
from tests.statements import record_statements

_SUM = DirectQuery(select(bindparam("one", type_=BigInteger()) + literal(2), literal("100% %(s)s")))
_DIVIDED = DirectQuery(select(literal(1) / bindparam("by", type_=BigInteger())))
_SENT_AWAY = DirectQuery(select(func.pg_terminate_backend(func.pg_backend_pid())))


@pytest.mark.parametrize("one", [-1, 0, 2**40])
def test_rows_are_those_of_the_values_and_of_what_stands_in_the_query(application, one):
    with application.connect() as connection:
        assert _SUM.read(connection, {"one": one}) == [(one + 2, "100% %(s)s")]


def test_a_value_that_is_missing_is_an_error(application):
    with application.connect() as connection, pytest.raises(ProgrammingError, match="one"):
        _SUM.read(connection, {"two": 1})


def test_json_comes_as_it_is_read_everywhere(application):
    query = DirectQuery(select(cast(bindparam("value", type_=Text()), JSONB)))
    with application.connect() as connection:
        assert query.read(connection, {"value": '{"nl": "é"}'}) == [({"nl": "é"},)]


def test_whoever_listens_to_statements_hears_it(application):
    with record_statements(application) as statements, application.connect() as connection:
        _SUM.read(connection, {"one": 1})

    assert len(statements) == 1
    assert "SELECT" in statements[0]


def test_an_error_is_the_one_of_sqlalchemy_and_shows_no_value(application):
    with application.connect() as connection, pytest.raises(DBAPIError) as caught:
        _DIVIDED.read(connection, {"by": 0})

    assert caught.value.orig.sqlstate == "22012"
    assert "division by zero" in str(caught.value)
    assert "by" not in str(caught.value).replace("division by zero", "")


def test_a_mistake_is_no_outage(transactions):
    with pytest.raises(DBAPIError), transactions(an_ebox()) as connection:
        _DIVIDED.read(connection, {"by": 0})


def test_a_connection_that_dies_is_an_outage_and_never_used_again(transactions):
    died = []
    with pytest.raises(Unavailable):
        _end_connection(transactions, died)

    with transactions(an_ebox()) as connection:
        assert get_driver(connection) not in died
        assert _SUM.read(connection, {"one": 1}) == [(3, "100% %(s)s")]


@pytest.mark.parametrize("prepare", [True, False])
def test_one_that_is_not_prepared_is_planned_for_its_values_each_time(transactions, prepare):
    query = DirectQuery(select(bindparam("n", type_=BigInteger())), prepare=prepare)
    with transactions() as connection:
        for number in range(10):
            query.read(connection, {"n": number})
        prepared = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_prepared_statements"
        ).scalar()

    assert bool(prepared) == prepare


def _end_connection(transactions, died):
    with transactions(an_ebox()) as connection:
        died.append(get_driver(connection))
        _SENT_AWAY.read(connection, {})
