"""`registry audit`: verify, reconstruct, export, public-key."""

import hashlib
import json
import os
import pwd
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from registry.audit import details
from registry.audit.log import AuditLog
from registry.audit.trail import keys
from registry.audit.trail.inspect_export import Inspection
from registry.domain.access import Caller
from registry.domain.belgian_time import BELGIUM
from registry.domain.calls import Call
from registry.domain.errors import SettingsError
from registry.domain.identifiers import EboxKind, Ssin
from registry.domain.pseudonyms import Pseudonyms
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.settings import Settings
from registry.wiring.audit import assemble_audit, load_private_key
from registry.wiring.worker import assemble_worker
from tests.factories import a_person, an_ebox
from tests.trail_entries import change_text, read_trail

pytestmark = pytest.mark.long

BASE = "/REST/ebox/enterprise/messageRegistry"
NARROW = {"COLUMNS": "60"}
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+0[12]:00")
TOKEN = "ab" * 32
FORMER_KEY = "what the hash key was, long ago, and long too"


@pytest.fixture
def trail(alone, objects):
    """An empty trail with a bucket of the test's own: its settings, how to write and to seal."""
    with alone.owner.begin() as connection:
        connection.execute(text("TRUNCATE audit_entries, audit_seals, audit_sheaves"))
    bucket = f"seals-{uuid4().hex[:12]}"
    objects.create_bucket(bucket, has_object_lock=True)
    environment = alone.environment | {"REGISTRY_AUDIT_BUCKET": bucket}
    assembled, audit = (
        assemble_worker(Settings.load(environment)),
        assemble_audit(Settings.load(environment)),
    )

    def seal():
        """As a worker does by its jobs `seal` and `file`."""
        sealed = assembled.sealer.seal()
        while assembled.filing.file():
            pass
        return sealed

    yield SimpleNamespace(environment=environment, owner=alone.owner, services=audit, seal=seal)
    audit.dispose()
    assembled.dispose()


@pytest.fixture
def audit(run, trail):
    """Type `registry audit …`."""

    def typed(*command, env=None):
        return run("audit", *map(str, command), env=trail.environment | (env or {}))

    return typed


@pytest.fixture
def call(trail):
    """Record a call as the service does; gives the id of the message that it was about."""

    def record(ebox=None, message_id=None, path="/v3/ebox/messages", now=None, key=None, **who):
        message_id = message_id or uuid4()
        caller = Caller(
            **{"client_id": "my-client", "scopes": frozenset(), "token_hash": TOKEN, **who}
        )
        investigation = trail.services.investigation
        names = Pseudonyms(key) if key else investigation.audit_log.pseudonyms
        audit_log = AuditLog(names, lambda: now or datetime.now(UTC))
        told = details.describe_message_id(message_id)
        with investigation.transactions() as connection:
            audit_log.record(connection, Call(caller, "GET", BASE + path), ebox, told)
        return message_id

    return record


def recorded(trail):
    """The newest entry, and the e-Box beside it."""
    with trail.owner.connect() as connection:
        newest = read_trail(connection)[-1]
    return json.loads(newest.entry), newest.ebox


def tampered(trail):
    """Make the newest entry another; gives its number."""
    with trail.owner.begin() as connection:
        newest = read_trail(connection)[-1]
        change_text(connection, newest, newest.entry.replace("GET", "PUT"))
    return newest.entry_number


# verify


def test_a_trail_that_holds_says_so(audit, call, trail):
    for _ in range(3):
        call()
    trail.seal()

    done = audit("verify")

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "Entries under seals: 3; seals: 1.",
        "Entries that were compared with their seals: 3.",
        "All is as it was sealed and signed.",
    ]


def test_what_is_not_yet_sealed_is_counted(audit, call, trail):
    call()
    trail.seal()
    call()
    call()

    done = audit("verify")

    assert done.code == 0
    assert "Entries that are not yet under a seal: 2, since TIME.\n" in TIME.sub("TIME", done.out)


