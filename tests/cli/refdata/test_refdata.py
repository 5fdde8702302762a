"""`registry refdata import`, `diff` and `export` on a database."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from registry.api.state import get_state
from registry.app import create_app
from registry.domain.errors import SettingsError
from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.personas import REFERENCE, SENDER
from registry.sandbox.seeds import reference
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.store.consultation import messages
from tests.api.publication import Sender
from tests.cli.refdata.conftest import GOOD, a_png
from tests.conftest import Visitor
from tests.databases import migrated_database
from tests.factories import a_message, an_ebox
from tests.trail_entries import read_trail

SEEDS = reference.FILE
NOBODY = f"postgresql://owner:correct-horse@{LOOPBACK}:{free_port()}/registry"


@pytest.fixture
def registry(cluster):
    """A database of the test's own with the seeds: the only setting, and its owner's engine."""
    with migrated_database(cluster, "refdata") as urls:
        owner = create_engine(urls.owner)
        env = {"REGISTRY_ENVIRONMENT": "test", "REGISTRY_DATABASE_OWNER_URL": urls.owner}
        yield SimpleNamespace(env=env, owner=owner, urls=urls)
        owner.dispose()


@pytest.fixture
def typed(refdata, registry):
    """Type `registry refdata …` with the owner's URL and nothing else."""
    return lambda *command, **more: refdata(*command, env={**registry.env, **more})


@pytest.fixture
def seeds(tmp_path):
    """A file with the seeds and their logos; gives a function that changes its text."""
    folder = tmp_path / "seeds"
    for path in SEEDS.parent.rglob("*"):
        if path.suffix in (".yaml", ".png"):
            copy = folder / path.relative_to(SEEDS.parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())

    def change(*replacements):
        content = SEEDS.read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in content
            content = content.replace(old, new, 1)
        (folder / SEEDS.name).write_text(content, encoding="utf-8")
        return folder / SEEDS.name

    return change


SUMMONS = """\
  summons:
    name:
      nl: Dagvaarding
      fr: Citation à comparaître
      de: Vorladung
    validity: 6 months
"""
NO_SUMMONS = (("    sends:\n      just-on-web: [summons]\n", ""), (SUMMONS, ""))


def entries(owner):
    """The entries of the trail, without what says when."""
    with owner.connect() as connection:
        return [json.loads(row.entry) for row in read_trail(connection)]


def content(owner):
    """All rows of reference data, as texts."""
    tables = (
        "message_types, sender_applications, sender_organizations, sender_configurations,"
        " images, message_templates"
    )
    with owner.connect() as connection:
        return {
            table: sorted(
                connection.scalars(text(f"SELECT CAST(t.* AS text) FROM {table} AS t"))  # noqa: S608
            )
            for table in tables.split(", ")
        }


def test_a_file_takes_the_place_of_what_was_there(typed, registry, file):
    done = typed("import", file, "--as", "An Peeters")

    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(f"\nThe registry has the reference data of {file} now.\n")
    with registry.owner.connect() as connection:
        rows = connection.execute(text("SELECT * FROM sender_configurations")).all()
        row = connection.execute(text("SELECT * FROM message_types")).one()
        logo = connection.execute(text("SELECT * FROM images")).one()
    assert rows == [("0308357159", "app", "letter")]
    assert (row.message_type_id, row.validity_number, row.validity_unit) == ("letter", 90, "day")
    assert row.description == {"nl": "Lang", "fr": "Lang", "de": "Lang"}
    assert row.folded_de == "schreiben\nlang"  # what search compares
    assert (logo.content, logo.media_type, logo.language) == (a_png(), "image/png", "nl")


def test_the_trail_says_what_was_changed_and_by_whom(typed, registry, seeds):
    done = typed("import", seeds(("2 years", "3 years"), *NO_SUMMONS), "--as", "An Peeters")

    (entry,) = entries(registry.owner)
    assert done.code == 0
    assert entry["API_CALL_REQUEST_URL"] == "urn:registry:refdata/import"
    assert entry["API_CALL_DETAILS"] == {
        "changed": {"count": 1, "entries": ["messageType tax-assessment"]},
        "removed": {
            "count": 2,
            "entries": ["messageType summons", "sending 0308357753 just-on-web summons"],
        },
        "operator": "An Peeters",
    }


