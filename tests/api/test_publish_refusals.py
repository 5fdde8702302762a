"""What is refused, in which words, and that nothing of it stays: neither row nor byte."""

import json
import socketserver
import struct
from contextlib import contextmanager
from threading import Thread

import pytest
from prometheus_client import REGISTRY

from registry.domain.identifiers import EboxKind
from registry.domain.scopes import OFFICIAL_SCOPES
from registry.sandbox.personas import CONSUMER, FOR_ANOTHER, PORTAL, SENDER
from registry.sandbox.servers.processes import LOOPBACK
from tests.api.publication import (
    BELGIF,
    BOUNDARY,
    FORM,
    MESSAGES,
    OWN,
    PART,
    Document,
    Sender,
    a_publication,
    as_part,
    at,
    body,
    named,
    part,
)
from tests.api.v2 import visiting
from tests.factories import PDF, a_person, an_ebox
from tests.log_lines import written_lines
from tests.trail_entries import read_trail

ON_BEHALF_OF = "On-Behalf-Of-Enterprise-Number"
NOT_THE_SENDER = "Invalid sender: user credentials does not match payload"
REPRESENTATIVE = [scope for scope in OFFICIAL_SCOPES if "representative" in scope]
ANNEX = Document("annex", b"a;b\r\n", "b.csv", "text/csv", is_main=False)


@pytest.fixture
def leaves_something():
    """For the few tests here that publish what is just not refused."""


@pytest.fixture(autouse=True)
def _leaves_nothing(request):
    """No other test here may leave a trace."""
    if "leaves_something" in request.fixturenames:
        yield
        return
    with request.getfixturevalue("nothing_stored")():
        yield


def refused(answer, code, message, status=400):
    assert answer.status_code == status, answer.text
    assert (answer.json["code"], answer.json["message"]) == (code, message)


# Texts that clients may match (contract 5)


def test_a_number_with_wrong_check_digits_is_no_valid_company(sender, publishing_with):
    answer = at(sender, publishing_with(check_digits=True), Sender).publish(
        an_ebox(), recipient={"eboxType": "enterprise", "enterpriseNumber": "0206731646"}
    )

    refused(answer, "INVALID_INPUT", "0206731646 is not a valid company")
    assert answer.json["issues"][0]["type"] == f"{BELGIF}input-validation:invalidInput"


@pytest.mark.parametrize(
    "changes",
    [
        {"senderApplicationId": "dmfa"},
        {"messageTypeId": "summons"},
        {"messageTypeId": "contribution-notice", "senderApplicationId": "dmfa"},
    ],
)
def test_what_is_not_configured_together_is_refused(sender, changes):
    answer = sender.publish(an_ebox(), **changes)

    refused(answer, "INVALID_SENDER", "Invalid message configuration")


def test_an_enterprise_that_is_not_configured_may_not_publish(publication, party):
    ebox = an_ebox()
    token = party(SENDER, enterprise=ebox.number)

    answer = Sender(publication.test_client(), token, ebox).publish(an_ebox())

    refused(answer, "INVALID_SENDER", "Invalid message configuration")


@pytest.mark.parametrize("name", ["messageTypeId", "senderApplicationId"])
def test_a_typing_error_in_what_is_configured_is_refused_in_the_known_words(sender, name):
    answer = sender.publish(an_ebox(), **{name: "no-such-thing"})

    refused(answer, "INVALID_SENDER", "Invalid message configuration")
    assert answer.json["issues"][0]["name"] == name


def test_what_is_referred_to_must_exist(sender):
    name = "messageTemplateId"
    answer = sender.publish(an_ebox(), **{name: "no-such-thing"})

    message = f"Referenced resource {name} = 'no-such-thing' does not exist"
    refused(answer, "INVALID_INPUT", message)
    issue = answer.json["issues"][0]
    assert issue["type"] == f"{BELGIF}input-validation:referencedResourceNotFound"
    assert (issue["in"], issue["name"], issue["value"]) == ("body", name, "no-such-thing")


HEX = "0e13ae6d7ce1dbfaaea4d1b9ae8a1fd5ca9de83d6e51a9d3e8e1f5b1a1e1b1c1"


