"""Nobody sees what is not his, nor learns whether it exists: every operation, every caller.

The operations come from the OpenAPI document, so that a new one is in the matrix from the start.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.personas import CITIZEN_PORTAL, CONSUMER, PORTAL, REFERENCE, SENDER
from tests.api.contract import is_open, served
from tests.api.message_updates import change, execute
from tests.api.publication import Sender, at, named
from tests.factories import PAYMENT, a_file, a_person, an_ebox, an_enterprise

READING = [path for method, path, _ in served() if method == "GET" and not is_open(path)]
OF_A_MESSAGE = [path for path in READING if "{messageId}" in path]
OF_AN_EBOX = ["/ebox/messages", "/ebox/statistics"]
CHANGING = {
    "PATCH /ebox/messages": lambda reader, id_: change(reader, (id_, {"isVisible": False})),
    "PATCH /ebox/messages/{messageId}/messageAction": execute,
}
OWNERS = ["consumer", "portal_user", "citizen", "other_enterprise"]
SCOPELESS = ["sender", "no_scope"]
EVERYTHING = {
    "body": {"nl": "Tekst"},
    "is_body_main": True,
    "payment_data": PAYMENT,
    "structured_data": {"any": "thing"},
    "action_id": "confirm-1",
    "action_label": {"nl": "Bevestig"},
    "subject": {"nl": "needle"},
}


@pytest.fixture
def somebody(request, visitor):
    """One of the callers by name; all have an e-Box."""

    def who(name):
        if name == "sender":
            return visitor(SENDER, REFERENCE)
        if name == "no_scope":
            return visitor()
        if name == "other_enterprise":
            return visitor(CONSUMER)
        return request.getfixturevalue(name)

    return who


@pytest.fixture
def full(deliver):
    """Deliver a message that every operation can show something of."""
    return lambda ebox, **changes: deliver(ebox, a_file(), **{**EVERYTHING, **changes})


@pytest.fixture
def changes_of(owner):
    """What an owner may have changed of a message: whether it is visible, when it was executed."""

    def look(message_id):
        query = "SELECT is_visible, action_executed_at FROM messages WHERE message_id = %s"
        with owner.connect() as connection:
            return tuple(connection.exec_driver_sql(query, (message_id,)).one())

    return look


def fill_path(path, message_id):
    return path.format(messageId=message_id, attachmentId="1")


def scrubbed(answer, message_id):
    """All of an answer but what must differ: the id that was asked for, and the occurrence."""
    occurrence = answer.headers["BelGov-Trace-Id"]
    text = f"{answer.status}\n{answer.headers}\n".encode() + answer.data
    return text.replace(str(message_id).encode(), b"ID").replace(occurrence.encode(), b"OCCURRENCE")


def test_the_matrix_holds_every_operation_that_reads():
    others = {path for path in READING if not path.startswith("/refData/")}

    assert {*OF_A_MESSAGE, *OF_AN_EBOX} == others
    assert len(OF_A_MESSAGE) == 7


def test_the_matrix_holds_every_operation_that_changes():
    assert {f"{method} {path}" for method, path, _ in served() if method == "PATCH"} == set(
        CHANGING
    )


@pytest.mark.parametrize("path", OF_A_MESSAGE)
@pytest.mark.parametrize("name", OWNERS)
def test_ones_own_is_shown(somebody, full, name, path):
    reader = somebody(name)

    answer = reader.get(fill_path(path, full(reader.ebox)))

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", OF_A_MESSAGE)
@pytest.mark.parametrize("name", OWNERS)
def test_what_is_anothers_or_expired_looks_exactly_like_what_never_existed(
    somebody, full, statements, name, path
):
    reader = somebody(name)
    past = datetime.now(UTC) - timedelta(seconds=1)
    hidden = {
        "an enterprise's": full(an_ebox()),
        "a citizen's": full(an_ebox(EboxKind.CITIZEN)),
        "in a partition of the same name": full(an_ebox(), partition="partitionB"),
        "sent by the same sender": full(an_ebox(), sender="0308357159", sent_from="GENERAL"),
        "expired": full(reader.ebox, expires_at=past),
    }
    unknown = uuid4()
    reader.get(fill_path(path, unknown))  # rights and token are known from here on
    with statements() as for_unknown:
        never = reader.get(fill_path(path, unknown))

    assert never.status_code == 404
    for whose, message_id in hidden.items():
        with statements() as for_this:
            answer = reader.get(fill_path(path, message_id))

        assert scrubbed(answer, message_id) == scrubbed(never, unknown), whose
        assert for_this == for_unknown, whose


@pytest.mark.parametrize("path", OF_A_MESSAGE)
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_looking_for_what_is_anothers_leaves_no_trace_with_him(
    consumer, full, told, owner, method, path
):
    victim = an_ebox()
    message = full(victim)

    consumer.ask(method, fill_path(path, message))

    with owner.connect() as connection:
        query = "SELECT read_at FROM messages WHERE message_id = %s"
        assert connection.exec_driver_sql(query, (message,)).scalar_one() is None
    assert told(victim) == told(consumer.ebox) == []


@pytest.mark.parametrize("changing", CHANGING)
@pytest.mark.parametrize("name", OWNERS)
def test_changing_what_is_not_ones_own_looks_exactly_like_changing_what_never_existed(
    somebody, full, statements, changes_of, changing, name
):
    reader = somebody(name)
    past = datetime.now(UTC) - timedelta(seconds=1)
    hidden = {
        "an enterprise's": full(an_ebox()),
        "a citizen's": full(an_ebox(EboxKind.CITIZEN)),
        "in a partition of the same name": full(an_ebox(), partition="partitionB"),
        "sent from here": full(an_ebox(), sender=reader.ebox.number[:10], sent_from="GENERAL"),
        "expired": full(reader.ebox, expires_at=past),
    }
    unknown = uuid4()
    CHANGING[changing](reader, unknown)  # rights and token are known from here on
    with statements() as for_unknown:
        never = CHANGING[changing](reader, unknown)

    assert never.status_code == 404
    for whose, message_id in hidden.items():
        with statements() as for_this:
            answer = CHANGING[changing](reader, message_id)

        assert scrubbed(answer, message_id) == scrubbed(never, unknown), whose
        assert for_this == for_unknown, whose
        assert changes_of(message_id) == (True, None), whose


@pytest.mark.parametrize("changing", CHANGING)
@pytest.mark.parametrize("name", SCOPELESS)
def test_without_scope_nothing_is_changed_and_all_are_refused_alike(
    somebody, full, changes_of, changing, name
):
    reader = somebody(name)
    own = full(reader.ebox)
    ids = [own, full(an_ebox()), uuid4()]

    answers = [scrubbed(CHANGING[changing](reader, id_), id_) for id_ in ids]

    assert answers[0].startswith(b"403 ")
    assert b"missingScope" in answers[0]
    assert answers[0] == answers[1] == answers[2]
    assert changes_of(own) == (True, None)


def test_the_same_id_in_two_eboxes_is_changed_in_ones_own(visitor, full):
    shared = uuid4()
    one, other = visitor(CONSUMER), visitor(CONSUMER)
    full(one.ebox, message_id=shared)
    full(other.ebox, message_id=shared)

    for changing in CHANGING.values():
        assert changing(one, shared).status_code == 200

    mine, theirs = (reader.get(f"/ebox/messages/{shared}").json for reader in (one, other))
    assert (mine["isVisible"], mine["messageAction"]["isExecuted"]) == (False, True)
    assert (theirs["isVisible"], theirs["messageAction"]["isExecuted"]) == (True, False)


@pytest.mark.parametrize("path", ["replies", "recipients"])
def test_what_is_anothers_is_neither_answered_nor_spread(app, sender, full, nothing_stored, path):
    somebody = at(sender, app, Sender)
    past = datetime.now(UTC) - timedelta(seconds=1)
    hidden = [
        full(an_ebox(), is_reply_authorized=True),
        full(an_ebox(EboxKind.CITIZEN), is_reply_authorized=True),
        full(an_ebox(), is_reply_authorized=True, sent_from="GENERAL"),
        full(somebody.ebox, is_reply_authorized=True, expires_at=past),
    ]

    def send(message_id):
        if path == "replies":
            return somebody.reply(message_id)
        recipients = {"recipients": [named(an_ebox())]}
        return somebody.ask("POST", f"/ebox/messages/{message_id}/{path}", json=recipients)

    unknown = uuid4()
    with nothing_stored():
        never = send(unknown)
        answers = {message_id: send(message_id) for message_id in hidden}

    assert never.status_code == 404
    for message_id, answer in answers.items():
        assert scrubbed(answer, message_id) == scrubbed(never, unknown)


def test_how_anothers_message_fares_is_not_told(app, sender, full):
    somebody, recipient = at(sender, app, Sender), an_ebox()
    asked = [
        (full(recipient, sent_from="GENERAL"), recipient),
        (full(somebody.ebox), somebody.ebox),
        (uuid4(), recipient),
    ]
    items = [{"messageId": str(id_), "recipient": named(ebox)} for id_, ebox in asked]

    answer = somebody.ask("POST", "/ebox/messageStatus/search", json={"items": items})

    assert answer.json == {"items": [], "totalItems": 0}


@pytest.mark.parametrize("path", OF_A_MESSAGE)
@pytest.mark.parametrize("name", SCOPELESS)
def test_without_scope_own_anothers_and_unknown_are_refused_alike(somebody, full, name, path):
    reader = somebody(name)
    ids = [full(reader.ebox), full(an_ebox()), uuid4()]

    answers = [scrubbed(reader.get(fill_path(path, id_)), id_) for id_ in ids]

    assert answers[0].startswith(b"403 ")
    assert b"missingScope" in answers[0]
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("path", OF_AN_EBOX)
@pytest.mark.parametrize("name", SCOPELESS)
def test_without_scope_an_ebox_is_neither_listed_nor_counted(somebody, full, name, path):
    reader = somebody(name)
    full(reader.ebox)

    answer = reader.get(path)

    assert answer.status_code == 403
    assert answer.json["type"] == "urn:problem-type:belgif:missingScope"


@pytest.mark.parametrize("name", OWNERS)
def test_a_listing_and_a_count_hold_ones_own_and_nothing_else(somebody, full, name):
    reader = somebody(name)
    own = full(reader.ebox)
    for other in (an_ebox(), an_ebox(EboxKind.CITIZEN)):
        full(other, sender=reader.ebox.number.rjust(10, "0")[:10])
    full(an_ebox(), sender="0308357159", sent_from="GENERAL")

    for query in ("", "?q=needle&qlang=nl", "?isRead=false", "?senderOrganizationId=0308357159"):
        listed = reader.get(f"/ebox/messages{query}").json

        assert [item["messageId"] for item in listed["items"]] == [str(own)], query
        assert listed["totalItems"] == 1
    assert reader.get("/ebox/statistics").json["numberOfMessages"] == 1


@pytest.mark.parametrize("path", OF_A_MESSAGE)
def test_a_partition_without_right_is_refused_and_shows_and_marks_nothing(
    portal_user, full, told, path
):
    message = full(portal_user.ebox, partition="partitionNoAccess")

    answer = portal_user.get(fill_path(path, message))

    assert answer.status_code == 403
    assert answer.json["type"] == "urn:problem-type:belgif:missingPermission"
    assert "WWW-Authenticate" not in answer.headers
    assert "partitionNoAccess" not in answer.text
    assert told(portal_user.ebox) == []


@pytest.mark.parametrize("path", OF_A_MESSAGE)
def test_what_was_sent_from_a_partition_without_right_is_refused(portal_user, full, path):
    message = full(
        an_ebox(),
        sender=portal_user.ebox.number,
        sender_partition="x",
        sent_from="partitionNoAccess",
    )

    assert portal_user.get(fill_path(path, message)).status_code == 403


@pytest.mark.parametrize("path", OF_A_MESSAGE)
def test_what_ones_own_enterprise_sent_is_shown(portal_user, full, path):
    message = full(an_ebox(), sender=portal_user.ebox.number, sent_from="partitionB")

    assert portal_user.get(fill_path(path, message)).status_code == 200


@pytest.mark.parametrize("path", OF_A_MESSAGE)
def test_what_a_citizen_was_sent_is_not_found_below_the_enterprises_base_path(
    app, party, full, path
):
    person, enterprise = a_person(), an_enterprise()
    tokens = {
        EboxKind.ENTERPRISE: party(CONSUMER, PORTAL, enterprise=enterprise, person=person),
        EboxKind.CITIZEN: party(CITIZEN_PORTAL, person=person),
    }
    eboxes = {
        EboxKind.ENTERPRISE: Ebox(EboxKind.ENTERPRISE, enterprise),
        EboxKind.CITIZEN: Ebox(EboxKind.CITIZEN, person),
    }
    messages = {kind: full(ebox) for kind, ebox in eboxes.items()}
    client = app.test_client()

    statuses = {
        (base, kind): client.get(
            f"/REST/ebox/{base}/messageRegistry/v3{fill_path(path, message)}",
            headers={"Authorization": f"Bearer {tokens[base]}"},
        ).status_code
        for base in EboxKind
        for kind, message in messages.items()
    }

    assert statuses == {
        (base, kind): 200 if base == kind else 404 for base in EboxKind for kind in EboxKind
    }


def test_one_persons_rights_are_not_anothers(app, party, grant, full):
    enterprise, reader, stranger = an_enterprise(), a_person(), a_person()
    grant(enterprise, ["GENERAL", "secret"], {reader: ["GENERAL", "secret"], stranger: ["GENERAL"]})
    message = full(Ebox(EboxKind.ENTERPRISE, enterprise), partition="secret")
    client = app.test_client()

    statuses = [
        client.get(
            f"/REST/ebox/enterprise/messageRegistry/v3/ebox/messages/{message}",
            headers={"Authorization": f"Bearer {token}"},
        ).status_code
        for token in (party(PORTAL, enterprise=enterprise, person=p) for p in (reader, stranger))
        for _ in range(2)
    ]

    assert statuses == [200, 200, 403, 403]


def test_the_same_id_in_two_eboxes_is_two_messages(visitor, full):
    shared = uuid4()
    one, other = visitor(CONSUMER), visitor(CONSUMER)
    full(one.ebox, message_id=shared, subject={"nl": "voor een"})
    full(other.ebox, message_id=shared, subject={"nl": "voor ander"})

    one.get(f"/ebox/messages/{shared}/attachments/1/content")

    mine, theirs = (reader.get(f"/ebox/messages/{shared}").json for reader in (one, other))
    assert (mine["subject"]["nl"], mine["isRead"]) == ("voor een", True)
    assert (theirs["subject"]["nl"], theirs["isRead"]) == ("voor ander", False)


def test_requests_of_several_callers_in_turn_do_not_mix(visitor, full):
    readers = [visitor(CONSUMER) for _ in range(4)]
    own = [full(reader.ebox) for reader in readers]

    for _ in range(5):
        for reader, message in zip(readers, own, strict=True):
            listed = reader.get("/ebox/messages").json["items"]

            assert [item["messageId"] for item in listed] == [str(message)]


@pytest.fixture
def crowded(deliver, owner):
    """Fill an e-Box with messages of so many files each, which nobody will download."""

    def fill(ebox, messages, files):
        for _ in range(messages):
            key = ebox.key, deliver(ebox), a_file()["digest"], files
            with owner.begin() as connection:
                connection.exec_driver_sql(
                    "INSERT INTO attachments SELECT %s, %s, n, n, NULL, 'f', false, 'text/csv',"
                    " 1, %s, false, 'k' FROM generate_series(1, %s) n",
                    key,
                )

    return fill


@pytest.mark.parametrize("query", ["", "?pageSize=5", "?pageSize=5&page=9"])
@pytest.mark.parametrize("held", [(0, 0), (1, 0), (1, 20), (5, 10), (30, 1)])
def test_a_listing_costs_at_most_two_statements_however_much_it_shows(
    consumer, crowded, statements, held, query
):
    messages, files = held
    crowded(consumer.ebox, messages, files)

    with statements() as seen:
        answer = consumer.get(f"/ebox/messages{query}")

    assert answer.status_code == 200
    assert answer.json["totalItems"] == messages
    assert all(len(item["attachments"]["items"]) == files for item in answer.json["items"])
    assert len([statement for statement in seen if "set_config" not in statement]) <= 2
    assert len(seen) <= 3
