"""`registry settings`: list, check."""

import json

import pytest

from registry.settings import Settings
from registry.settings.fault import PREFIX
from tests.cli.operators.conftest import PASSWORD


def test_every_setting_is_listed_with_its_default(run):
    done = run("settings", "list")

    listed = {line.split()[0]: line for line in done.said.splitlines()[1:]}
    assert done.code == 0
    assert set(listed) == {PREFIX + name.upper() for name in Settings.model_fields}
    assert listed["REGISTRY_PUBLIC_URL"].split()[1] == "required"
    assert listed["REGISTRY_RATE_LIMIT"].split()[1] == "1200"
    assert listed["REGISTRY_S3_ENDPOINT"].split()[1] == "URL"  # of its meaning: it has no default
    assert listed["REGISTRY_DATABASE_POOLER"].split()[1] == "False"


def test_every_setting_says_what_it_means():
    meanings = [field.description for field in Settings.model_fields.values()]

    assert all(meaning and meaning.endswith(".") and "\n" not in meaning for meaning in meanings)


def test_settings_are_listed_for_programs(run):
    done = run("settings", "list", "--json")

    [limit] = [row for row in json.loads(done.out) if row["variable"] == "REGISTRY_RATE_LIMIT"]
    assert limit["default"] == "1200"
    assert limit["meaning"] == Settings.model_fields["rate_limit"].description


def test_listing_the_settings_shows_none_that_are_set(run, environment):
    done = run("settings", "list", env=environment | {"REGISTRY_S3_SECRET_KEY": PASSWORD})

    assert done.code == 0
    assert PASSWORD not in done.said


def test_settings_that_are_complete_are_said_to_be(run, environment):
    done = run("settings", "check", env=environment)

    assert (done.code, done.said) == (0, "The settings are complete.\n")


def test_a_key_that_cannot_be_used_is_told_with_its_path(run, environment, tmp_path):
    key = tmp_path / "key.pem"
    key.write_text(PASSWORD)

    done = run("settings", "check", env=environment | {"REGISTRY_OAUTH_KEY_PATH": str(key)})

    assert done.code == 1
    assert str(key) in done.said
    assert PASSWORD not in done.said


@pytest.mark.parametrize(
    "name",
    ["REGISTRY_OAUTH_CA_BUNDLE", "REGISTRY_S3_CA_BUNDLE", "REGISTRY_FEDERATION_CERTIFICATE"],
)
@pytest.mark.parametrize("content", [None, "", PASSWORD])
def test_a_file_that_no_call_could_use_is_told_with_its_path(
    run, environment, tmp_path, name, content
):
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_text(content)

    done = run("settings", "check", env=environment | {name: str(path)})

    assert done.code == 1
    assert name in done.said
    assert f"{path} cannot be used: " in done.said
    assert PASSWORD not in done.said


def test_everything_that_is_wrong_is_told_at_once_and_without_secrets(start, environment):
    wrong = {
        **environment,
        "REGISTRY_PUBLIC_URL": "nowhere",
        "REGISTRY_DATABASE_URL": f"mysql://u:{PASSWORD}@h/d",
        "REGISTRY_S3_SECRET_KEY_FILE": "/no/such/file",
        "REGISTRY_OAUTH_KEY_PASSWORD": PASSWORD,
        "REGISTRY_MISSPELT": PASSWORD,
        "REGISTRY_SCOPES": f"{{{PASSWORD}",
    }
    del wrong["REGISTRY_S3_SECRET_KEY"]

    done = start("settings", "check", env=wrong)

    assert (done.returncode, done.stderr) == (1, "")
    assert {line.split()[1] for line in done.stdout.splitlines() if "fault " in line[:6]} == {
        "REGISTRY_PUBLIC_URL",
        "REGISTRY_DATABASE_URL",
        "REGISTRY_S3_SECRET_KEY_FILE",
        "REGISTRY_OAUTH_KEY_PATH",  # which has no password
        "REGISTRY_MISSPELT",
        "REGISTRY_SCOPES",
    }
    assert PASSWORD not in done.stdout
