"""What breaks in the middle of a publication: the message is there whole, or not at all."""

import select
import socket
from datetime import timedelta
from threading import Thread
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from registry.api.state import get_state
from registry.sandbox.servers.processes import LOOPBACK
from tests.api.publication import MESSAGES, Document, Sender, at
from tests.factories import PDF, an_ebox

LARGE = Document(content=PDF.ljust(17 << 20, b"%"))


class Wire:
    """A way to PostgreSQL that breaks at the COMMIT of a publication, `before` or `after` it."""

    def __init__(self, url, moment):
        self._to, self._moment, self.is_cut = make_url(url), moment, False
        self._listening = socket.create_server((LOOPBACK, 0))
        port = self._listening.getsockname()[1]
        self.url = self._to.set(host=LOOPBACK, port=port).render_as_string(hide_password=False)
        Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listening.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client):
        with client, socket.create_connection((self._to.host, self._to.port)) as server:
            sent = b""
            while not self._is_over(sent, server):
                for end in select.select([client, server], [], [])[0]:
                    if not (data := end.recv(1 << 16)):
                        return
                    if end is server:
                        client.sendall(data)
                        continue
                    sent += data
                    if self._moment == "after" or not self._is_last(sent):
                        server.sendall(data)

    def _is_last(self, sent):
        is_commit = b"COMMIT" in sent.rpartition(b"INSERT INTO sent_messages")[2]
        return is_commit and b"INSERT INTO sent_messages" in sent and not self.is_cut

    def _is_over(self, sent, server):
        if not self._is_last(sent):
            return False
        self.is_cut = True
        if self._moment == "after":
            server.recv(1 << 16)  # it is committed, but nobody hears of it
        return True


@pytest.fixture
def wire(settings):
    """A way to the database that breaks: `wire("before")`."""
    made = []

    def lay(moment):
        made.append(Wire(settings.database_url.get_secret_value(), moment))
        return made[-1]

    yield lay
    for one in made:
        one.close()


@pytest.mark.parametrize("document", [Document(), LARGE])
def test_a_message_whose_commit_was_not_heard_of_keeps_its_documents(
    sender, reader, publication, publishing_with, wire, document
):
    recipient, key, cut = reader(), {"Idempotency-Key": f'"{uuid4()}"'}, wire("after")
    get_state(publication).registry.routing.refresh(recipient.ebox)  # so one COMMIT is left
    broken = at(sender, publishing_with(database_url=SecretStr(cut.url)), Sender)

    answer = broken.publish(recipient.ebox, document, headers=key)

    assert (answer.status_code, cut.is_cut) == (503, True)
    [filed] = recipient.get(MESSAGES).json["items"]
    path = f"{MESSAGES}/{filed['messageId']}/attachments/1/content"
    assert recipient.get(path).data == document.content
    again = sender.publish(recipient.ebox, document, headers=key)
    assert (again.status_code, again.json["messageId"]) == (409, filed["messageId"])


def test_what_was_not_committed_is_not_there_and_its_documents_are_swept(
    sender, reader, publishing_with, wire, stored, worker_services
):
    recipient, key, cut = reader(), {"Idempotency-Key": f'"{uuid4()}"'}, wire("before")
    worker_services.routing.refresh(recipient.ebox)
    broken = at(sender, publishing_with(database_url=SecretStr(cut.url)), Sender)
    rows, uploads, keys = stored()

    answer = broken.publish(recipient.ebox, headers=key)

    assert (answer.status_code, cut.is_cut) == (503, True)
    assert stored()[:2] == (rows, uploads)
    left = stored()[2] - keys
    swept = set(worker_services.sweep.sweep(timedelta(seconds=-5)))
    assert left <= swept
    assert sender.publish(recipient.ebox, headers=key).status_code == 201


@pytest.mark.parametrize("document", [Document(), LARGE])
def test_without_a_document_store_nothing_is_filed(
    sender, publishing_with, nothing_stored, document
):
    gone = at(sender, publishing_with(s3_endpoint=f"http://{LOOPBACK}:9"), Sender)

    with nothing_stored():
        answer = gone.publish(an_ebox(), document)

    assert answer.status_code == 503


def test_without_a_database_nothing_is_filed_and_nothing_left(
    sender, publishing_with, settings, stored
):
    url = make_url(settings.database_url.get_secret_value()).set(port=9)
    nowhere = SecretStr(url.render_as_string(hide_password=False))
    rows, uploads, _ = stored()

    answer = at(sender, publishing_with(database_url=nowhere), Sender).publish(an_ebox())

    assert answer.status_code == 503
    assert stored()[:2] == (rows, uploads)


def test_a_sweep_leaves_what_messages_have(sender, reader, worker_services):
    recipient = reader()
    message_id = sender.published(recipient.ebox)

    list(worker_services.sweep.sweep(timedelta(seconds=-5)))

    path = f"{MESSAGES}/{message_id}/attachments/1/content"
    assert recipient.get(path).data == PDF
