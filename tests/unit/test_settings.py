"""Settings: read once, all faults at once, secrets kept."""

from pathlib import Path
from typing import get_args

import pytest

from registry.domain.access import Operation
from registry.domain.errors import SettingsError
from registry.domain.federation_words import EventKind, Member
from registry.domain.identifiers import EboxKind
from registry.domain.scopes import OFFICIAL_SCOPES
from registry.settings import Settings
from registry.settings.fault import PREFIX

SECRET = "correct-horse-battery"
REQUIRED = {
    "REGISTRY_PUBLIC_URL": "https://registry.example",
    "REGISTRY_DATABASE_URL": f"postgresql://application:{SECRET}@db.example/registry",
    "REGISTRY_S3_BUCKET": "documents",
    "REGISTRY_OAUTH_TOKEN_URL": "https://oauth.example/token",
    "REGISTRY_OAUTH_INTROSPECT_URL": "https://oauth.example/introspect",
    "REGISTRY_OAUTH_CLIENT_ID": "registry",
    "REGISTRY_OAUTH_KEY_PATH": "/run/secrets/key.pem",
}
SECRETS = {
    "REGISTRY_DATABASE_OWNER_URL": f"postgresql://owner:{SECRET}@db.example/registry",
    "REGISTRY_S3_SECRET_KEY": SECRET,
    "REGISTRY_OAUTH_KEY_PASSWORD": SECRET,
}
CONSULT = "scope:document:management:consult:ws-eboxrestentreprise"


def is_path(field):
    annotation = Settings.model_fields[field].annotation
    return Path in (annotation, *get_args(annotation))


def load(**changes):
    return Settings.load({**REQUIRED, **changes})


def faults(environ):
    with pytest.raises(SettingsError) as refused:
        Settings.load(environ)
    return refused.value.faults


def test_the_required_settings_are_enough():
    settings = Settings.load(REQUIRED)

    assert settings.public_url == "https://registry.example"
    assert settings.database_url.get_secret_value() == REQUIRED["REGISTRY_DATABASE_URL"]


def test_everything_that_is_missing_is_named_at_once():
    assert {fault.partition(":")[0] for fault in faults({})} == set(REQUIRED)


def test_faults_of_every_kind_are_told_together(tmp_path):
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    told = faults(
        {
            **REQUIRED,
            "REGISTRY_PUBLIC_URL": "registry.example",
            "REGISTRY_ENTERPRISE_BASE_PATH": "REST/",
            "REGISTRY_DATABASE_POOL_SIZE": "many",
            "REGISTRY_RATE_LIMIT": "-1",
            "REGISTRY_OAUTH_ALGORITHM": "none",
            "REGISTRY_DATABSE_URL": "a slip of the pen",
            "REGISTRY_S3_SECRET_KEY_FILE": str(tmp_path / "absent"),
            "REGISTRY_OAUTH_KEY_PASSWORD_FILE": str(binary),
            "REGISTRY_SCOPES": "{not json",
            "REGISTRY_PARTITION_LIST_PATH": "/ebox/{number}",
        }
    )

    assert {fault.partition(":")[0] for fault in told} == {
        "REGISTRY_PUBLIC_URL",
        "REGISTRY_ENTERPRISE_BASE_PATH",
        "REGISTRY_DATABASE_POOL_SIZE",
        "REGISTRY_RATE_LIMIT",
        "REGISTRY_OAUTH_ALGORITHM",
        "REGISTRY_DATABSE_URL",
        "REGISTRY_S3_SECRET_KEY_FILE",
        "REGISTRY_OAUTH_KEY_PASSWORD_FILE",
        "REGISTRY_SCOPES",
        "REGISTRY_PARTITION_LIST_PATH",
    }


def test_an_unknown_variable_is_named():
    told = faults({**REQUIRED, "REGISTRY_S3_BUKET": "documents"})

    assert told == ["REGISTRY_S3_BUKET: there is no such setting"]


def test_a_variable_that_has_another_name_now_says_which():
    (told,) = faults({**REQUIRED, "REGISTRY_DATABASE_PREPARE": "false"})

    assert told.startswith("REGISTRY_DATABASE_PREPARE: there is no such setting any more: ")
    assert told.endswith("REGISTRY_DATABASE_POOLER=true is what =false was")


