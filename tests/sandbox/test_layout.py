import stat

import pytest

from registry.sandbox import files, personas
from registry.sandbox.layout import Layout, NotRunning
from registry.settings import Settings

DOCUMENT = {
    "baseUrls": {"enterprise": {"v3": "http://localhost:8080/REST/ebox/enterprise/m/v3"}},
    "portalUrl": "http://localhost:2004/",
    "tokenUrl": "http://127.0.0.1:2001/REST/oauth/v5/token",
    "introspectUrl": "http://127.0.0.1:2001/REST/oauth/v5/introspect",
    "databaseUrl": "postgresql://owner@127.0.0.1:2002/registry",
    "applicationDatabaseUrl": "postgresql://application@127.0.0.1:2002/registry",
    "workerDatabaseUrl": "postgresql://worker@127.0.0.1:2002/registry",
    "s3": {
        "endpoint": "http://127.0.0.1:2003",
        "bucket": "registry",
        "sealBucket": "registry-seals",
        "accessKey": "a",
        "secretKey": "s",
    },
}


@pytest.fixture
def layout(tmp_path):
    return Layout.at(tmp_path)


def test_the_environment_is_what_settings_read(layout):
    settings = Settings.load(layout.environment(DOCUMENT))

    assert settings.environment == "test"
    assert settings.public_url == "http://localhost:8080"
    assert settings.database_url.get_secret_value() == DOCUMENT["applicationDatabaseUrl"]
    assert settings.database_owner_url.get_secret_value() == DOCUMENT["databaseUrl"]
    assert settings.s3_secret_key.get_secret_value() == "s"
    assert settings.oauth_client_id == personas.PERSONAS["registry"].client_id
    assert settings.oauth_key_path == layout.directory / "keys" / "registry.pem"
    assert settings.audit_bucket == "registry-seals"
    assert settings.audit_key_path == layout.directory / "keys" / "audit.pem"
    assert settings.token_issuer == "http://127.0.0.1:2001/REST/oauth/v5"
    partition_url = "http://127.0.0.1:2001/REST/ebox/enterprise/partition/v1"
    assert settings.partition_url == partition_url


def test_settings_that_the_registry_lacks_are_left_out(layout):
    wished = {
        "federation_url": "http://127.0.0.1:2001/REST/ebox/enterprise/federation/v1",
        "webhook_scope": personas.WEBHOOK,
        "events_url": "http://127.0.0.1:2001/EventServices/Ebox/v2/enterprise/document/events",
    }

    environment = layout.environment(DOCUMENT)

    for field, value in wished.items():
        given = environment.get(f"REGISTRY_{field.upper()}")
        assert given == (value if field in Settings.model_fields else None)


def test_settings_of_the_surroundings_stay_where_the_sandbox_has_none(layout):
    around = {"REGISTRY_LOG_LEVEL": "DEBUG", "REGISTRY_S3_BUCKET": "other", "NO_PROXY": "a.test"}

    merged = layout.merge_environment(DOCUMENT, around)

    assert merged["REGISTRY_LOG_LEVEL"] == "DEBUG"
    assert merged["REGISTRY_S3_BUCKET"] == "registry"
    assert merged["NO_PROXY"] == "a.test,localhost,127.0.0.1"
    assert merged["no_proxy"] == "localhost,127.0.0.1"


def test_the_document_is_there_only_when_all_is_ready(layout):
    with pytest.raises(NotRunning, match="No sandbox is running"):
        layout.read_document()
    assert layout.read_any_document() == {}

    layout.write(DOCUMENT, ready=False)
    with pytest.raises(NotRunning, match="still starting"):
        layout.read_document()
    assert layout.read_any_document() == DOCUMENT

    layout.write(DOCUMENT, ready=True)
    assert layout.read_document() == DOCUMENT
    assert not layout.draft.exists()
    assert stat.S_IMODE(layout.document.stat().st_mode) == 0o600

    layout.erase()
    assert layout.read_any_document() == {}


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "file"
    files.write_private(path, "old")

    with pytest.raises(UnicodeEncodeError):
        files.write_private(path, "\udcff")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
