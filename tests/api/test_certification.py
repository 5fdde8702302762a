"""GET …/certification/version, POST …/certification/resetDataSet (contract 6.29)."""

from datetime import UTC, datetime

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CERTIFICATION, CITIZEN_PORTAL, CONSUMER
from tests.conftest import V3, Visitor
from tests.factories import an_ebox

RESET = "/certification/resetDataSet"
AN_ACTION = {"action_id": "confirm", "action_label": {"nl": "Bevestig"}}
NOW = datetime.now(UTC)


@pytest.fixture
def certifier(visitor):
    """Somebody who certifies, with an e-Box to do it in."""
    return visitor(CONSUMER, CERTIFICATION)


@pytest.mark.parametrize("base", V3.values())
def test_anybody_is_told_which_version_is_served(app, base):
    answer = app.test_client().get(f"{base}/certification/version")

    assert (answer.status_code, answer.json) == (200, {"version": "3.5.0"})


def test_a_reset_makes_messages_as_if_nobody_had_seen_them(certifier, deliver):
    used = {"read_at": NOW, "is_visible": False, "action_executed_at": NOW, **AN_ACTION}
    message = deliver(certifier.ebox, **used)

    answer = certifier.ask("POST", RESET)

    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers
    shown = certifier.get(f"/ebox/messages/{message}").json
    assert (shown["isRead"], shown["isVisible"]) == (False, True)
    assert shown["messageAction"]["isExecuted"] is False


def test_a_reset_is_of_ones_own_ebox_alone(certifier, consumer, deliver):
    message = deliver(consumer.ebox, read_at=NOW)

    certifier.ask("POST", RESET)

    assert consumer.get(f"/ebox/messages/{message}").json["isRead"] is True


def test_a_reset_needs_its_scope(visitor, deliver):
    consumer = visitor(CONSUMER)
    message = deliver(consumer.ebox, read_at=NOW)

    answer = consumer.ask("POST", RESET)

    assert (answer.status_code, answer.json["requiredScopes"]) == (403, [CERTIFICATION])
    assert consumer.get(f"/ebox/messages/{message}").json["isRead"] is True


def test_a_citizen_s_data_set_is_reset_too(app, party, deliver):
    ebox = an_ebox(EboxKind.CITIZEN)
    token = party(CITIZEN_PORTAL, CERTIFICATION, person=ebox.number)
    citizen = Visitor(app.test_client(), token, ebox)
    message = deliver(ebox, read_at=NOW)

    assert citizen.ask("POST", RESET).status_code == 204
    assert citizen.get(f"/ebox/messages/{message}").json["isRead"] is False


@pytest.mark.parametrize("changes", [{"environment": "production"}, {"certification_scope": None}])
def test_in_production_or_without_a_scope_there_is_no_reset(
    app_with, elsewhere, certifier, deliver, changes
):
    message = deliver(certifier.ebox, read_at=NOW)

    answer = elsewhere(certifier, app_with(**changes)).ask("POST", RESET)

    assert answer.status_code == 404
    assert certifier.get(f"/ebox/messages/{message}").json["isRead"] is True
