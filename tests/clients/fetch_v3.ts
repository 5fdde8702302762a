// Drive the fetch client of openapi-generator: base URL, token of a consumer, token of a sender.
import { Configuration, MessagesApi, PublicationApi, ReplyApi } from './typescript-fetch';

const [base, consumer, sender] = process.argv.slice(2);
const as = (token: string) =>
  new Configuration({ basePath: base, accessToken: `Bearer ${token}` });
const pdf = (name: string) =>
  new File(['%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n'], name, { type: 'application/pdf' });
const must = (holds: boolean, what: string) => {
  if (!holds) throw new Error(what);
};

const messages = new MessagesApi(as(consumer));
const page = await messages.listMessages({ pageSize: 100 });
const message = page.items.find((each) => each.attachments.totalItems > 0)!;
const { messageId } = message;
must((await messages.getMessage({ messageId })).messageId === messageId, 'detail');
const attachments = await messages.listAttachments({ messageId });
const attachmentId = attachments.items[0].attachmentId!;
const content = await messages.getAttachmentContent({ messageId, attachmentId });
must((await content.text()).startsWith('%PDF'), 'content');
const update = { items: [{ messageId, isVisible: true }] };
must((await messages.updateMessages({ messagesPatch: update })).items[0].isVisible, 'update');

const receipt = await new PublicationApi(as(sender)).publishMessage({
  messageToPublish: {
    sender: { eboxType: 'enterprise', enterpriseNumber: '1999930063' },
    recipient: { eboxType: 'enterprise', enterpriseNumber: '0999910048' },
    subject: { fr: 'Essai' },
    messageTypeId: 'information-letter',
    senderApplicationId: 'sandbox-sender',
    isReplyAuthorized: true,
    attachments: [1, 2, 3].map((n) => ({ httpPartName: `upfile${n}`, isMainContent: n === 1 })),
  },
  upfile1: pdf('un.pdf'),
  upfile2: pdf('deux.pdf'),
  upfile3: pdf('trois.pdf'),
});
const published = await messages.getMessage({ messageId: receipt.messageId });
const names = published.attachments.items.map((each) => each.fileName).join();
must(names === 'un.pdf,deux.pdf,trois.pdf', `files: ${names}`);
const reply = await new ReplyApi(as(consumer)).replyToMessage({
  messageId: receipt.messageId,
  messageToPublish: {
    subject: { fr: 'Merci' },
    bodyContent: { fr: 'Bien reçu.' },
    isBodyMainContent: true,
  },
});
must(reply.messageId !== receipt.messageId, 'reply');
