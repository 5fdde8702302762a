"""Schemathesis asks the running application whatever the document lets it think of."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

from registry.sandbox.seeds.reference import FINANCE
from tests.conformance.validation import VERSION_2, VERSION_3
from tests.factories import a_file

pytestmark = pytest.mark.process

load_all_checks()
PROMISES = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
    ]
)
# Of queries and patches it ignores what it does not know, be it right or wrong.
PROMISES_2 = [each for each in PROMISES if each.__name__ != "negative_data_rejection"]


@pytest.fixture
def known(consumer, deliver, grant):
    """Path parameters that lead somewhere."""
    grant(consumer.ebox.number, ["GENERAL"])
    message = deliver(
        consumer.ebox,
        a_file(),
        body={"nl": "Beste,"},
        is_body_main=True,
        structured_data={"quarter": 4},
        payment_data={
            "payment_data_id": "1",
            "amount": "1250.00",
            "vat_amount": "262.50",
            "currency": "EUR",
            "due_date": "2026-11-30T23:59:59+01:00",
            "iban": "BE68539007547034",
        },
    )
    return {
        "messageId": str(message),
        "attachmentId": "1",
        "messageTypeId": "tax-assessment",
        "senderApplicationId": "my-minfin",
        "senderOrganizationId": FINANCE,
        "messageTemplateId": "tax-reminder",
        "imageId": "logo",
    }


def served(contract):
    """The document without what is not served yet."""
    document, paths = contract.document, {}
    for method, path in sorted(contract.implemented()):
        paths.setdefault(path, {})[method.lower()] = document["paths"][path][method.lower()]
    return schemathesis.openapi.from_dict({**document, "paths": paths})


def ask(case, app, visitor, known, promises):
    case.operation.schema.app = app
    if case.meta.generation.mode is GenerationMode.POSITIVE:
        case.path_parameters = {name: known[name] for name in case.path_parameters or ()}
    headers = {"Authorization": f"Bearer {visitor.token}"}
    case.call_and_validate(headers=headers, app=app, checks=promises)


version_3, version_2 = served(VERSION_3), served(VERSION_2)


@version_3.parametrize()
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_whatever_is_asked_the_answer_is_one_that_the_contract_promises(case, app, consumer, known):
    ask(case, app, consumer, known, PROMISES)


@version_2.parametrize()
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_version_2_answers_as_its_contract_promises(case, app, consumer, known):
    ask(case, app, consumer, known, PROMISES if case.method == "POST" else PROMISES_2)