def test_each_finding_is_a_line(audit, call, trail):
    call()
    trail.seal()
    number = tampered(trail)

    done = audit("verify")

    heading, line, *_ = done.out.splitlines()
    assert done.code == 1
    assert heading.split() == ["seal", "finding", "entries", "what"]
    assert line.split(maxsplit=3) == ["1", "edit", str(number), "The entry is not what was sealed."]
    assert "All is as" not in done.out
    assert done.err == "Error: The trail is not what was sealed: 1 findings.\n"


def test_findings_are_whole_on_a_narrow_terminal(audit, call, trail):
    call()
    trail.seal()
    number = tampered(trail)

    done = audit("verify", env={"COLUMNS": "30"})

    assert f"seal     1\nfinding  edit\nentries  {number}\n" in done.out


def test_a_program_gets_the_findings(audit, call, trail):
    call()
    trail.seal()
    number = tampered(trail)

    told = json.loads(audit("verify", "--json").out)

    assert told == {
        "isIntact": False,
        "seals": 1,
        "sealed": 1,
        "compared": 1,
        "unsealed": 0,
        "findings": [
            {
                "kind": "edit",
                "seal": 1,
                "entries": [number],
                "detail": "The entry is not what was sealed.",
            }
        ],
        "breaks": [],
    }


@pytest.mark.parametrize(
    "options", [("--from", "today"), ("--from", "2026-02-02", "--to", "2026-02-01")]
)
def test_days_must_be_days_in_their_order(audit, options):
    assert audit("verify", *options).code == 2


def test_a_bucket_that_is_away_is_told_in_one_line(audit, call, trail):
    call()
    trail.seal()
    away = f"http://{LOOPBACK}:{free_port()}"

    done = audit("verify", env={"REGISTRY_S3_ENDPOINT": away})

    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: The seal bucket does not answer.\n"


def test_verify_ends_with_its_code_in_a_process_too(start, call, trail):
    call()
    trail.seal()
    intact = start("audit", "verify", env=trail.environment)
    tampered(trail)

    changed = start("audit", "verify", env=trail.environment)

    assert (intact.returncode, intact.stderr) == (0, "")
    assert changed.returncode == 1


# reconstruct


def test_the_story_of_a_message_has_a_line_for_each_kind_of_thing(audit, call, trail):
    message = call(path="/v3/ebox/messages")
    for _ in range(12):
        call(message_id=message, path="/v3/ebox/messages?isRead=false")
    trail.seal()
    content = f"/v3/ebox/messages/{message}/attachments/a/content"
    call(message_id=message, path=content, client_id="other-client")

    done = audit("reconstruct", "--message", message)
    told = json.loads(audit("reconstruct", "--message", message, "--json").out)

    rows = [re.split(" {2,}", line.strip()) for line in TIME.sub("TIME", done.out).splitlines()]
    assert rows[0] == ["first", "last", "times", "by", "event", "what"]
    assert [row[2:4] for row in rows[1:]] == [["13", "my-client"], ["1", "other-client"]]
    assert rows[2][-2:] == ["E.1", "Content handed out"]
    assert done.err == "Entries that are not yet under a seal: 1.\n"
    # The first search is an entry too, and names the message.
    assert [(line["step"], line["times"]) for line in told] == [
        ("listing", 13),
        ("retrieval", 1),
        ("investigation", 1),
    ]


def test_all_that_happened_to_a_message_is_listed_in_the_order_of_time(audit, call, trail):
    message = call(path="/v3/ebox/messages")
    call()
    trail.seal()
    call(message_id=message, path=f"/v3/ebox/messages/{message}", client_id="other-client")

    done = audit("reconstruct", "--all", "--message", str(message).upper())

    heading, *lines = TIME.sub("TIME", done.out).splitlines()
    assert (done.code, done.err) == (0, "")
    assert heading.split() == ["when", "who", "token", "seal", "status", "what", "details"]
    assert [re.split(" {2,}", line.strip()) for line in lines] == [
        [
            "TIME",
            "my-client",
            "abababab",
            "1",
            "200",
            "GET /v3/ebox/messages",
            f"messageId: {message}",
        ],
        [
            "TIME",
            "other-client",
            "abababab",
            "not yet",
            "200",
            f"GET /v3/ebox/messages/{message}",
            f"messageId: {message}",
        ],
    ]


