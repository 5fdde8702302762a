"""Drive the client of openapi-python-client: folder of the clients, base URL, two tokens."""

import io
import sys

sys.path.insert(0, sys.argv[1])
from attrs_client import AuthenticatedClient, models, types
from attrs_client.api.messages import (
    get_attachment_content,
    get_message,
    list_attachments,
    list_messages,
    update_messages,
)
from attrs_client.api.publication import publish_message
from attrs_client.api.reply import reply_to_message

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
ENTERPRISE = models.EnterpriseEboxType.ENTERPRISE
base, consumer, sender = sys.argv[2:]


def connect(token):
    return AuthenticatedClient(base_url=base, token=token, raise_on_unexpected_status=True)


def pdf(name):
    return types.File(payload=io.BytesIO(PDF), file_name=name, mime_type="application/pdf")


me, agency = connect(consumer), connect(sender)
page = list_messages.sync(client=me, page_size=100)
message = next(each for each in page.items if each.attachments.total_items)
assert get_message.sync(message.message_id, client=me).message_id == message.message_id
attachment = list_attachments.sync(message.message_id, client=me).items[0]
content = get_attachment_content.sync(message.message_id, attachment.attachment_id, client=me)
assert content.payload.read().startswith(b"%PDF")
change = models.MessageUpdatePatch(message_id=message.message_id, is_visible=True)
assert (
    update_messages.sync(client=me, body=models.MessagesPatch(items=[change])).items[0].is_visible
)

draft = models.MessageToPublish(
    sender=models.SenderToPublish(ebox_type=ENTERPRISE, enterprise_number="1999930063"),
    recipient=models.EnterpriseRecipientToPublish(
        ebox_type=ENTERPRISE, enterprise_number="0999910048"
    ),
    subject=models.TranslatedText(fr="Essai"),
    message_type_id="information-letter",
    sender_application_id="sandbox-sender",
    is_reply_authorized=True,
    attachments=[
        models.AttachmentToPublish(http_part_name=f"upfile{number}", is_main_content=number == 1)
        for number in (1, 2, 3)
    ],
)
form = models.MessageForm(
    message_to_publish=draft,
    upfile1=pdf("un.pdf"),
    upfile2=pdf("deux.pdf"),
    upfile3=pdf("trois.pdf"),
)
receipt = publish_message.sync(client=agency, body=form)
published = get_message.sync(receipt.message_id, client=me)
assert [each.file_name for each in published.attachments.items] == [
    "un.pdf",
    "deux.pdf",
    "trois.pdf",
]
answer = models.MessageToReply(
    subject=models.TranslatedText(fr="Merci"),
    body_content=models.TranslatedText(fr="Bien reçu."),
    is_body_main_content=True,
)
form = models.ReplyForm(message_to_publish=answer)
assert reply_to_message.sync(receipt.message_id, client=me, body=form).message_id