@pytest.mark.parametrize("digest", [HEX, "A" * 43, "A" * 43 + "=", "x"])
def test_a_digest_that_differs_is_refused(sender, digest):
    announced = {"digest": {"digestValue": digest, "digestMethod": "sha_256"}}

    answer = sender.publish(an_ebox(), Document(announced=announced))

    refused(answer, "DIGEST_DO_NOT_MATCH", "Issue with Digest")


def test_several_languages_are_refused_where_one_is_the_rule(sender, publishing_with):
    one_language = at(sender, publishing_with(single_language=True), Sender)

    answer = one_language.publish(an_ebox(), subject={"nl": "Brief", "fr": "Lettre"})

    refused(answer, "NOT_IMPLEMENTED", "Multiple languages provided when only one expected")


BODY = {"bodyContent": {"nl": "Tekst"}, "isBodyMainContent": True}


@pytest.mark.parametrize("documents", [(ANNEX,), (ANNEX, Document(is_main=False))])
def test_a_message_without_main_content_is_refused(sender, documents):
    answer = sender.publish(an_ebox(), *documents)

    refused(answer, "INVALID_INPUT", "No main content attachment. Exactly one is expected")


@pytest.mark.parametrize(
    ("documents", "changes"),
    [((Document(), Document("other")), {}), ((Document(),), BODY)],
)
def test_a_message_with_more_than_one_main_content_is_refused(sender, documents, changes):
    answer = sender.publish(an_ebox(), *documents, **changes)

    refused(answer, "INVALID_INPUT", "Too many main content. Exactly one is expected")


@pytest.mark.parametrize("setting", [{"": 1}, {"_size": 40}])
def test_business_data_are_bounded_by_the_operator(sender, publishing_with, setting):
    changes = {f"publication_business_data{name}": most for name, most in setting.items()}
    bounded = at(sender, publishing_with(**changes), Sender)

    answer = bounded.publish(an_ebox(), businessDataList=[{"key": "k", "values": []}] * 2)

    assert answer.status_code == 400
    assert answer.json["issues"][0]["name"] == "businessDataList"


@pytest.mark.parametrize("media_type", ["application/xml", "image/png", "application/octet-stream"])
def test_a_media_type_that_is_not_in_the_list_is_refused(sender, media_type):
    answer = sender.publish(an_ebox(), Document(media_type=media_type))

    text = "Attachment mime type is not valid. See spec for list of available mime types"
    refused(answer, "INVALID_INPUT", text)


@pytest.mark.parametrize("arriving", [(Document(),), (Document(), ANNEX, Document("more"))])
def test_as_many_files_as_announced_must_arrive(sender, arriving):
    message = a_publication(sender.ebox, an_ebox(), Document(), ANNEX)

    answer = sender.post(body(as_part(message), *arriving))

    text = "Json Attachments number is inconsistent with number of parts"
    refused(answer, "INVALID_INPUT", text)


def test_what_is_announced_must_have_a_part(sender):
    message = a_publication(sender.ebox, an_ebox(), Document())

    answer = sender.post(body(as_part(message), Document("another-name")))

    text = "Some json attachment info do not match any file upload part"
    refused(answer, "INVALID_INPUT", text)


@pytest.mark.parametrize("lacking", [{"media_type": None}, {"file_name": None}])
def test_a_file_says_its_name_and_media_type(sender, lacking):
    answer = sender.publish(an_ebox(), Document(**lacking))

    refused(answer, "INVALID_INPUT", "Missing mediaType or fileName in part")


@pytest.mark.parametrize(
    "name", ["sender", "recipient", "subject", "messageTypeId", "senderApplicationId"]
)
def test_what_is_required_and_missing_is_named(sender, name):
    answer = sender.publish(an_ebox(), **{name: None})

    refused(answer, "INVALID_INPUT", f"Invalid Schema: required keys not found: {name}")


# Who may publish


@pytest.mark.parametrize("scopes", [(), (CONSUMER,), (PORTAL,), (FOR_ANOTHER,)])
def test_without_the_scope_nobody_publishes(publication, party, configure, scopes):
    ebox = an_ebox()
    configure(ebox.number)

    somebody = Sender(publication.test_client(), party(*scopes, enterprise=ebox.number), ebox)

    answer = somebody.publish(an_ebox())
    assert answer.status_code == 403
    assert answer.json["type"] == f"{BELGIF}missingScope"
    assert SENDER in answer.json["requiredScopes"]