def test_a_program_gets_the_entries_as_they_are(audit, call, trail):
    ebox = an_ebox()
    message = call(ebox)
    trail.seal()

    [told] = json.loads(audit("reconstruct", "--all", "--message", message, "--json").out)

    assert set(told) == {"number", "recordedAt", "seal", "isAsSealed", "ebox", "entry"}
    assert (told["seal"], told["isAsSealed"]) == (1, True)
    assert told["ebox"] == trail.services.investigation.audit_log.pseudonyms.hash_ebox(ebox)
    assert told["entry"]["API_CALL_REQUEST_URL"] == f"{BASE}/v3/ebox/messages"
    assert set(told["entry"]) == {
        "TIMESTAMP",
        "SUBJECT_TOKEN_HASHED",
        "CLIENT_ID",
        "API_CALL_REQUEST_METHOD",
        "API_CALL_REQUEST_URL",
        "API_CALL_RESPONSE_CODE",
        "API_CALL_DETAILS",
    }


def test_the_story_of_a_token_is_told(audit, call):
    mine = call(token_hash="cd" * 32)
    call()

    done = audit("reconstruct", "--token-hash", "CD" * 32)

    assert done.code == 0
    assert str(mine) in done.out
    assert len(done.out.splitlines()) == 2


@pytest.mark.parametrize("kind", [*EboxKind, None])
def test_the_story_of_an_ebox_is_told_by_its_number(audit, call, kind):
    ebox = an_ebox(kind or EboxKind.ENTERPRISE)
    mine = call(ebox)
    call(an_ebox())

    done = audit("reconstruct", "--ebox", f"{kind}:{ebox.number}" if kind else ebox.number)

    assert done.code == 0
    assert str(mine) in done.out
    assert len(done.out.splitlines()) == 2


def test_an_ebox_is_found_under_former_hash_keys(audit, call, tmp_path):
    ebox = an_ebox()
    old, new = call(ebox, key=FORMER_KEY), call(ebox)
    file = tmp_path / "former"
    file.write_text(f"{'x' * 40}\n\n{FORMER_KEY}\n")

    without = audit("reconstruct", "--ebox", ebox.number)
    done = audit(
        "reconstruct", "--ebox", ebox.number, env={"REGISTRY_AUDIT_FORMER_HASH_KEYS": str(file)}
    )

    assert str(old) not in without.out
    assert str(old) in done.out
    assert str(new) in done.out


@pytest.mark.parametrize("content", [None, b"short\n", b"\xff"], ids=["none", "short", "binary"])
def test_former_hash_keys_that_will_not_do_are_named_by_their_file(audit, tmp_path, content):
    file = tmp_path / "former"
    if content is not None:
        file.write_bytes(content)

    done = audit(
        "reconstruct", "--message", uuid4(), env={"REGISTRY_AUDIT_FORMER_HASH_KEYS": str(file)}
    )

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: The key in {file} cannot be used: ")


def test_a_story_is_told_of_some_days_alone(audit, call):
    message = call()
    today = datetime.now(BELGIUM).date()
    tomorrow = today + timedelta(days=1)

    assert audit("reconstruct", "--message", message, "--from", today, "--to", today).code == 0
    assert audit("reconstruct", "--message", message, "--from", tomorrow).code == 1


def test_an_entry_that_is_not_as_it_was_sealed_says_so(audit, call, trail):
    message = call()
    trail.seal()
    tampered(trail)

    done = audit("reconstruct", "--all", "--message", message)
    story = audit("reconstruct", "--message", message)
    [told] = json.loads(audit("reconstruct", "--all", "--message", message, "--json").out)[:1]

    assert " 1 differs " in done.out
    assert "Some are NOT as they were sealed" in story.err
    assert told["isAsSealed"] is False


