"""`registry settings check`: each fault that is planted is told, with its cause and its mend."""

import json
from threading import Thread
from urllib.parse import urlsplit

import pytest
from werkzeug.serving import make_server

from registry.api.state import get_state
from registry.app import create_app
from registry.domain.diagnoses import Cause
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.cli.operators.conftest import PASSWORD
from tests.cli.operators.plants import PLANTS, Parts

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def served(settings, environment, federation):
    """Settings under which all is well, the public address with a registry among them.

    With long times: the machine may be busy with other tests.
    """
    port = free_port()
    changes = {
        "public_url": f"http://{LOOPBACK}:{port}",
        "federation_url": federation.federation_url,
    }
    app = create_app(settings.model_copy(update=changes))
    server = make_server(LOOPBACK, port, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield environment | {
        "REGISTRY_PUBLIC_URL": changes["public_url"],
        "REGISTRY_FEDERATION_URL": changes["federation_url"],
        "REGISTRY_OAUTH_TIMEOUT": "60",
        "REGISTRY_PARTITION_TIMEOUT": "60",
        "REGISTRY_FEDERATION_TIMEOUT": "60",
        "REGISTRY_EVENTS_TIMEOUT": "7",
        "REGISTRY_DATABASE_CONNECT_TIMEOUT": "30",
        "REGISTRY_S3_TIMEOUT": "60",
    }
    server.shutdown()
    thread.join()
    server.server_close()
    get_state(app).registry.dispose()


@pytest.fixture(scope="module")
def parts(cluster, objects, federation, served):
    parts = Parts(cluster, objects, federation, served)
    yield parts
    parts.close()


@pytest.fixture
def check(run, served):
    """Check these changes of settings under which all is well; gives exit code and diagnoses."""

    def ask(changes, *options):
        patience = () if "--patience" in options else ("--patience", "90")
        command = ("settings", "check", "--json", *options, *patience)
        done = run(*command, env=served | changes)
        return done.code, json.loads(done.out)

    return ask


def find(told, planted):
    return [
        each
        for each in told["diagnoses"]
        if each["cause"] == planted.cause and planted.variable in each["settings"]
    ]


def test_where_all_is_well_nothing_is_told(check):
    code, told = check({}, "--online")

    assert told["diagnoses"] == []
    assert code == 0
    assert len(told["looks"]) == 11
    assert told["skips"] == {}


# Each of these is one run, with all of these faults at once.
RUNS = {
    "twenty-one": (
        "a_bucket_of_seals_without_object_lock",
        "a_certificate_that_has_expired",
        "a_clamd_that_is_not_there",
        "a_clock_that_is_wrong",
        "a_database_that_is_not_there",
        "a_key_of_seals_that_is_none",
        "a_key_that_is_not_registered",
        "a_name_that_is_not_resolved",
        "a_number_that_is_none",
        "a_public_address_of_another_service",
        "a_role_that_may_do_anything",
        "a_secret_in_a_file_that_is_not_there",
        "a_service_that_says_nothing",
        "a_setting_that_is_misspelt",
        "a_store_of_counts_that_wants_a_password",
        "a_table_that_is_none",
        "an_audience_of_production_in_trials",
        "an_authority_that_is_another",
        "an_empty_database",
        "authorities_that_are_none",
        "our_certificate_is_one_of_production",
    ),
    "production": (
        "a_bucket_that_is_not_there",
        "a_pooler_that_nobody_spoke_of",
        "a_service_of_trials_in_production",
        "http_in_production",
        "our_certificate_has_expired",
        "our_certificate_is_one_of_trials",
    ),
    "third": (
        "a_certificate_of_another_name",
        "a_client_that_nobody_knows",
        "a_database_of_an_older_version",
        "a_port_where_nobody_listens",
        "a_role_that_is_not_there",
        "a_secret_key_that_is_wrong",
        "an_authority_that_is_not_set",
        "something_else_than_clamd",
    ),
    "fourth": (
        "a_right_on_a_table_that_is_denied",
        "a_scope_that_is_not_granted",
        "a_service_that_wants_our_certificate",
        "a_service_without_tls",
        "an_access_key_that_is_wrong",
        "one_bucket_for_both",
    ),
    "fifth": (
        "a_right_on_a_bucket_that_is_denied",
        "a_service_of_production_in_trials",
        "an_address_with_another_path",
        "our_certificate_is_another_enterprises",
        "our_key_is_of_another_certificate",
    ),
    "sixth": ("our_certificate_is_valid_later",),
}


@pytest.fixture(scope="module")
def runs():
    return {}


@pytest.fixture
def told(request, runs, check, parts, objects):
    """What a run told, and what was planted in it."""
    name = request.param
    if name not in runs:
        plants = {each: PLANTS[each](parts) for each in RUNS[name]}
        # Seals are where documents are, unless it is said: not in a store that is not trusted.
        changes = {"REGISTRY_AUDIT_S3_ENDPOINT": objects.endpoint}
        for planted in plants.values():
            assert not set(changes) & set(planted.variables) - {"REGISTRY_ENVIRONMENT"}
            changes |= planted.variables
        runs[name] = (plants, *check(changes, "--online"))
    return runs[name]


@pytest.mark.parametrize(
    ("told", "fault"),
    [(name, fault) for name, faults in RUNS.items() for fault in faults],
    indirect=["told"],
)
def test_all_faults_of_a_run_are_told_at_once_with_cause_and_mend(told, fault):
    plants, code, report = told

    diagnosis, *_ = find(report, plants[fault])

    assert code == 1
    assert diagnosis["severity"] == "fault"
    assert diagnosis["reason"]
    assert diagnosis["remedy"]
    assert PASSWORD not in json.dumps(report)


def test_every_plant_is_in_a_run():
    assert {fault for faults in RUNS.values() for fault in faults} == set(PLANTS)
    assert len(RUNS["twenty-one"]) == 21


def test_whom_a_faulty_setting_names_is_not_asked(check):
    url = "https://services.socialsecurity.be/REST/ebox/enterprise/partition/v1"

    _, told = check({"REGISTRY_PARTITION_URL": url}, "--online")

    assert told["skips"] == {"Partition API": ["REGISTRY_PARTITION_URL"]}
    assert "Partition API" not in told["looks"]


def test_without_online_nobody_is_asked(check):
    code, told = check({"REGISTRY_S3_ENDPOINT": f"http://{LOOPBACK}:{free_port()}"})

    assert (code, told["diagnoses"], told["looks"]) == (0, [], [])


def test_of_no_settings_at_all_it_is_told_that_they_are_not_there(run):
    done = run("settings", "check", "--json", env={})

    told = json.loads(done.out)["diagnoses"]
    assert {each["observation"] for each in told} == {"It is not set."}


def test_another_registry_at_our_address_is_told(check):
    code, told = check({"REGISTRY_S3_BUCKET": "no-such-bucket"}, "--online")

    (diagnosis,) = [each for each in told["diagnoses"] if "REGISTRY_PUBLIC_URL" in each["settings"]]
    assert code == 1
    assert diagnosis["cause"] == Cause.ANOTHER_SERVICE
    assert diagnosis["reason"].startswith("Another registry is there")


def test_a_host_that_is_away_beside_one_that_is_there_is_a_warning(check, served):
    url = urlsplit(served["REGISTRY_DATABASE_URL"])
    hosts = f"{url.hostname}:{url.port},{LOOPBACK}:{free_port()}"
    both = f"postgresql://{url.username}@{hosts}{url.path}?target_session_attrs=read-write"

    code, told = check({"REGISTRY_DATABASE_URL": both}, "--online")

    assert code == 0
    assert [(each["severity"], each["cause"]) for each in told["diagnoses"]] == [
        ("warning", Cause.CONNECTION_REFUSED)
    ]


def test_an_address_where_nobody_serves_yet_is_a_warning(check):
    code, told = check({"REGISTRY_PUBLIC_URL": f"http://{LOOPBACK}:{free_port()}"}, "--online")

    assert code == 0
    assert [each["severity"] for each in told["diagnoses"]] == ["warning"]


def test_a_certificate_that_ends_soon_is_a_warning(check, parts):
    path = parts.write("soon.pem", parts.ours.issue(days=(-300, 20)))

    code, told = check({"REGISTRY_FEDERATION_CERTIFICATE": path})

    assert code == 0
    assert [each["severity"] for each in told["diagnoses"]] == ["warning"]


def test_whoever_does_not_answer_in_time_is_named(check, parts):
    planted = PLANTS["a_service_that_says_nothing"](parts)
    slowly = {"REGISTRY_FEDERATION_TIMEOUT": "60"}

    code, told = check(planted.variables | slowly, "--online", "--patience", "2")

    assert code == 1
    (diagnosis,) = find(told, planted)
    assert diagnosis["observation"] == "The look at the preferences has not ended after 2 seconds."


def test_people_get_a_table_with_cause_and_mend(run, served):
    done = run("settings", "check", env=served | {"REGISTRY_S3_BUKET": "documents"})

    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[1].split()[:2] == ["fault", "REGISTRY_S3_BUKET"]
    assert "Refused: there is no such setting." in lines[1]
    assert "Look for its name in `registry settings list`" in lines[1]
    assert lines[-1] == "1 fault, 0 warnings."


def test_on_a_narrow_terminal_they_come_one_below_the_other(run, served):
    env = served | {"REGISTRY_S3_BUKET": "documents", "COLUMNS": "80"}

    done = run("settings", "check", env=env)

    assert [line.split()[0] for line in done.out.splitlines() if line] == [
        *("fault", "seen", "cause", "to"),
        "1",
    ]