def test_nobody_publishes_in_the_name_of_another(sender, a_sender):
    answer = sender.publish(an_ebox(), sender=named(a_sender().ebox))

    refused(answer, "INVALID_SENDER", NOT_THE_SENDER)


def test_a_token_of_no_enterprise_publishes_nothing(publication, party):
    nobody = Sender(publication.test_client(), party(SENDER), an_ebox())

    refused(nobody.publish(an_ebox()), "INVALID_SENDER", NOT_THE_SENDER)


@pytest.fixture
def representative(publication, party, configure):
    """Who publishes for a configured enterprise: `representative(scope)` and its own number."""

    def come(scope=FOR_ANOTHER, app=publication):
        mandator, own = an_ebox(), an_ebox()
        configure(mandator.number)
        token = party(scope, enterprise=own.number)
        return Sender(app.test_client(), token, mandator), own

    return come


@pytest.fixture
def mandate(facts):
    """Give a mandate to publish."""

    def give(mandator, mandatary, operation="publish"):
        given = {"mandator": mandator.number, "mandatary": mandatary.number, "operation": operation}
        facts("mandates", lambda known: known["mandates"].append(given))

    return give


@pytest.mark.usefixtures("leaves_something")
@pytest.mark.parametrize("scope", REPRESENTATIVE)
def test_with_a_mandate_one_publishes_for_another(representative, mandate, reader, scope):
    somebody, own = representative(scope)
    mandate(somebody.ebox, own)
    recipient = reader()

    answer = somebody.publish(recipient.ebox, headers={ON_BEHALF_OF: somebody.ebox.number})

    assert answer.status_code == 201, answer.text
    shown = recipient.get(f"{MESSAGES}/{answer.json['messageId']}").json
    assert shown["sender"]["enterpriseNumber"] == somebody.ebox.number


def test_both_spellings_of_the_representatives_scope_are_known():
    assert len(REPRESENTATIVE) == 2


def test_without_a_mandate_nobody_publishes_for_another(representative, mandate):
    somebody, own = representative()
    mandate(own, somebody.ebox)  # the other way round
    mandate(somebody.ebox, an_ebox())  # somebody else's
    mandate(somebody.ebox, own, "consult")

    answer = somebody.publish(an_ebox(), headers={ON_BEHALF_OF: somebody.ebox.number})

    refused(answer, "INVALID_SENDER", NOT_THE_SENDER)
    assert answer.json["issues"][0]["in"] == "header"


@pytest.mark.parametrize("fault", ["error", "lie", "garbage", "html", "reset"])
def test_a_mandate_that_nobody_can_confirm_is_none(
    representative, mandate, publishing_with, faults, fault
):
    somebody, own = representative(app=publishing_with())
    mandate(somebody.ebox, own)
    faults(mandates=fault)

    answer = somebody.publish(an_ebox(), headers={ON_BEHALF_OF: somebody.ebox.number})

    refused(answer, "INVALID_SENDER", NOT_THE_SENDER)


def test_a_mandate_is_for_the_enterprise_that_the_header_names(representative, mandate, a_sender):
    somebody, own = representative()
    mandate(somebody.ebox, own)

    other = named(a_sender().ebox)
    header = {ON_BEHALF_OF: somebody.ebox.number}

    refused(
        somebody.publish(an_ebox(), sender=other, headers=header), "INVALID_SENDER", NOT_THE_SENDER
    )


def test_a_representative_without_the_header_lacks_the_senders_scope(representative):
    somebody, _ = representative()

    assert somebody.publish(an_ebox()).status_code == 403


@pytest.mark.parametrize("header", ["", "x", "12", "0206.731.645", "9206731645"])
def test_a_header_that_names_no_enterprise_is_refused(sender, header):
    answer = sender.publish(an_ebox(), headers={ON_BEHALF_OF: header})

    assert answer.status_code == 400
    assert answer.json["issues"][0]["name"] == ON_BEHALF_OF


