"""What the listing is held against: the least that Flask, psycopg and orjson can do."""

import dataclasses
import os
import threading

import orjson
import psycopg
from flask import Flask, Response
from psycopg.rows import dict_row

from registry.api.state import get_state, set_state
from registry.app import create_app

_local = threading.local()

# The rows and the total that the listing shows, in two statements and nothing around them: not even
# the transaction that our own isolation needs.
_PAGE = """
SELECT m.message_id, m.received_at, m.expires_at, m.read_at, m.is_visible, m.is_registered,
  m.is_reply_authorized, m.partition, m.original_message_id, m.message_type_id, m.sender,
  m.sender_partition, m.sender_application_id, m.subject, m.is_body_main, m.attention,
  m.business_data, m.payment_data, m.action_id, m.action_label, m.action_executed_at,
  m.message_template_id,
  (SELECT jsonb_agg(jsonb_build_object('attachmentId', a.attachment_id, 'title', a.title,
     'fileName', a.file_name, 'isMain', a.is_main, 'mediaType', a.media_type, 'size', a.size,
     'digest', a.digest, 'isSigned', a.is_signed) ORDER BY a.position)
   FROM attachments a WHERE a.ebox = m.ebox AND a.message_id = m.message_id) AS attachments
FROM messages m WHERE m.ebox = %(ebox)s AND m.expires_at > now()
ORDER BY m.received_at DESC, m.message_id DESC LIMIT 25
"""
_TOTAL = "SELECT count(*) AS total FROM messages WHERE ebox = %(ebox)s AND expires_at > now()"


def hello() -> Flask:
    """A constant."""
    app = Flask(__name__)

    @app.get("/")
    def answer():
        return Response(orjson.dumps({"hello": "world"}), mimetype="application/json")

    return app


def bare() -> Flask:
    """The same rows, straight from the driver: no token, no isolation, no contract."""
    app = Flask(__name__)

    @app.get("/")
    def answer():
        connection = _connection()
        named = {"ebox": os.environ["BENCH_EBOX"]}
        items = connection.execute(_PAGE, named).fetchall()
        total = connection.execute(_TOTAL, named).fetchone()["total"]
        body = orjson.dumps({"items": items, "totalItems": total})
        return Response(body, mimetype="application/json")

    return app


def _connection():
    if not hasattr(_local, "connection"):
        psycopg.types.json.set_json_loads(orjson.loads)
        _local.connection = psycopg.connect(
            os.environ["BENCH_DATABASE_URL"], autocommit=True, row_factory=dict_row
        )
    return _local.connection


class Silent:
    """A pen that writes nothing: the listing with auditing compiled out."""

    def record(self, *_):
        """Nothing."""


def unaudited() -> Flask:
    """The registry itself, but for its audit trail."""
    app = create_app()
    state = get_state(app)
    consultation = dataclasses.replace(state.registry.consultation, audit_log=Silent())
    registry = dataclasses.replace(state.registry, consultation=consultation)
    set_state(app, dataclasses.replace(state, registry=registry))
    return app
