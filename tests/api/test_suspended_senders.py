"""A suspended sender publishes nothing, by whichever version, until it is resumed (ADR 036)."""

from threading import Thread
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from registry.audit.log import AuditLog
from registry.domain.errors import SenderSuspended
from registry.services.publication.broadcast_filing import BroadcastFiling
from registry.store.publication.suspensions import SuspendedSender
from registry.wiring import clock
from registry.wiring.operators import OperatorServices
from tests.api.publication import MESSAGES, OWN, named
from tests.api.v2 import visiting
from tests.factories import an_ebox

WHY = "wrong recipients"
APPLICATION = "sandbox-sender"
NOTE = text(
    "INSERT INTO sent_messages (ebox, message_id, partition, recipient)"
    " VALUES (:ebox, gen_random_uuid(), 'GENERAL', 'enterprise:0')"
)

BROADCAST = text(
    "INSERT INTO broadcasts (ebox, broadcast_id, message_id, message_type_id, application_id,"
    " digest, recipients, refusals, links)"
    " VALUES (:ebox, :broadcast, :id, 'information-letter', :application, '', :recipients, '{}', 1)"
)


@pytest.fixture(scope="module")
def services(settings):
    made = OperatorServices(settings, "an operator")
    yield made
    made.dispose()


@pytest.fixture
def suspend(services):
    """Suspend a sender, an application, or a sender's use of it, until the test is over."""
    suspended = []

    def carry_out(ebox, application=None):
        sender = SuspendedSender(ebox and ebox.number, application)
        services.suspensions.suspend(sender, WHY)
        suspended.append(sender)
        return lambda: services.suspensions.resume(suspended.pop(), "mended")

    yield carry_out
    for sender in suspended:
        services.suspensions.resume(sender, "the test is over")


def refusals(sender):
    """What a publication by each version is answered."""
    new, old = sender.publish(an_ebox()), visiting.publish(sender, an_ebox())
    return [new.status_code, old.status_code], [new.json.get("code"), old.json.get("code")]


def test_a_suspended_sender_is_refused_by_both_versions(sender, suspend, nothing_stored):
    suspend(sender.ebox)

    with nothing_stored():
        statuses, codes = refusals(sender)

    assert (statuses, codes) == ([403, 403], ["SENDER_SUSPENDED"] * 2)
    answer = sender.publish(an_ebox())
    assert answer.json["type"] == f"{OWN}senderSuspended"
    assert "suspended" in answer.json["detail"]


def test_resumed_it_publishes_again(sender, suspend):
    resume = suspend(sender.ebox)
    assert sender.publish(an_ebox()).status_code == 403

    resume()

    assert refusals(sender)[0] == [201, 201]


def test_others_go_on(sender, a_sender, suspend):
    suspend(sender.ebox)

    assert refusals(a_sender())[0] == [201, 201]


def test_one_application_of_a_sender_is_refused_and_the_others_go_on(sender, suspend):
    suspend(sender.ebox, APPLICATION)

    other = sender.publish(an_ebox(), senderApplicationId="my-minfin")

    assert refusals(sender)[0] == [403, 403]
    assert other.status_code == 201, other.text


def test_an_application_is_refused_whoever_uses_it(sender, a_sender, suspend):
    suspend(None, APPLICATION)

    assert refusals(sender)[0] == refusals(a_sender())[0] == [403, 403]
    assert sender.publish(an_ebox(), senderApplicationId="my-minfin").status_code == 201


def test_who_is_suspended_answers_nothing_and_reads_on(sender, reader, suspend):
    recipient = reader()
    message_id = sender.published(recipient.ebox, isReplyAuthorized=True)
    suspend(recipient.ebox)

    answer = recipient.reply(message_id)

    assert (answer.status_code, answer.json["code"]) == (403, "SENDER_SUSPENDED")
    assert recipient.get(f"{MESSAGES}/{message_id}/attachments/1/content").status_code == 200


def test_what_was_published_before_stays_and_is_reported(sender, reader, suspend):
    recipient = reader()
    message_id = sender.published(recipient.ebox)

    suspend(sender.ebox)

    assert recipient.get(f"{MESSAGES}/{message_id}").status_code == 200
    assert sender.get(f"{MESSAGES}/{message_id}").status_code == 200


@pytest.mark.parametrize("is_old", [False, True])
def test_no_broadcast_begins(sender, reader, suspend, is_old):
    message_id = sender.published(an_ebox())
    later = reader()
    suspend(sender.ebox)

    if is_old:
        body = {"messageId": message_id, "recipients": [visiting.named(later.ebox)]}
        answer = visiting.in_version_2(sender).ask("POST", visiting.LINK, json=body)
    else:
        body = {"recipients": [named(later.ebox)]}
        answer = sender.ask("POST", f"{MESSAGES}/{message_id}/recipients", json=body)

    assert (answer.status_code, answer.json["code"]) == (403, "SENDER_SUSPENDED")
    assert later.get(f"{MESSAGES}/{message_id}").status_code == 404


def test_a_broadcast_under_way_waits_until_its_sender_is_resumed(
    sender, reader, services, suspend, owner
):
    message_id, later = sender.published(an_ebox()), reader()
    broadcast_id = uuid4()
    values = {
        "ebox": sender.ebox.key,
        "broadcast": broadcast_id,
        "id": UUID(message_id),
        "application": APPLICATION,
        "recipients": [later.ebox.key],
    }
    with owner.begin() as connection:
        connection.execute(BROADCAST, values)
    resume = suspend(sender.ebox)
    log = AuditLog(services.pseudonyms, clock.now)
    filing = BroadcastFiling(services.transactions, log, clock.now)

    def finish():
        with services.transactions(sender.ebox) as connection:
            filing.finish(connection, sender.ebox, broadcast_id)

    with pytest.raises(SenderSuspended):
        finish()
    assert later.get(f"{MESSAGES}/{message_id}").status_code == 404
    resume()
    finish()

    assert later.get(f"{MESSAGES}/{message_id}").status_code == 200


def test_a_message_of_a_suspended_sender_can_be_withdrawn_from_its_broadcast(
    sender, reader, services, suspend
):
    recipient = reader()
    message_id = sender.published(recipient.ebox)
    suspend(sender.ebox)

    assert list(services.withdrawal.withdraw(UUID(message_id), None, WHY))

    assert recipient.get(f"{MESSAGES}/{message_id}").status_code == 404


def test_who_suspends_waits_for_what_is_being_published(sender, services, owner):
    """So nothing is published any more when the operator is told that it is suspended."""
    suspended = SuspendedSender(sender.ebox.number, None)
    with owner.begin() as connection:
        connection.execute(NOTE, {"ebox": sender.ebox.key})
        thread = Thread(target=services.suspensions.suspend, args=(suspended, WHY))
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()

    thread.join(10)

    assert not thread.is_alive()
    assert sender.publish(an_ebox()).status_code == 403
    services.suspensions.resume(suspended, "the test is over")


def test_the_database_refuses_whoever_asks(sender, services, suspend):
    """Also the program before this one, which knows of no suspensions."""
    suspend(sender.ebox)

    with pytest.raises(SenderSuspended), services.transactions(sender.ebox) as connection:
        connection.execute(NOTE, {"ebox": sender.ebox.key})
