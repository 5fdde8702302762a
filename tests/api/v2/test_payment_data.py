"""GET …/v2/…/paymentData: how a message is to be paid, in numbers."""

import pytest

from tests.api.v2.visiting import MESSAGES, told
from tests.factories import PAYMENT


@pytest.mark.parametrize(
    ("text", "number"), [("0.10", 0.1), ("1250.00", 1250.0), ("-.5", -0.5), ("7", 7.0)]
)
def test_amounts_are_numbers(consumer_2, deliver, text, number):
    message = deliver(consumer_2.ebox, payment_data={**PAYMENT, "amount": text})

    answer = consumer_2.get(f"{MESSAGES}/{message}/paymentData")

    assert answer.json == {
        "paymentDataId": "1",
        "amount": number,
        "vatAmount": 0.0,
        "currency": "EUR",
        "dueDate": "2026-11-30T23:59:59+01:00",
        "iban": "BE68539007547034",
    }


def test_an_amount_beyond_all_numbers_is_the_largest_there_is(consumer_2, deliver):
    message = deliver(consumer_2.ebox, payment_data={**PAYMENT, "amount": "9" * 400})

    answer = consumer_2.get(f"{MESSAGES}/{message}/paymentData")

    assert answer.json["amount"] == 1.7976931348623157e308


def test_a_message_without_payment_data_has_none(consumer_2, deliver):
    answer = consumer_2.get(f"{MESSAGES}/{deliver(consumer_2.ebox)}/paymentData")

    assert told(answer, 404)[0] == "RESOURCE_NOT_FOUND"