def test_a_sender_with_the_senders_scope_alone_does_not_publish_for_another(sender):
    answer = sender.publish(an_ebox(), headers={ON_BEHALF_OF: an_ebox().number})

    assert answer.status_code == 403


# Limits (contract 4.9, 6.24)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"subject": {"nl": "x" * 401}}, "subject.nl"),
        ({"forTheAttentionOf": {"label": "x" * 101}}, "forTheAttentionOf.label"),
        (
            {"businessDataList": [{"key": "k", "values": [{"nl": "x" * 257}]}]},
            "businessDataList[0].values[0].nl",
        ),
    ],
)
def test_a_text_that_is_too_long_is_refused(sender, changes, name):
    answer = sender.publish(an_ebox(), **changes)

    assert answer.status_code == 400
    assert [issue["name"] for issue in answer.json["issues"]] == [name]


@pytest.mark.usefixtures("leaves_something")
def test_texts_may_be_as_long_as_the_limits(sender):
    answer = sender.publish(
        an_ebox(),
        Document(file_name="x" * 251 + ".pdf"),
        subject={"nl": "é" * 400},
        forTheAttentionOf={"label": "x" * 100},
        businessDataList=[{"key": "k", "values": [{"nl": "x" * 256}]}],
    )

    assert answer.status_code == 201, answer.text


def test_a_file_name_that_is_too_long_is_refused(sender):
    answer = sender.publish(an_ebox(), Document(file_name="x" * 256))

    assert answer.status_code == 400
    assert "255" in answer.json["message"]


def files(number):
    rest = [Document(f"f{n}", is_main=False) for n in range(1, number)]
    return [Document(), *rest]


@pytest.mark.usefixtures("leaves_something")
def test_twenty_files_are_taken(sender):
    assert sender.publish(an_ebox(), *files(20)).status_code == 201


@pytest.mark.parametrize("announced", [True, False])
def test_the_twenty_first_file_is_refused(sender, announced):
    message = a_publication(sender.ebox, an_ebox(), *files(21 if announced else 20))

    answer = sender.post(body(*files(21), as_part(message)))

    assert answer.status_code == 400


def too_large(answer, limit):
    assert answer.status_code == 413, answer.text
    assert answer.json["type"] == f"{BELGIF}payloadTooLarge"
    assert answer.json["limit"] == limit


@pytest.mark.parametrize("size", [1001, 9 << 20])
def test_a_file_that_is_too_large_is_refused(sender, publishing_with, size):
    limit = 1000 if size < 2000 else 8 << 20
    small = at(sender, publishing_with(publication_file_size=limit), Sender)
    document = Document(content=PDF.ljust(size, b"%"))

    too_large(small.publish(an_ebox(), document), limit)


@pytest.mark.usefixtures("leaves_something")
def test_a_file_may_be_as_large_as_the_limit(sender, publishing_with):
    small = at(sender, publishing_with(publication_file_size=1000), Sender)

    answer = small.publish(an_ebox(), Document(content=PDF.ljust(1000, b"%")))

    assert answer.status_code == 201


def test_a_request_that_is_too_large_is_refused(sender, publishing_with):
    small = at(sender, publishing_with(publication_request_size=2000), Sender)

    too_large(small.publish(an_ebox(), Document(content=PDF.ljust(2000, b"%"))), 2000)


@pytest.mark.parametrize("first", [True, False])
def test_a_description_that_is_too_large_is_refused(sender, publishing_with, first):
    small = at(sender, publishing_with(publication_message_size=1000), Sender)
    message = a_publication(sender.ebox, an_ebox(), Document(), structuredData={"x": "y" * 1000})
    parts = [as_part(message), Document()]

    too_large(small.post(body(*(parts if first else reversed(parts)))), 1000)