def test_an_entry_that_somebody_made_something_else_is_shown_all_the_same(audit, call, trail):
    message = call()
    with trail.owner.begin() as connection:
        connection.execute(text("UPDATE audit_entries SET entry = :it"), {"it": f"\x1b {message}"})

    done = audit("reconstruct", "--all", "--message", message)
    told = json.loads(audit("reconstruct", "--all", "--message", message, "--json").out)

    assert audit("reconstruct", "--message", message).code == 0
    assert done.code == 0
    assert "\x1b" not in done.out
    assert told[0]["entry"] == f"  {message}"


def test_a_scan_tells_what_the_index_does_not_find(audit, call, trail):
    message = uuid4()
    words = ("reconstruct", "--message", message, "--all", "--json")
    for _ in range(2):
        call(message_id=message)
        trail.seal()
    sound = audit(*words, "--scan")
    with trail.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE audit_sheaves SET terms = '{}'"
                " WHERE until_xid = (SELECT until_xid FROM audit_sheaves ORDER BY 1 LIMIT 1)"
            )
        )

    entries = json.loads(audit(*words).out)
    scanned = audit(*words, "--scan")

    # Searches are entries too: of what was asked before.
    assert (len(entries), len(json.loads(scanned.out))) == (1 + 1, 2 + 2)
    assert sound.err == ""
    assert "The index does NOT find 1 of these" in scanned.err


def test_that_somebody_asked_is_recorded(audit, call, trail):
    ebox = an_ebox(EboxKind.CITIZEN)
    call(ebox)

    audit("reconstruct", "--ebox", f"citizen:{ebox.number}")

    entry, pseudonym = recorded(trail)
    assert entry["API_CALL_REQUEST_URL"] == "urn:registry:audit/reconstruct"
    user = pwd.getpwuid(os.getuid()).pw_name
    assert entry["API_CALL_DETAILS"] == {"entries": 1, "operator": user}
    assert pseudonym == trail.services.investigation.audit_log.pseudonyms.hash_ebox(ebox)


def test_who_asked_may_say_who_he_is(audit, call, trail):
    audit("reconstruct", "--message", call(), "--as", "An Operator, 85.03.12-123.62")

    entry, _ = recorded(trail)
    assert entry["API_CALL_DETAILS"]["operator"].startswith("An Operator, ")
    assert "85.03.12-123.62" not in entry["API_CALL_DETAILS"]["operator"]


def test_nobody_has_a_blank_name(audit, call):
    assert audit("reconstruct", "--message", call(), "--as", " ").code == 2


@pytest.fixture
def stranger(run, trail, tmp_path):
    """Type a command with public keys, the bucket and the database alone, as auditors have them."""
    settings = Settings.load(trail.environment)
    public = tmp_path / "public.pem"
    key = load_private_key(settings).public_key()
    public.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    names = ("ENVIRONMENT", "DATABASE_WORKER_URL", "AUDIT_BUCKET", "S3_ENDPOINT")
    env = {f"REGISTRY_{name}": trail.environment[f"REGISTRY_{name}"] for name in names}
    env |= {
        "REGISTRY_AUDIT_PUBLIC_KEYS": str(public),
        "REGISTRY_AUDIT_S3_ACCESS_KEY": trail.environment["REGISTRY_S3_ACCESS_KEY"],
        "REGISTRY_AUDIT_S3_SECRET_KEY": trail.environment["REGISTRY_S3_SECRET_KEY"],
    }

    def typed(*command, without=()):
        ours = {name: value for name, value in env.items() if name not in without}
        return run("audit", *map(str, command), env=ours)

    typed.key = public
    return typed


def test_who_verifies_needs_public_keys_alone(stranger, call, trail):
    call()
    trail.seal()

    assert (stranger("verify").code, stranger("verify").err) == (0, "")


