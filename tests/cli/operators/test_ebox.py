"""`registry ebox`: a whole e-Box exported, checked, put into another registry, erased."""

import json
import zipfile
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from registry.domain.document_keys import make_key
from registry.domain.identifiers import Ebox, EboxKind
from registry.store.consultation import messages
from registry.store.publication import sent_messages
from registry.store.publication.sent_messages import SentMessage
from tests.cli.operators.test_fsck import Place, lay_out
from tests.factories import PDF, a_file, a_message, an_ebox

pytestmark = pytest.mark.long

ROWS = "SELECT to_jsonb({0}) FROM {0} WHERE ebox = :ebox ORDER BY 1"
TABLES = ("messages", "attachments", "search_texts")
OTHER = PDF.replace(b"a document", b"A document")


@pytest.fixture
def here(cluster, settings, environment, objects):
    yield from lay_out(cluster, settings, environment, objects)


@pytest.fixture
def there(cluster, settings, environment, objects):
    yield from lay_out(cluster, settings, environment, objects)


@pytest.fixture(params=list(EboxKind))
def ebox(here, request):
    """An e-Box with a letter that was read, one that is hidden, and one without documents."""
    owner = an_ebox(request.param)
    read, hidden = a_message(owner, is_registered=True), a_message(owner, is_visible=False)
    for message, contents in ((read, [PDF, OTHER]), (hidden, [PDF]), (a_message(owner), [])):
        fill(here, owner, message, contents)
    with here.owner.begin() as connection:
        statement = "UPDATE messages SET read_at = now() WHERE message_id = :id"
        connection.execute(text(statement), {"id": read["message_id"]})
        sender = Ebox(EboxKind.ENTERPRISE, read["sender"])
        sent = SentMessage(message_id=read["message_id"], recipient=owner, key="a key")
        sent_messages.add(connection, sender, sent)
    return owner


def fill(place: Place, owner, message, contents):
    files = []
    for number, content in enumerate(contents, 1):
        key = make_key(message["message_id"], number)
        place.blobs.put(key, [content])
        names = {"attachment_id": str(number), "file_name": "secret é.pdf", "is_main": number == 1}
        files.append(a_file(content, blob_key=key, **names))
    with place.owner.begin() as connection:
        messages.add(connection, owner, message, files)


def rows(place, owner):
    with place.owner.connect() as connection:
        return {
            table: connection.scalars(text(ROWS.format(table)), {"ebox": owner.key}).all()
            for table in TABLES
        }


def documents(place):
    return {key: place.read(key) for key in place.list_keys("documents/")}


@pytest.fixture
def typed(run):
    """Type `registry ebox …` at a place."""
    return lambda place, *words: run("ebox", *map(str, words), env=place.environment)


@pytest.fixture
def pem(run, here, tmp_path):
    path = tmp_path / "public.pem"
    path.write_text(run("audit", "public-key", env=here.environment).out)
    return path


@pytest.fixture
def file(typed, here, ebox, tmp_path):
    """The file of the e-Box."""
    path = tmp_path / "ebox.zip"
    assert typed(here, "export", "--ebox", ebox.key, "--output", path).code == 0
    return path


def test_an_ebox_comes_into_another_registry_byte_by_byte(typed, run, here, there, ebox, file):
    done = typed(there, "import", file, "--from-anybody", "--json")

    assert (done.code, json.loads(done.out)) == (0, {"letters": 3, "present": 0})
    assert rows(there, ebox) == rows(here, ebox)
    assert documents(there) == documents(here)
    assert len(documents(there)) == 3
    assert run("fsck", "--deep", env=there.environment).code == 0
    with there.owner.connect() as connection:
        sent = connection.execute(text("SELECT recipient, idempotency_key FROM sent_messages"))
        assert sent.all() == [(ebox.key, None)]


def test_an_import_that_is_typed_again_changes_nothing(typed, there, ebox, file, pem):
    typed(there, "import", file, "--key", pem)
    before = rows(there, ebox)

    done = typed(there, "import", file, "--key", pem, "--json")

    assert json.loads(done.out) == {"letters": 0, "present": 3}
    assert rows(there, ebox) == before


def test_export_erase_import_leaves_what_was(typed, run, here, ebox, file, pem):
    before, before_documents = rows(here, ebox), documents(here)

    erased = typed(here, "erase", "--ebox", ebox.key, "--why", "Request 7", "--yes", "--json")

    assert (erased.code, json.loads(erased.out)["deleted"]) == (0, 3)
    assert not any(rows(here, ebox).values())
    assert not documents(here)
    with here.owner.connect() as connection:
        assert connection.scalars(text("SELECT why FROM deletions")).all() == ["Request 7"] * 3
    assert typed(here, "import", file, "--key", pem).code == 0
    assert (rows(here, ebox), documents(here)) == (before, before_documents)
    assert run("fsck", "--deep", env=here.environment).code == 0