def test_a_second_import_changes_nothing_and_says_so(typed, registry, file):
    typed("import", file)
    before, recorded = content(registry.owner), entries(registry.owner)

    done = typed("import", file)

    assert (done.code, done.err) == (0, "")
    assert done.out == f"The registry has the reference data of {file} already.\n"
    assert content(registry.owner) == before
    assert entries(registry.owner) == recorded
    assert len(recorded) == 1


def test_the_seeds_of_the_sandbox_are_this_file(typed):
    done = typed("diff", SEEDS)

    assert (done.code, done.out) == (
        0,
        f"The registry has the reference data of {SEEDS} already.\n",
    )


@pytest.mark.parametrize("command", [("diff",), ("import", "--dry-run")])
def test_what_would_change_is_shown_and_nothing_is_changed(typed, registry, seeds, command):
    before = content(registry.owner)
    path = seeds(
        ("validity: 2 years", "validity: 3 years"),
        ("nl: Informatiebrief", "nl: Brief"),
        ("applications:\n", "applications:\n  new-app:\n    name: Nieuw\n"),
        *NO_SUMMONS,
    )

    done = typed(*command, path)

    assert (done.code, done.err) == (0, "")
    rows = [line.strip().split(maxsplit=4) for line in done.out.splitlines()]
    assert ["change", "kind", "id", "member", "old → new"] in rows
    assert "added    application  new-app" in done.out
    assert ["changed", "messageType", "tax-assessment", "validity", "2 years → 3 years"] in rows
    assert "name.nl   Informatiebrief → Brief" in done.out
    assert "removed  messageType  summons" in done.out
    assert "removed  sending      0308357753 just-on-web summons" in done.out
    assert done.out.endswith("\nNothing was changed.\n")
    assert content(registry.owner) == before
    assert entries(registry.owner) == []


def test_programs_are_told_in_json_what_changes(typed, seeds):
    done = typed("diff", "--json", seeds(("validity: 2 years", "validity: 3 years")))

    assert json.loads(done.out) == {
        "isDone": False,
        "isRefused": False,
        "changes": [
            {
                "change": "changed",
                "kind": "messageType",
                "id": "tax-assessment",
                "members": [{"member": "validity", "old": "2 years", "new": "3 years"}],
            }
        ],
        "uses": [],
    }


def test_a_logo_that_is_another_one_is_exchanged(typed, registry, seeds):
    path = seeds()
    picture = path.parent / "logos" / "applications" / "my-minfin" / "logo.png"
    picture.write_bytes(a_png(20))

    done = typed("import", path)

    assert "changed  application  my-minfin  logos.logo  image/png, " in done.out
    with registry.owner.connect() as connection:
        query = "SELECT content FROM images WHERE owner_kind = 'application'"
        assert connection.scalars(text(query)).all() == [a_png(20)]


# what messages refer to


@pytest.fixture
def put(registry):
    """Put a message into an e-Box of that database."""

    def add(**changes):
        ebox = an_ebox()
        with registry.owner.begin() as connection:
            messages.add(connection, ebox, message := a_message(ebox, **changes), [])
        return message

    return add


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"message_type_id": "summons"}, "messageType summons"),
        ({"sender": reference.JUSTICE}, f"organization {reference.JUSTICE}"),
        ({"sender_application_id": "just-on-web"}, "application just-on-web"),
        ({"message_template_id": "tax-reminder"}, "template tax-reminder"),
    ],
)
def test_nothing_is_removed_that_messages_refer_to(typed, registry, file, put, changes, name):
    plain = {"message_type_id": "summons", "sender": "0999999922", "sender_application_id": None}
    message = put(**{**plain, **changes})
    put(**{**plain, **changes})
    before = content(registry.owner)

    done = typed("import", file)

    assert done.code == 1
    assert "\nNothing was changed: messages refer to what the file does not have.\n" in done.err
    assert f"\n{name}: 2 messages, the last of which expires at " in done.err
    assert str(message["message_id"]) in done.err
    assert content(registry.owner) == before
    assert entries(registry.owner) == []