def test_who_verifies_needs_public_keys(stranger):
    with pytest.raises(SettingsError, match=r"^REGISTRY_AUDIT_PUBLIC_KEYS: is needed here and not"):
        stranger("verify", without=["REGISTRY_AUDIT_PUBLIC_KEYS"])


def test_an_export_without_a_signing_key_is_proved_by_its_seals(stranger, call, trail, tmp_path):
    call(now=datetime(2026, 11, 20, 12, tzinfo=UTC))
    trail.seal()
    file = tmp_path / "november.jsonl"

    done = stranger("export", "--period", "2026-11", "--output", file)
    command = [sys.executable, "-m", "registry.audit", "verify", file, "--key", stranger.key]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.code, done.err) == (0, "")
    assert checked.returncode == 0
    assert "Nobody signed the export as a whole" in checked.stdout
    assert "Result: all is as it was sealed and signed." in checked.stdout


def test_an_export_without_a_signature_is_not_what_it_was_when_a_line_is_gone(
    stranger, call, trail, tmp_path
):
    call(now=datetime(2026, 11, 20, 12, tzinfo=UTC))
    trail.seal()
    file = tmp_path / "november.jsonl"
    stranger("export", "--period", "2026-11", "--output", file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:-2], lines[-1]]))

    command = [sys.executable, "-m", "registry.audit", "verify", file, "--key", stranger.key]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert checked.returncode == 1


def test_an_ebox_is_not_looked_for_without_the_hash_key(stranger):
    with pytest.raises(SettingsError, match=r"^REGISTRY_HASH_KEY: is needed here and not set$"):
        stranger("reconstruct", "--ebox", an_ebox().number)


def test_where_there_is_nothing_that_is_said(audit):
    done = audit("reconstruct", "--message", uuid4())

    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: The trail has nothing of this.\n"


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--message", "x"),
        ("--token-hash", "ab"),
        ("--ebox", "1"),
        ("--message", str(uuid4()), "--token-hash", TOKEN),
    ],
    ids=["nothing", "no id", "short", "no number", "two"],
)
def test_what_is_asked_must_be_clear(audit, options):
    assert audit("reconstruct", *options).code == 2


def test_on_a_narrow_terminal_ids_stay_whole(audit, call):
    message = call()

    done = audit("reconstruct", "--all", "--message", message, env=NARROW)

    assert f"details  messageId: {message}\n" in done.out


def test_the_number_of_a_citizen_is_shown_nowhere(audit, call, trail, tmp_path):
    person, ebox = a_person(), an_ebox(EboxKind.CITIZEN)
    path = f"/v3/ebox/messages?sender={person}"
    message = call(ebox, path=path, person=Ssin(person))
    trail.seal()

    said = [
        audit(*command).said
        for command in (
            ("verify", ebox.number),
            ("reconstruct", "--all", "--message", message),
            ("reconstruct", "--all", "--message", message, "--json"),
            ("reconstruct", "--message", message),
            ("evidence", "--message", message, "--output", tmp_path / "letter.zip"),
            ("check-evidence", tmp_path / "letter.zip", "--json"),
            ("reconstruct", "--ebox", f"citizen:{ebox.number}"),
            ("reconstruct", "--ebox", ebox.number, "--json"),
            ("reconstruct", "--ebox", f"enterprise:{ebox.number}"),
            ("reconstruct", ebox.number),
            (ebox.number,),
        )
    ]

    told = "\n".join(said)
    assert "sender=***" in told
    assert person not in told
    assert ebox.number not in told


# evidence


@pytest.fixture
def letter(call, trail):
    """A letter that was shown and read, among others, and is under seals."""
    message = call(path="/v3/ebox/messages")
    call()
    trail.seal()
    call(message_id=message, path=f"/v3/ebox/messages/{message}/body")
    trail.seal()
    return message


