"""GET …/paymentData: how a message is to be paid."""

import pytest

from tests.factories import PAYMENT

SHOWN = {
    "paymentDataId": "1",
    "amount": 0.1,
    "vatAmount": 0,
    "currency": "EUR",
    "dueDate": "2026-11-30T23:59:59+01:00",
    "iban": "BE68539007547034",
}


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({}, {}),
        (
            {"bic": "GKCCBEBB", "reference": {"structured": "010806817183", "lines": [1, 2]}},
            {"bic": "GKCCBEBB", "reference": {"structured": "010806817183", "lines": [1, 2]}},
        ),
        ({"amount": "1234567890123.45"}, {"amount": 1234567890123.45}),
    ],
)
def test_payment_data_have_numbers_and_leave_out_what_they_lack(consumer, deliver, more, shown):
    message = deliver(consumer.ebox, payment_data={**PAYMENT, **more})

    answer = consumer.get(f"/ebox/messages/{message}/paymentData")

    assert answer.status_code == 200
    assert answer.json == {**SHOWN, **shown}


def test_payment_data_are_the_same_in_the_message(consumer, deliver):
    message = deliver(consumer.ebox, payment_data=PAYMENT)

    alone = consumer.get(f"/ebox/messages/{message}/paymentData").json

    assert consumer.get(f"/ebox/messages/{message}").json["paymentData"] == alone


def test_a_message_without_payment_data_has_none_to_show(consumer, deliver):
    message = deliver(consumer.ebox)

    answer = consumer.get(f"/ebox/messages/{message}/paymentData")

    assert answer.status_code == 404
    assert answer.json["type"] == "urn:problem-type:belgif:resourceNotFound"


def test_looking_at_payment_data_does_not_mark_the_message_read(consumer, deliver, is_read):
    message = deliver(consumer.ebox, payment_data=PAYMENT)

    consumer.get(f"/ebox/messages/{message}/paymentData")

    assert not is_read(consumer, message)
