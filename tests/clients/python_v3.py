"""Drive the Python client of openapi-generator: folder of the clients, base URL, two tokens."""

import sys

sys.path.insert(0, f"{sys.argv[1]}/python")
from openapi_client import ApiClient, Configuration, MessagesApi, PublicationApi, ReplyApi, models

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
base, consumer, sender = sys.argv[2:]


def connect(api, token):
    return api(ApiClient(Configuration(host=base, access_token=token)))


messages, replies = connect(MessagesApi, consumer), connect(ReplyApi, consumer)
page = messages.list_messages(page_size=100)
assert any(message.payment_data for message in page.items), "the seeds have a message to be paid"
message = next(message for message in page.items if message.attachments.total_items)
assert messages.get_message(message.message_id).message_id == message.message_id
attachment = messages.list_attachments(message.message_id).items[0]
content = messages.get_attachment_content(message.message_id, attachment.attachment_id)
assert content.startswith(b"%PDF")
change = models.MessageUpdatePatch(messageId=message.message_id, isVisible=True)
assert messages.update_messages(models.MessagesPatch(items=[change])).items[0].is_visible

receipt = connect(PublicationApi, sender).publish_message(
    models.MessageToPublish(
        sender=models.SenderToPublish(eboxType="enterprise", enterpriseNumber="1999930063"),
        recipient=models.RecipientToPublish(
            models.EnterpriseRecipientToPublish(
                eboxType="enterprise", enterpriseNumber="0999910048"
            )
        ),
        subject=models.TranslatedText(fr="Essai"),
        messageTypeId="information-letter",
        senderApplicationId="sandbox-sender",
        isReplyAuthorized=True,
        attachments=[
            models.AttachmentToPublish(httpPartName=f"upfile{number}", isMainContent=number == 1)
            for number in (1, 2, 3)
        ],
    ),
    upfile1=("un.pdf", PDF),
    upfile2=("deux.pdf", PDF),
    upfile3=("trois.pdf", PDF),
)
published = messages.get_message(receipt.message_id)
assert [each.file_name for each in published.attachments.items] == [
    "un.pdf",
    "deux.pdf",
    "trois.pdf",
]
reply = models.MessageToReply(
    subject=models.TranslatedText(fr="Merci"),
    bodyContent=models.TranslatedText(fr="Bien reçu."),
    isBodyMainContent=True,
)
assert replies.reply_to_message(receipt.message_id, reply).message_id
