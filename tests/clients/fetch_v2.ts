// Drive the fetch client of openapi-generator on version 2.1: base URL, two tokens.
import { Configuration, MessagesApi } from './typescript-fetch';

const [base, consumer, sender] = process.argv.slice(2);
const as = (token: string) =>
  new MessagesApi(new Configuration({ basePath: base, accessToken: `Bearer ${token}` }));
const pdf = (name: string) =>
  new File(['%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n'], name, { type: 'application/pdf' });
const must = (holds: boolean, what: string) => {
  if (!holds) throw new Error(what);
};

const messages = as(consumer);
const page = await messages.getMessagesByEBoxId({ pageSize: 100 });
const { messageId } = page.items.find((each) => each.attachments!.totalItems > 0)!;
must((await messages.getMessageById({ messageId })).messageId === messageId, 'detail');
const attachments = await messages.getAttachmentByMessageId({ messageId });
const attachmentId = attachments.items[0].attachmentId!;
const content = await messages.getAttachmentContentById({ messageId, attachmentId });
must((await content.text()).startsWith('%PDF'), 'content');
const messagesToUpdate = { items: [{ messageId, visible: true }], totalItems: 1 };
await messages.patchMessagesByEBoxId({ messagesToUpdate });

const receipt = await as(sender).postMessage({
  messageToPublish: {
    recipient: { eboxType: 'enterprise', eboxIdValue: '0999910048' },
    subject: { fr: 'Essai' },
    bodyMainContent: false,
    replyAuthorized: true,
    senderOrganizationId: '1999930063',
    senderApplicationId: 'sandbox-sender',
    messageTypeId: 'information-letter',
    attachments: [1, 2, 3].map((n) => ({ httpPartName: `upfile${n}`, mainContent: n === 1 })),
  },
  upfile1: pdf('un.pdf'),
  upfile2: pdf('deux.pdf'),
  upfile3: pdf('trois.pdf'),
});
const published = await messages.getMessageById({ messageId: receipt.messageId });
const names = published.attachments!.items.map((each) => each.fileName).join();
must(names === 'un.pdf,deux.pdf,trois.pdf', `files: ${names}`);
const reply = await messages.postMessage({
  messageToPublish: {
    recipient: { eboxType: 'enterprise', eboxIdValue: '1999930063' },
    originalMessageId: receipt.messageId,
    subject: { fr: 'Merci' },
    bodyContent: { fr: 'Bien reçu.' },
    bodyMainContent: true,
    replyAuthorized: false,
  },
});
must(reply.messageId !== receipt.messageId, 'reply');