def test_a_rehearsal_says_that_it_would_be_refused(typed, seeds, put):
    message = put(message_type_id="summons")

    done = typed("diff", "--json", seeds(*NO_SUMMONS))

    told = json.loads(done.out)
    assert done.code == 1
    assert (told["isDone"], told["isRefused"]) == (False, True)
    assert told["uses"] == [
        {
            "kind": "messageType",
            "id": "summons",
            "messages": 1,
            "lastExpiry": message["expires_at"].isoformat(),
            "messageIds": [str(message["message_id"])],
        }
    ]


def test_who_may_send_what_can_be_taken_back_though_messages_were_sent(typed, seeds, put):
    put(message_type_id="summons", sender=reference.JUSTICE, sender_application_id="just-on-web")

    done = typed("import", seeds(NO_SUMMONS[0]))

    assert done.code == 0


@contextmanager
def filing(registry, **changes):
    """A publication that is not committed yet; it is when the block ends."""
    ebox = an_ebox()
    with registry.owner.begin() as connection:
        messages.add(connection, ebox, a_message(ebox, **changes), [])
        yield


def test_a_publication_that_is_filed_meanwhile_keeps_what_it_names(typed, registry, seeds):
    before = content(registry.owner)
    with ThreadPoolExecutor() as pool:
        with filing(registry, message_type_id="summons"):
            under_way = pool.submit(typed, "import", seeds(("2 years", "3 years"), *NO_SUMMONS))
            wait_until_blocked(registry, under_way)
        done = under_way.result()

    assert done.code == 1
    assert done.err.startswith("Error: Nothing was changed: update or delete on table ")
    assert len(done.err.splitlines()) == 1
    assert content(registry.owner) == before
    assert entries(registry.owner) == []


def wait_until_blocked(registry, under_way):
    """Wait until an import waits for a lock in that database."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with registry.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(query).scalar_one():
            assert not under_way.done(), under_way.result()


def test_one_import_comes_after_the_other(typed, registry, file, seeds):
    with ThreadPoolExecutor() as pool:
        with registry.owner.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('reference_data'))"))
            under_way = pool.submit(typed, "import", file)
            wait_until_blocked(registry, under_way)
            before = content(registry.owner)
        done = under_way.result()

    assert "dmfa" in str(before)
    assert done.code == 0


# export


def test_what_is_exported_is_imported_without_a_change(typed, tmp_path):
    path = tmp_path / "out" / "reference.yaml"
    path.parent.mkdir()

    exported = typed("export", path)

    assert (exported.code, exported.out) == (0, f"{path} is written.\n")
    assert typed("import", path).out == f"The registry has the reference data of {path} already.\n"


def test_an_export_after_an_import_gives_the_same_bytes(typed, file, tmp_path):
    typed("import", file)
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
        typed("export", folder / "reference.yaml")
        typed("import", folder / "reference.yaml")

    first, second = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in folders
    )
    assert first == second
    assert set(map(str, first)) == {
        "reference.yaml",
        "logos/organizations/0308357159/logo.png",
    }


def test_an_export_is_what_the_sandbox_has(typed, tmp_path):
    path = tmp_path / "reference.yaml"

    typed("export", path)

    assert path.read_bytes() == SEEDS.read_bytes()


def test_no_file_is_replaced_by_an_export_unless_it_is_meant(typed, file):
    refused = typed("export", file)
    before = file.read_text(encoding="utf-8")
    forced = typed("export", file, "--force")

    assert refused.code == 2
    assert f"{file} is there already; --force replaces it." in refused.err
    assert before == GOOD
    assert forced.code == 0
    assert file.read_bytes() == SEEDS.read_bytes()


def test_an_export_that_cannot_be_written_is_told(typed, tmp_path):
    done = typed("export", tmp_path / "nowhere" / "reference.yaml")

    assert done.code == 2
    assert f"There is no folder {tmp_path / 'nowhere'}." in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_export_where_nobody_may_write_is_told(typed, tmp_path):
    (tmp_path / "logos").write_text("no folder")

    done = typed("export", tmp_path / "reference.yaml")

    assert done.code == 2
    assert " cannot be written: Not a directory." in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["logos"]


def test_ids_that_no_file_may_have_lead_nowhere_else(typed, registry, tmp_path):
    name = '{"nl": "x", "fr": "x", "de": "x"}'
    with registry.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO sender_applications (application_id, name, folded_nl, folded_fr,"
                " folded_de) VALUES ('../../a', CAST(:name AS jsonb), '', '', '')"
            ),
            {"name": name},
        )
        connection.execute(
            text(
                "INSERT INTO images (owner_kind, owner_id, image_id, media_type, content)"
                " VALUES ('application', '../../a', '..', 'image/png', 'x')"
            )
        )
    path = tmp_path / "out" / "reference.yaml"
    path.parent.mkdir()

    typed("export", path)

    assert {each.name for each in tmp_path.iterdir()} == {"out"}


# the service


@pytest.fixture
def service(registry, settings):
    """An application on that database, which goes on while reference data are imported."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    changes = {"database_url": SecretStr(registry.urls.application)}
    app = create_app(settings.model_copy(update=changes))
    yield app
    get_state(app).registry.dispose()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_the_service_has_the_new_data_at_once(typed, service, seeds, party):
    ebox, path = an_ebox(), "/refData/messageTypes/summons"
    reader = Visitor(service.test_client(), party(REFERENCE, enterprise=ebox.number), ebox)
    tag = reader.get(path).headers["ETag"]
    assert reader.get(path, headers={"If-None-Match": tag}).status_code == 304

    typed("import", seeds(("nl: Dagvaarding", "nl: Oproep")))
    after = reader.get(path, headers={"If-None-Match": tag})

    assert after.status_code == 200
    assert after.json["messageTypeName"]["nl"] == "Oproep"