@pytest.fixture
def key_file(audit, tmp_path):
    """The public key as auditors have it."""
    path = tmp_path / "audit-public.pem"
    path.write_text(audit("public-key").out)
    return path


def test_the_evidence_of_a_letter_holds_without_a_registry(audit, run, letter, tmp_path, key_file):
    package = tmp_path / "letter.zip"

    made = audit("evidence", "--message", letter, "--output", package)
    checked = run("audit", "check-evidence", str(package), "--key", str(key_file), "--json", env={})

    told = json.loads(checked.out)
    assert (made.code, made.err) == (0, "")
    assert "Entries with proof: 1." in made.out
    assert (checked.code, told["holds"], told["messageId"]) == (0, True, str(letter))
    # What showed it in a list is no evidence of it.
    assert [line["step"] for line in told["story"]] == ["retrieval"]


def test_a_scan_leaves_nothing_out_of_the_evidence(audit, call, trail, tmp_path):
    message = uuid4()
    for _ in range(2):
        call(message_id=message, path=f"/v3/ebox/messages/{message}/body")
        trail.seal()
    with trail.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE audit_sheaves SET terms = '{}'"
                " WHERE until_xid = (SELECT until_xid FROM audit_sheaves ORDER BY 1 LIMIT 1)"
            )
        )

    words = ("evidence", "--message", message, "--output")
    indexed = audit(*words, tmp_path / "indexed.zip")
    scanned = audit(*words, tmp_path / "scanned.zip", "--scan")

    assert (indexed.code, scanned.code) == (0, 0)
    assert "Entries with proof: 1." in indexed.out
    assert "Entries with proof: 2." in scanned.out
    assert indexed.err == ""
    assert "The index does NOT find 1 of these" in scanned.err


def test_evidence_fails_after_one_changed_byte(audit, letter, tmp_path):
    package = tmp_path / "letter.zip"
    audit("evidence", "--message", letter, "--output", package)
    content = package.read_bytes()
    package.write_bytes(content.replace(b"my-client", b"my-cliemt", 1))

    checked = audit("check-evidence", package)

    assert checked.code == 1
    assert checked.err == "Error: The evidence does not hold.\n"


def test_evidence_under_another_key_than_the_trusted_fails(audit, letter, tmp_path):
    package, pem = tmp_path / "letter.zip", tmp_path / "other.pem"
    audit("evidence", "--message", letter, "--output", package)
    other = Ed25519PrivateKey.generate().public_key()
    pem.write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    checked = audit("check-evidence", package, "--key", pem)

    assert checked.code == 1
    assert "unknown key" in checked.out


def test_a_file_that_is_no_document_of_the_letter_is_named(audit, letter, tmp_path):
    package, stranger = tmp_path / "letter.zip", tmp_path / "stranger.pdf"
    audit("evidence", "--message", letter, "--output", package)
    stranger.write_bytes(b"%PDF-1.7 something else")

    checked = audit("check-evidence", package, "--document", stranger)

    assert checked.code == 1
    assert checked.err.endswith("Error: Not a document of this letter: stranger.pdf.\n")


def test_a_letter_that_is_not_yet_sealed_has_no_evidence(audit, call, tmp_path):
    message = call(path="/v3/ebox/messages/x/body")

    done = audit("evidence", "--message", message, "--output", tmp_path / "letter.zip")

    assert done.code == 1
    assert done.err.startswith("Error: Nothing of this letter is under a seal")
    assert not (tmp_path / "letter.zip").exists()


def test_a_letter_that_is_not_as_it_was_sealed_gives_no_evidence(audit, letter, trail, tmp_path):
    tampered(trail)

    done = audit("evidence", "--message", letter, "--output", tmp_path / "letter.zip")

    assert done.code == 1
    assert done.err == "Error: The letter is not as it was sealed; nothing is made.\n"
    assert not (tmp_path / "letter.zip").exists()