def test_variables_of_others_and_of_our_own_tests_are_nobody_elses_business():
    settings = load(PATH="/bin", REGISTRYX="1", REGISTRY_TEST_DATABASE_URL="postgresql://x")

    assert settings == Settings.load(REQUIRED)


def test_an_empty_variable_is_as_good_as_none():
    assert load(REGISTRY_S3_ENDPOINT="").s3_endpoint is None
    assert len(faults({**REQUIRED, "REGISTRY_S3_BUCKET": ""})) == 1


def test_a_secret_may_come_from_a_file_less_the_line_break_at_its_end(tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")

    settings = load(REGISTRY_S3_SECRET_KEY_FILE=str(file))

    assert settings.s3_secret_key.get_secret_value() == SECRET


def test_a_required_setting_may_come_from_a_file(tmp_path):
    file = tmp_path / "url"
    file.write_text(REQUIRED["REGISTRY_DATABASE_URL"])
    others = {name: value for name, value in REQUIRED.items() if name != "REGISTRY_DATABASE_URL"}

    settings = Settings.load({**others, "REGISTRY_DATABASE_URL_FILE": str(file)})

    assert settings == Settings.load(REQUIRED)


@pytest.mark.parametrize("order", [1, -1])
def test_a_setting_given_itself_and_by_file_is_a_fault_whichever_comes_first(tmp_path, order):
    file = tmp_path / "secret"
    file.write_text("another")
    twice = [("REGISTRY_S3_SECRET_KEY", SECRET), ("REGISTRY_S3_SECRET_KEY_FILE", str(file))]

    assert faults({**REQUIRED, **dict(twice[::order])}) == [
        "REGISTRY_S3_SECRET_KEY: is set itself and by file"
    ]


def test_a_file_that_is_not_there_is_named_with_its_variable(tmp_path):
    told = faults({**REQUIRED, "REGISTRY_S3_SECRET_KEY_FILE": str(tmp_path / "absent")})

    assert told == ["REGISTRY_S3_SECRET_KEY_FILE: No such file or directory"]


def test_secrets_are_in_no_text_of_the_settings():
    settings = load(**SECRETS)

    assert settings.s3_secret_key.get_secret_value() == SECRET
    assert (
        SECRET
        not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    )


@pytest.mark.parametrize("name", ["REGISTRY_DATABASE_URL", "REGISTRY_DATABASE_OWNER_URL"])
@pytest.mark.parametrize(
    "url",
    [
        SECRET,
        f"mysql://user:{SECRET}@db.example/registry",
        f"postgresql+psycopg2://user:{SECRET}@db.example/registry",
        f"postgresql://user:pass@db.example:{SECRET}/registry",
        f"mysql://user:{SECRET}@one.example,two.example/registry",
    ],
)
def test_an_unusable_database_url_is_refused_without_being_repeated(name, url):
    (told,) = faults({**REQUIRED, name: url})

    assert told.startswith(f"{name}: must be a URL like postgresql://")
    assert SECRET not in told


def test_an_error_repeats_no_value():
    told = faults(dict.fromkeys([*REQUIRED, *SECRETS, "REGISTRY_SCOPES"], SECRET))

    assert told
    assert SECRET not in "\n".join(told)


def test_settings_are_frozen():
    settings = Settings.load(REQUIRED)

    with pytest.raises(ValueError, match="frozen"):
        settings.s3_bucket = "another"


def test_browser_origins_are_written_with_commas_between():
    settings = load(REGISTRY_CORS_ORIGINS="https://a.example, https://b.example/,")

    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_a_star_is_no_origin():
    (told,) = faults({**REQUIRED, "REGISTRY_CORS_ORIGINS": "*"})

    assert told.startswith("REGISTRY_CORS_ORIGINS:")


def test_scopes_may_be_replaced_by_a_table_in_json():
    settings = load(REGISTRY_SCOPES='{"webhook": ["events.notify"], "read": ["messages.read"]}')

    assert settings.scopes == {
        "webhook": {Operation.NOTIFY},
        "read": {Operation.READ_MESSAGES},
    }


def test_words_of_the_federation_are_tables_in_json():
    settings = load(
        REGISTRY_PARTITION_MEMBERS='{"partition": ["doel", "partition"]}',
        REGISTRY_WEBHOOK_TYPES='{"partitionDeleted": ["be.example.gone"]}',
    )

    assert settings.partition_members == {Member.PARTITION: ("doel", "partition")}
    assert settings.webhook_types == {EventKind.PARTITION_DELETED: ("be.example.gone",)}


def test_a_scope_table_with_an_unknown_operation_is_refused():
    (told,) = faults({**REQUIRED, "REGISTRY_SCOPES": '{"read": ["messages.raed"]}'})

    assert told.startswith("REGISTRY_SCOPES:")


@pytest.mark.parametrize(
    "scope",
    [
        f"{CONSULT}:documentconsumer",
        f"{CONSULT}:messagesfull",
        f"{CONSULT}:referencedata",
        f"{CONSULT}:publicationsender",
        f"{CONSULT}:eboxrepresentativepublication",
        "scope:document:management:ws-eboxrestentreprise:eboxrepresentativepublication",
    ],
)
def test_the_official_scopes_are_known_without_being_set(scope):
    assert Settings.load(REQUIRED).scope_tables[EboxKind.ENTERPRISE].opens[scope]


def test_no_official_scope_lets_anybody_notify_us():
    opened = frozenset().union(*OFFICIAL_SCOPES.values())

    assert Operation.NOTIFY not in opened


def test_only_the_document_consumer_is_lifted_above_partitions():
    whole = [scope for scope, opened in OFFICIAL_SCOPES.items() if Operation.WHOLE_EBOX in opened]

    assert whole == [f"{CONSULT}:documentconsumer"]


def test_a_sender_may_not_read():
    assert OFFICIAL_SCOPES[f"{CONSULT}:publicationsender"] == {Operation.PUBLISH}


def test_every_setting_has_a_variable_that_no_file_variable_hides():
    names = set(Settings.model_fields)

    assert not {name for name in names if name.endswith("_file")}
    assert {PREFIX + name.upper() for name in names} >= set(REQUIRED) | set(SECRETS)


@pytest.mark.parametrize(
    "url",
    ["https://", "https://:8080", "https://host:port", "https://host:99999", "https://a host/path"],
)
def test_a_url_that_nobody_could_call_is_refused(url):
    (told,) = faults({**REQUIRED, "REGISTRY_OAUTH_TOKEN_URL": url})

    assert told.startswith("REGISTRY_OAUTH_TOKEN_URL: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGISTRY_CLAMD_ADDRESS", "clamd"),
        ("REGISTRY_CLAMD_ADDRESS", "clamd:many"),
        ("REGISTRY_S3_BUCKET", "no/bucket"),
        ("REGISTRY_AUDIT_BUCKET", "https://seals"),
        ("REGISTRY_S3_ACCESS_KEY", "alone"),
        ("REGISTRY_S3_ENCRYPTION_KEY", "of nothing"),
        ("REGISTRY_CITIZEN_BASE_PATH", "/REST/ebox/enterprise/messageRegistry"),
        ("REGISTRY_CITIZEN_BASE_PATH", "/REST/ebox/enterprise/messageRegistry/citizen"),
        ("REGISTRY_CITIZEN_BASE_PATH", "/REST/ebox"),
    ],
)
def test_what_only_a_request_would_notice_is_a_fault_at_the_start(name, value):
    (told,) = faults({**REQUIRED, name: value})

    assert told.startswith(f"{name}: ")


def test_a_relative_file_lies_where_systemd_puts_credentials(tmp_path):
    (tmp_path / "s3-secret-key").write_text(SECRET)

    settings = load(
        CREDENTIALS_DIRECTORY=str(tmp_path),
        REGISTRY_S3_SECRET_KEY_FILE="s3-secret-key",
        REGISTRY_OAUTH_KEY_PATH="oauth.p12",
        REGISTRY_OAUTH_CA_BUNDLE="/etc/ssl/ca.pem",
    )

    assert settings.s3_secret_key.get_secret_value() == SECRET
    assert settings.oauth_key_path == tmp_path / "oauth.p12"
    assert settings.oauth_ca_bundle == Path("/etc/ssl/ca.pem")


@pytest.mark.parametrize("field", [name for name in Settings.model_fields if is_path(name)])
def test_every_setting_that_names_a_file_may_be_relative_to_the_credentials(tmp_path, field):
    settings = load(CREDENTIALS_DIRECTORY=str(tmp_path), **{f"{PREFIX}{field.upper()}": "it.pem"})

    assert getattr(settings, field) == tmp_path / "it.pem"
