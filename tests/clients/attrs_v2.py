"""Drive the client of openapi-python-client on version 2.1: folder, base URL, two tokens."""

import io
import sys

sys.path.insert(0, sys.argv[1])
from attrs_client import AuthenticatedClient, models, types
from attrs_client.api.messages import (
    get_attachment_by_message_id,
    get_attachment_content_by_id,
    get_message_by_id,
    get_messages_by_e_box_id,
    patch_messages_by_e_box_id,
    post_message,
)

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
base, consumer, sender = sys.argv[2:]


def connect(token):
    return AuthenticatedClient(base_url=base, token=token, raise_on_unexpected_status=True)


def pdf(name):
    return types.File(payload=io.BytesIO(PDF), file_name=name, mime_type="application/pdf")


def recipient(number):
    return models.EboxId(ebox_type=models.EboxIdEboxType.ENTERPRISE, ebox_id_value=number)


me = connect(consumer)
page = get_messages_by_e_box_id.sync(client=me, page_size=100)
message = next(each for each in page.items if each.attachments.total_items)
assert get_message_by_id.sync(message.message_id, client=me).message_id == message.message_id
attachment = get_attachment_by_message_id.sync(message.message_id, client=me).items[0]
content = get_attachment_content_by_id.sync(message.message_id, attachment.attachment_id, client=me)
assert content.payload.read().startswith(b"%PDF")
change = models.MessageToUpdate(message_id=message.message_id, visible=True)
changes = models.MessagesToUpdate(items=[change], total_items=1)
assert patch_messages_by_e_box_id.sync_detailed(client=me, body=changes).status_code == 200

draft = models.MessageToPublish(
    recipient=recipient("0999910048"),
    subject=models.TranslatedString(fr="Essai"),
    body_main_content=False,
    reply_authorized=True,
    sender_organization_id="1999930063",
    sender_application_id="sandbox-sender",
    message_type_id="information-letter",
    attachments=[
        models.AttachmentToPublish(http_part_name=f"upfile{number}", main_content=number == 1)
        for number in (1, 2, 3)
    ],
)
form = models.PostMessageBody(
    message_to_publish=draft,
    upfile1=pdf("un.pdf"),
    upfile2=pdf("deux.pdf"),
    upfile3=pdf("trois.pdf"),
)
receipt = post_message.sync(client=connect(sender), body=form)
published = get_message_by_id.sync(receipt.message_id, client=me)
assert [each.file_name for each in published.attachments.items] == [
    "un.pdf",
    "deux.pdf",
    "trois.pdf",
]
reply = models.MessageToPublish(
    recipient=recipient("1999930063"),
    original_message_id=receipt.message_id,
    subject=models.TranslatedString(fr="Merci"),
    body_content=models.TranslatedString(fr="Bien reçu."),
    body_main_content=True,
    reply_authorized=False,
)
form = models.PostMessageBody(message_to_publish=reply)
assert post_message.sync(client=me, body=form).message_id
