"""Drive the Python client of openapi-generator on version 2.1: folder, base URL, two tokens."""

import sys

sys.path.insert(0, f"{sys.argv[1]}/python")
from openapi_client import ApiClient, Configuration, MessagesApi, models

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
base, consumer, sender = sys.argv[2:]


def connect(token):
    return MessagesApi(ApiClient(Configuration(host=base, access_token=token)))


def draft(**more):
    """A message to publish as far as all of them are alike."""
    fixed = {"bodyMainContent": False, "replyAuthorized": True}
    subject = models.TranslatedString(fr="Essai")
    return models.MessageToPublish(subject=subject, **{**fixed, **more})


def recipient(number):
    return models.EboxId(eboxType="enterprise", eboxIdValue=number)


messages = connect(consumer)
page = messages.get_messages_by_e_box_id(page_size=100)
assert any(message.payment_data for message in page.items), "the seeds have a message to be paid"
message = next(message for message in page.items if message.attachments.total_items)
assert messages.get_message_by_id(message.message_id).message_id == message.message_id
attachment = messages.get_attachment_by_message_id(message.message_id).items[0]
content = messages.get_attachment_content_by_id(message.message_id, attachment.attachment_id)
assert content.startswith(b"%PDF")
change = models.MessageToUpdate(messageId=message.message_id, visible=True)
messages.patch_messages_by_e_box_id(
    messages_to_update=models.MessagesToUpdate(items=[change], totalItems=1)
)

receipt = connect(sender).post_message(
    draft(
        recipient=recipient("0999910048"),
        senderOrganizationId="1999930063",
        senderApplicationId="sandbox-sender",
        messageTypeId="information-letter",
        attachments=[
            models.AttachmentToPublish(httpPartName=f"upfile{number}", mainContent=number == 1)
            for number in (1, 2, 3)
        ],
    ),
    upfile1=("un.pdf", PDF),
    upfile2=("deux.pdf", PDF),
    upfile3=("trois.pdf", PDF),
)
published = messages.get_message_by_id(receipt.message_id)
assert [each.file_name for each in published.attachments.items] == [
    "un.pdf",
    "deux.pdf",
    "trois.pdf",
]
reply = draft(
    recipient=recipient("1999930063"),
    originalMessageId=receipt.message_id,
    bodyContent=models.TranslatedString(fr="Bien reçu."),
    bodyMainContent=True,
)
assert messages.post_message(reply).message_id
