"""GET …/v2/…/body: the body in three languages."""

import pytest

from tests.api.v2.visiting import MESSAGES, told


@pytest.mark.parametrize("is_main", [True, False])
def test_a_body_is_shown_and_read_when_it_is_main(consumer_2, deliver, is_main):
    body = {"nl": "Beste,"}
    message = f"{MESSAGES}/{deliver(consumer_2.ebox, body=body, is_body_main=is_main)}"

    answer = consumer_2.get(f"{message}/body")

    assert answer.json == {"nl": "Beste,", "fr": "Beste,", "de": "Beste,"}
    assert consumer_2.get(message).json["readStatus"] is is_main
    assert consumer_2.get(message).json["bodyMainContent"] is is_main


def test_a_message_without_body_has_none(consumer_2, deliver):
    answer = consumer_2.get(f"{MESSAGES}/{deliver(consumer_2.ebox)}/body")

    assert told(answer, 404) == ("RESOURCE_NOT_FOUND", "The message has no body.")