def test_no_file_is_written_over(audit, letter, tmp_path):
    package = tmp_path / "letter.zip"
    package.write_text("mine")

    done = audit("evidence", "--message", letter, "--output", package)

    assert (done.code, done.err) == (1, f"Error: {package} is there already.\n")
    assert package.read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"PK", b"no package at all"])
def test_what_is_no_package_is_told(audit, tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)

    done = audit("check-evidence", tmp_path / "x.zip")

    assert done.code == 1
    assert done.err == "Error: The evidence does not hold.\n"


def test_that_evidence_was_taken_out_is_recorded(audit, letter, trail, tmp_path):
    audit("evidence", "--message", letter, "--output", tmp_path / "letter.zip")

    entry, _ = recorded(trail)

    assert entry["API_CALL_REQUEST_URL"] == "urn:registry:audit/evidence"
    assert entry["API_CALL_DETAILS"]["messageId"] == str(letter)


# export


MONTH = datetime.now(BELGIUM).strftime("%Y-%m")


@pytest.fixture
def output(tmp_path):
    return tmp_path / "export.jsonl"


@pytest.fixture
def auditor(audit, tmp_path):
    """Verify an export with the public key alone, in a process."""
    key = tmp_path / "public.pem"
    key.write_text(audit("public-key").out)

    def look(file, *options):
        command = [sys.executable, "-m", "registry.audit", "verify", file, "--key", key]
        return subprocess.run(
            [*map(str, command), *options], capture_output=True, text=True, check=False
        )

    return look


def test_an_export_is_accepted_by_an_auditor(audit, call, trail, output, auditor):
    for _ in range(3):
        call()
    trail.seal()
    call()
    trail.seal()

    done = audit("export", "--period", MONTH, "--output", output)

    looked = auditor(output)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "Entries exported and verified: 4.",
        "Seals: 2 with all their entries, 0 with a part.",
    ]
    assert looked.returncode == 0, looked.stdout
    assert "Entries: 4\n" in looked.stdout


def test_only_entries_of_the_period_are_exported_each_with_its_proof(
    audit, call, trail, output, auditor
):
    long_ago = datetime(2025, 1, 31, 23, 30, tzinfo=UTC)  # in February, in Belgium
    call(now=long_ago)
    mine = [call(), call()]
    trail.seal()

    done = audit("export", "--period", MONTH, "--output", output)

    assert done.out.splitlines() == [
        "Entries exported and verified: 2.",
        "Seals: 0 with all their entries, 1 with a part.",
    ]
    assert all(str(message) in output.read_text() for message in mine)
    assert "2025-02-01T00:30" not in output.read_text()
    assert auditor(output).returncode == 0


def test_several_months_are_exported_at_once(audit, call, trail, output):
    call()
    trail.seal()

    done = audit("export", "--period", f"2025-12..{MONTH}", "--output", output)

    header = json.loads(output.read_text().splitlines()[0])
    assert done.code == 0
    assert header["from"] == "2025-12-01T00:00:00+01:00"


def test_an_export_that_was_changed_is_refused_by_an_auditor(audit, call, trail, output, auditor):
    call()
    trail.seal()
    audit("export", "--period", MONTH, "--output", output)

    output.write_text(output.read_text().replace("my-client", "no-client"))

    assert auditor(output).returncode == 1


def test_what_is_not_yet_sealed_is_said_to_be_missing(audit, call, trail, output):
    call()
    trail.seal()
    call()

    done = audit("export", "--period", MONTH, "--output", output)

    assert done.code == 0
    assert done.err == "Entries of the period that are not yet under a seal, so not there: 1.\n"


def test_a_month_without_entries_is_exported_too(audit, call, trail, output, auditor):
    call()
    trail.seal()

    done = audit("export", "--period", "2025-01", "--output", output)

    assert done.out.startswith("Entries exported and verified: 0.\n")
    assert auditor(output).returncode == 0


def test_a_file_is_not_written_over(audit, output):
    output.write_text("precious")

    done = audit("export", "--period", MONTH, "--output", output)

    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: {output} is there already.\n"
    assert output.read_text() == "precious"