def test_what_is_under_a_hold_is_not_erased(typed, run, here, ebox):
    message = rows(here, ebox)["messages"][0]["message_id"]
    hold = ("hold", "set", "--ebox", ebox.key, "--message", message, "--why", "Case 1")
    run(*hold, env=here.environment)

    done = typed(here, "erase", "--ebox", ebox.key, "--why", "Request 7", "--yes")

    assert done.code == 1
    assert "Letters that are left: 1 under a hold" in done.err
    assert [row["message_id"] for row in rows(here, ebox)["messages"]] == [message]


def test_nothing_is_erased_unless_one_is_sure(typed, here, ebox):
    before = rows(here, ebox)

    done = typed(here, "erase", "--ebox", ebox.key, "--why", "Request 7")

    assert done.code == 0
    assert done.out.endswith("Nothing is deleted without --yes.\n")
    assert rows(here, ebox) == before


def test_another_ebox_is_left_alone(typed, here, ebox, file, tmp_path):
    other, _ = an_ebox(), here.put(an_ebox())
    message, _ = here.put(other)

    typed(here, "erase", "--ebox", ebox.key, "--why", "Request 7", "--yes")
    done = typed(here, "export", "--ebox", other.key, "--output", tmp_path / "o.zip", "--json")

    assert json.loads(done.out)["letters"] == 1
    assert [row["message_id"] for row in rows(here, other)["messages"]] == [str(message)]


def test_the_file_says_nothing_of_where_documents_are_kept(file, here):
    with zipfile.ZipFile(file) as archive:
        letters = archive.read("letters.jsonl").decode()

    assert "blob_key" not in letters
    assert "a key" not in letters
    assert len(letters.splitlines()) == 3


def test_the_file_is_for_its_owner_alone(file):
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "change",
    [
        (b"a document", b"A document"),
        (b'"is_registered": true', b'"is_registered":  true'),
        (b"Aanslagbiljet", b"Aanslagbiljot"),
        (b'"letters":3', b'"letters":4'),
        (b'"signature":"', b'"signature":"A'),
    ],
    ids=["document", "registered", "subject", "count", "signature"],
)
def test_a_changed_file_is_not_imported(typed, there, ebox, file, pem, change):
    assert change[0] in file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part.replace(*change))

    checked = typed(there, "check", file, "--key", pem)
    done = typed(there, "import", file, "--key", pem)

    assert (checked.code, done.code) == (1, 1)
    assert checked.err.startswith("Error: ")
    assert len(done.err.splitlines()) == 1
    assert not any(rows(there, ebox).values())
    assert not documents(there)


def test_a_file_of_somebody_who_is_not_trusted_is_refused(typed, there, file, tmp_path):
    other = tmp_path / "other.pem"
    key = Ed25519PrivateKey.generate().public_key()
    other.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    done = typed(there, "import", file, "--key", other)

    assert done.code == 1
    assert "is not known" in done.err


def test_whom_to_trust_has_to_be_said(typed, there, file):
    assert typed(there, "import", file).code == 2
    assert typed(there, "check", file, "--from-anybody").code == 0


def test_types_that_are_not_known_are_named(typed, there, ebox, file, pem):
    with there.owner.begin() as connection:
        connection.execute(text("DELETE FROM message_templates"))
        connection.execute(text("DELETE FROM sender_configurations"))
        connection.execute(
            text("DELETE FROM message_types WHERE message_type_id = 'tax-assessment'")
        )

    done = typed(there, "import", file, "--key", pem)

    assert done.code == 1
    assert "no message type tax-assessment" in done.err
    assert not documents(there)


def test_a_document_that_is_missing_leaves_no_file(typed, here, ebox, tmp_path):
    here.blobs.erase(sorted(documents(here))[0])

    done = typed(here, "export", "--ebox", ebox.key, "--output", tmp_path / "x.zip")

    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert not [path for path in tmp_path.iterdir() if "x.zip" in path.name]


def test_no_file_is_written_over(typed, here, ebox, tmp_path):
    (tmp_path / "x.zip").write_text("mine")

    done = typed(here, "export", "--ebox", ebox.key, "--output", tmp_path / "x.zip")

    assert (done.code, (tmp_path / "x.zip").read_text()) == (1, "mine")


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"no file of an e-Box"])
def test_what_is_no_file_of_an_ebox_is_told(typed, there, tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)

    done = typed(there, "import", tmp_path / "x.zip", "--from-anybody")

    assert done.code == 1
    assert done.err == f"Error: {tmp_path / 'x.zip'} is not the file of an e-Box.\n"


def test_each_is_an_entry_of_the_trail(typed, here, ebox, file):
    typed(here, "erase", "--ebox", ebox.key, "--why", "Request 7", "--yes", "--as", "An operator")

    entries = here.entries()

    operations = [entry["API_CALL_REQUEST_URL"].removeprefix("urn:registry:") for entry in entries]
    assert operations == ["ebox/export", *["ebox/erase"] * 3]
    assert entries[0]["API_CALL_DETAILS"]["letters"] == 3
    assert ebox.number not in json.dumps(entries)
    assert str(uuid4()) not in operations