def test_what_may_be_sent_is_accepted_at_once(typed, service, seeds, party):
    token = party(SENDER, enterprise=reference.JUSTICE)
    ebox = Ebox(EboxKind.ENTERPRISE, reference.JUSTICE)
    sender = Sender(service.test_client(), token, ebox)
    new = {"messageTypeId": "information-letter", "senderApplicationId": "just-on-web"}
    before = sender.publish(an_ebox(), **new)

    typed("import", seeds(("[summons]", "[summons, information-letter]")))
    after = sender.publish(an_ebox(), **new)

    assert (before.status_code, after.status_code) == (400, 201)


# settings and the database


def test_nothing_but_the_owners_url_is_asked_for(typed):
    with pytest.raises(SettingsError) as error:
        typed("diff", SEEDS, REGISTRY_DATABASE_OWNER_URL=None)

    assert error.value.faults == ["REGISTRY_DATABASE_OWNER_URL: is needed here and not set"]


@pytest.mark.parametrize("command", ["import", "diff"])
@pytest.mark.parametrize("role", ["application", "worker"])
def test_no_other_role_will_do(typed, registry, file, command, role):
    before = content(registry.owner)

    done = typed(command, file, REGISTRY_DATABASE_OWNER_URL=getattr(registry.urls, role))

    assert done.code == 1
    assert done.err.startswith("Error: Nothing was changed: ")
    assert content(registry.owner) == before


def test_a_database_that_is_not_there_is_told_in_one_line(refdata, file):
    done = refdata("diff", file, env={"REGISTRY_DATABASE_OWNER_URL": NOBODY})

    assert done.code == 1
    assert done.err.startswith("Error: Nothing was changed: connection ")
    assert len(done.err.splitlines()) == 1
    assert "correct-horse" not in done.err


def test_a_faulty_file_is_told_before_the_database_is_asked(refdata, file):
    file.write_text(GOOD.replace("90 days", "long"), encoding="utf-8")

    done = refdata("import", file, env={"REGISTRY_DATABASE_OWNER_URL": NOBODY})

    assert done.code == 2
    assert done.err.startswith(f"{file}:16: messageTypes.letter.validity: ")