# Files that are not what they say


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"MZ\x90\0", "application/pdf"),
        (b"<html>", "application/pdf"),
        (b"", "application/pdf"),
        (PDF, "text/plain"),
        (PDF, "application/zip"),
        (b"PK\x03\x04", "text/csv"),
        (b"\0" * (9 << 20), "text/plain"),
        (b"x" * 70_000 + PDF, "application/pdf"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_file_that_is_not_what_it_says_is_refused(sender, content, media_type, first):
    wrong = Document("wrong", content, "f", media_type, is_main=False)
    message = a_publication(sender.ebox, an_ebox(), Document(), wrong)
    parts = [as_part(message), Document(), wrong]

    answer = sender.post(body(*(parts if first else reversed(parts))))

    refused(answer, "INVALID_INPUT", f"The content of the file is not {media_type}")
    assert answer.json["issues"][0]["name"] == "wrong"


class Scripted(socketserver.ThreadingTCPServer):
    """A clamd that says what it was told to say; `limit` bytes are all it looks at."""

    daemon_threads = allow_reuse_address = True
    block_on_close = False

    def __init__(self, verdict, limit=None):
        super().__init__((LOOPBACK, 0), _Scan)
        self.verdict, self.limit, self.seen = verdict, limit, b""

    @property
    def address(self):
        return f"{LOOPBACK}:{self.server_address[1]}"


class _Scan(socketserver.StreamRequestHandler):
    def handle(self):
        assert self.rfile.read(10) == b"zINSTREAM\0"
        seen = b""
        while length := struct.unpack(">I", self.rfile.read(4))[0]:
            if self.server.limit is not None and len(seen) + length > self.server.limit:
                break
            seen += self.rfile.read(length)
        self.server.seen = seen
        self.wfile.write(self.server.verdict)


@contextmanager
def clamd(verdict, limit=None):
    with Scripted(verdict, limit) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


LARGE = PDF.ljust(10_000_000, b"%")


@pytest.mark.parametrize("content", [PDF, LARGE])
@pytest.mark.parametrize("first", [True, False])
def test_malware_is_refused(sender, publishing_with, content, first):
    message = as_part(a_publication(sender.ebox, an_ebox(), ANNEX, Document()))
    parts = [message, ANNEX, Document(content=content)]

    with clamd(b"stream: Eicar-Test-Signature FOUND\0") as scanner:
        app = publishing_with(clamd_address=scanner.address)
        answer = at(sender, app, Sender).post(body(*(parts if first else reversed(parts))))

    assert answer.status_code == 400
    assert answer.json["type"] == f"{OWN}malwareFound"
    assert answer.json["code"] == "MALWARE_FOUND"
    assert "Eicar" not in answer.text


@pytest.mark.usefixtures("leaves_something")
@pytest.mark.parametrize("content", [PDF, LARGE])
def test_what_is_clean_is_filed_after_every_byte_was_shown(
    sender, reader, publishing_with, content
):
    recipient = reader()

    with clamd(b"stream: OK\0") as scanner:
        app = publishing_with(clamd_address=scanner.address)
        message_id = at(sender, app, Sender).published(recipient.ebox, Document(content=content))

    assert scanner.seen == content
    path = f"{MESSAGES}/{message_id}/attachments/1/content"
    assert recipient.get(path).data == content


# What clamd says and takes of a file beyond one of its limits, and the MaxFileSize that we know.
NOT_WHOLE = {
    "StreamMaxLength": (b"INSTREAM size limit exceeded. ERROR\0", 1_000_000, 100 << 20),
    "AlertExceedsMax": (b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0", None, 100 << 20),
    "MaxFileSize, silently": (b"stream: OK\0", None, 1_000_000),
}


@pytest.mark.long
@pytest.mark.parametrize("case", NOT_WHOLE)
@pytest.mark.parametrize("version", [3, 2])
def test_what_was_not_looked_at_whole_is_not_clean(sender, publishing_with, case, version):
    verdict, limit, file_size = NOT_WHOLE[case]

    with clamd(verdict, limit) as scanner:
        app = publishing_with(clamd_address=scanner.address, clamd_file_size=file_size)
        there, document = at(sender, app, Sender), Document(content=LARGE)
        if version == 3:
            answer = there.publish(an_ebox(), document)
        else:
            answer = visiting.publish(there, an_ebox(), document)

    assert answer.status_code == 400
    assert answer.json["code"] == "DOCUMENT_NOT_SCANNED"


@pytest.mark.long
@pytest.mark.usefixtures("leaves_something")
@pytest.mark.parametrize("case", NOT_WHOLE)
def test_a_setting_has_it_accepted_with_a_mark(sender, reader, publishing_with, owner, case):
    verdict, limit, file_size = NOT_WHOLE[case]
    before = REGISTRY.get_sample_value("registry_documents_unscanned_total") or 0
    recipient, chosen = reader(), {"clamd_unscanned": "accept", "clamd_file_size": file_size}

    with written_lines() as lines, clamd(verdict, limit) as scanner:
        app = publishing_with(clamd_address=scanner.address, **chosen)
        message_id = at(sender, app, Sender).published(recipient.ebox, Document(content=LARGE))

    path = f"{MESSAGES}/{message_id}/attachments/1/content"
    assert recipient.get(path).data == LARGE
    with owner.connect() as connection:
        # The publication's, and not that of the reading.
        marks = len(read_trail(connection, message_id, '"malwareScan":"incomplete"'))
    assert marks == 1
    assert REGISTRY.get_sample_value("registry_documents_unscanned_total") == before + 1
    (line,) = [line for line in lines if "not scanned" in line]
    assert json.loads(line)["key"].startswith("documents/")


@pytest.mark.usefixtures("leaves_something")
def test_what_is_clean_has_no_mark(sender, reader, publishing_with):
    before = REGISTRY.get_sample_value("registry_documents_unscanned_total") or 0

    with clamd(b"stream: OK\0") as scanner:
        app = publishing_with(clamd_address=scanner.address, clamd_unscanned="accept")
        at(sender, app, Sender).published(reader().ebox)

    assert (REGISTRY.get_sample_value("registry_documents_unscanned_total") or 0) == before


@pytest.mark.long
@pytest.mark.parametrize("verdict", [b"", b"stream: ERROR\0", b"UNKNOWN COMMAND\0"])
@pytest.mark.parametrize("content", [PDF, LARGE])
def test_without_a_verdict_nothing_is_filed(sender, publishing_with, verdict, content):
    with clamd(verdict) as scanner:
        app = publishing_with(clamd_address=scanner.address)
        answer = at(sender, app, Sender).publish(an_ebox(), Document(content=content))

    assert answer.status_code == 503


def test_without_a_scanner_nothing_is_filed(sender, publishing_with):
    with clamd(b"") as scanner:
        address = scanner.address

    answer = at(sender, publishing_with(clamd_address=address), Sender).publish(an_ebox())

    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


# Bodies that are none


def whole(sender, *more):
    message = a_publication(sender.ebox, an_ebox(), Document(), ANNEX)
    return body(Document(), as_part(message), ANNEX, *more)


@pytest.mark.long
@pytest.mark.parametrize("tenth", range(40))
def test_a_body_that_ends_too_soon_is_refused(sender, tenth):
    content = whole(sender)
    end = len(content) - 6  # before the hyphens that end it

    answer = sender.post(content[: end * tenth // 39])

    assert answer.status_code == 400, answer.text


@pytest.mark.long
@pytest.mark.parametrize("lost", range(5, 60))
def test_a_body_that_lacks_its_last_bytes_is_refused(sender, lost):
    content = whole(sender)

    assert sender.post(content[:-lost]).status_code == 400


def test_a_body_that_is_shorter_than_it_says_is_refused(sender):
    content = whole(sender)

    answer = sender.post(content[:-200], **{"Content-Length": str(len(content))})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("multipart/form-data; boundary=another", 400),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        (f"{FORM}; boundary=b", 400),
        (f"multipart/mixed; boundary={BOUNDARY}", 415),
        ("application/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_a_body_of_another_kind_is_refused(sender, content_type, status):
    assert sender.post(whole(sender), content_type=content_type).status_code == status


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_compressed_body_is_refused(sender, encoding):
    answer = sender.post(whole(sender), **{"Content-Encoding": encoding})

    assert answer.status_code == 415


@pytest.mark.parametrize("header", ["Content-Encoding: gzip", "Content-Transfer-Encoding: base64"])
def test_a_compressed_part_is_refused(sender, header):
    message = a_publication(sender.ebox, an_ebox(), Document())
    encoded = part("file-1", PDF, "f.pdf", "application/pdf", [header])

    assert sender.post(body(as_part(message), encoded)).status_code == 400


def test_a_body_without_a_message_is_refused(sender):
    answer = sender.post(body(Document()))

    assert answer.status_code == 400
    assert answer.json["issues"][0]["name"] == PART


def test_two_messages_in_one_body_are_refused(sender):
    message = as_part(a_publication(sender.ebox, an_ebox(), Document()))

    assert sender.post(body(message, Document(), message)).status_code == 400


def test_two_files_under_one_name_are_refused(sender):
    message = as_part(a_publication(sender.ebox, an_ebox(), Document(), ANNEX))

    assert sender.post(body(message, Document(), Document())).status_code == 400


def test_two_attachments_of_one_part_are_refused(sender):
    twice = [Document().members, {**Document().members, "isMainContent": False}]
    message = as_part(a_publication(sender.ebox, an_ebox(), attachments=twice))

    assert sender.post(body(message, Document(), ANNEX)).status_code == 400


def test_a_thousand_parts_are_refused(sender):
    message = as_part(a_publication(sender.ebox, an_ebox(), Document()))
    many = [Document(f"f{n}") for n in range(1000)]

    assert sender.post(body(message, *many)).status_code == 400


def test_headers_of_a_mebibyte_are_refused(sender):
    huge = part("file-1", PDF, "f.pdf", "application/pdf", ["X-Huge: " + "x" * (1 << 20)])
    message = as_part(a_publication(sender.ebox, an_ebox(), Document()))

    assert sender.post(body(message, huge)).status_code == 413


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"{}",
        b"\xff\xfe{}",
        b'{"subject": {"nl": "a"}, "subject": {"nl": "b"}}',
        b'{"structuredData": {"a": 1, "a": 2}}',
        b'{"structuredData": {"a": NaN}}',
        b'{"structuredData": {"a": -Infinity}}',
        b'{"structuredData": {"a": 1e999}}',
        b'{"structuredData": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"structuredData": {"a": "\\ud800"}}',
        b'{"structuredData": {"\\udfff": 1}}',
        b'{"structuredData": {"a": "\\u0000"}}',
        b'{"structuredData": {"a": ' + b"9" * 5000 + b"}}",
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_json_that_is_none_or_cannot_be_kept_is_refused(sender, text, alone):
    if not alone:  # beside a message that is otherwise right
        right = json.dumps(a_publication(sender.ebox, an_ebox(), Document())).encode()
        text = right.removesuffix(b"}") + b", " + text.removeprefix(b"{")

    answer = sender.post(body(Document(), as_part(text)))

    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"unknown": 1},
        {"subject": "text"},
        {"subject": {"en": "Letter"}},
        {"subject": {"nl": ""}},
        {"isRegisteredMail": "true"},
        {"attachments": {}},
        {"recipient": {"eboxType": "enterprise"}},
        {"recipient": {"eboxType": "enterprise", "ssin": "85041299768"}},
        {"recipient": {"eboxType": "citizen", "enterpriseNumber": "0206731645"}},
        {"sender": {"eboxType": "citizen", "ssin": "85041299768"}},
        {"isBodyMainContent": True},
        {"paymentData": {"amount": 1.1}},
        {"forTheAttentionOf": {}},
        {"messageTypeId": "a b"},
    ],
)
def test_a_message_of_another_shape_is_refused(sender, changes):
    assert sender.publish(an_ebox(), **changes).status_code == 400


def test_a_person_is_not_repeated_to_whoever_got_his_number_wrong(sender, publishing_with):
    checked = at(sender, publishing_with(check_digits=True), Sender)
    wrong = "85041299700"

    answer = checked.publish(
        an_ebox(),
        recipient={"eboxType": "citizen", "ssin": wrong},
        forTheAttentionOf={"ssin": wrong},
    )

    assert answer.status_code == 400
    assert wrong not in answer.text


def test_a_citizen_is_not_a_sender(publication, party):
    ebox = an_ebox(EboxKind.CITIZEN)
    citizen = Sender(publication.test_client(), party(SENDER, person=a_person()), ebox)

    assert citizen.publish(an_ebox()).status_code == 400