def test_a_folder_that_is_not_there_is_named(audit, tmp_path):
    output = tmp_path / "none" / "export"

    done = audit("export", "--period", MONTH, "--output", output)

    assert (done.code, done.err) == (1, f"Error: {output}: No such file or directory.\n")


def test_a_trail_that_is_not_what_was_sealed_is_not_exported(audit, call, trail, output):
    call()
    trail.seal()
    number = tampered(trail)

    done = audit("export", "--period", MONTH, "--output", output)

    assert done.code == 1
    assert done.out.splitlines()[1].split()[:3] == ["1", "edit", str(number)]
    assert "nothing is exported" in done.err
    assert not output.exists()
    assert "audit/export" not in recorded(trail)[0]["API_CALL_REQUEST_URL"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_entries WHERE ctid = (SELECT max(ctid) FROM audit_entries)",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_seals WHERE seal_number = 1",
        "UPDATE audit_seals SET seal = 'x' WHERE seal_number = 1",
    ],
)
def test_nothing_is_exported_without_what_belongs_there(audit, call, trail, output, statement):
    for _ in range(2):
        call(now=datetime(2025, 2, 1, tzinfo=UTC))
        call()
        trail.seal()
    with trail.owner.begin() as connection:
        connection.execute(text(statement))

    done = audit("export", "--period", MONTH, "--output", output)

    assert done.code == 1
    assert not output.exists()


def test_that_somebody_exported_is_recorded(audit, call, trail, output):
    call()
    trail.seal()

    audit("export", "--period", "2025-07..2025-08", "--output", output)

    entry, _ = recorded(trail)
    assert entry["API_CALL_REQUEST_URL"] == "urn:registry:audit/export"
    assert entry["API_CALL_DETAILS"] == {
        "entries": 0,
        "from": "2025-07-01T00:00:00+02:00",
        "until": "2025-09-01T00:00:00+02:00",
        "operator": pwd.getpwuid(os.getuid()).pw_name,
    }


@pytest.mark.parametrize("period", ["2026", "2026-13", "2026-02..2026-01", "0000-01", "x"])
def test_a_period_is_months(audit, output, period):
    assert audit("export", "--period", period, "--output", output).code == 2
    assert not output.exists()


# public-key


def test_the_public_key_is_printed_for_auditors(audit, trail):
    done = audit("public-key")

    ours = load_private_key(Settings.load(trail.environment)).public_key()
    assert keys.parse_public_key(done.out.encode()) == ours
    assert keys.compute_fingerprint(ours) in done.err
    assert hashlib.sha256(done.out.encode()).hexdigest() in done.err
    assert "PRIVATE" not in done.said


def test_a_bundle_of_another_key_is_refused(audit, call, trail, output, tmp_path):
    call()
    trail.seal()
    audit("export", "--period", MONTH, "--output", output)
    inspection_keys = keys.make_keyring([Ed25519PrivateKey.generate().public_key()])

    with output.open("rb") as file:
        found = list(Inspection(inspection_keys).check_lines(file))

    assert {each.kind for each in found} == {"unknown key"}


# All of them


@pytest.mark.parametrize(
    "command",
    ["verify", "reconstruct", "evidence", "check-evidence", "export", "resume", "public-key"],
)
def test_each_explains_itself(run, command):
    assert command in run("audit", "--help").out
    assert run("audit", command, "--help").code == 0


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (("verify",), "DATABASE_WORKER_URL"),
        (("resume", "--reason", "x"), "DATABASE_OWNER_URL"),
        (("public-key",), "AUDIT_KEY_PATH"),
    ],
    ids=["verify", "resume", "public-key"],
)
def test_settings_that_are_not_there_are_asked_for(start, trail, command, setting):
    without = {name: value for name, value in trail.environment.items() if setting not in name}

    done = start("audit", *command, env=without)

    assert done.returncode == 2
    assert done.stderr.startswith(f"REGISTRY_{setting}: ")
