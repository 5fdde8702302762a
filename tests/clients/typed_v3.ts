// Drive openapi-fetch with the types of openapi-typescript: base URL, a consumer's and a sender's token.
import createClient from 'openapi-fetch';
import type { components, paths } from './typed';

const [base, consumer, sender] = process.argv.slice(2);
const as = (token: string) =>
  createClient<paths>({ baseUrl: base, headers: { Authorization: `Bearer ${token}` } });
const pdf = (name: string) =>
  new File(['%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n'], name, { type: 'application/pdf' });
const form = (message: unknown, files: Record<string, File> = {}) => {
  const body = new FormData();
  body.append('messageToPublish', new Blob([JSON.stringify(message)], { type: 'application/json' }));
  for (const [name, file] of Object.entries(files)) body.append(name, file);
  return body;
};
const must = <T>(answer: { data?: T; error?: unknown }): T => {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
};

const me = as(consumer);
const page = must(await me.GET('/ebox/messages', { params: { query: { pageSize: 100 } } }));
const { messageId } = page.items.find((each) => each.attachments.totalItems > 0)!;
must(await me.GET('/ebox/messages/{messageId}', { params: { path: { messageId } } }));
const attachments = must(
  await me.GET('/ebox/messages/{messageId}/attachments', { params: { path: { messageId } } }),
);
const path = { messageId, attachmentId: attachments.items[0].attachmentId! };
must(
  await me.GET('/ebox/messages/{messageId}/attachments/{attachmentId}/content', {
    params: { path },
    parseAs: 'blob',
  }),
);
must(await me.PATCH('/ebox/messages', { body: { items: [{ messageId, isVisible: true }] } }));

const messageToPublish: components['schemas']['MessageToPublish'] = {
  sender: { eboxType: 'enterprise', enterpriseNumber: '1999930063' },
  recipient: { eboxType: 'enterprise', enterpriseNumber: '0999910048' },
  subject: { fr: 'Essai' },
  messageTypeId: 'information-letter',
  senderApplicationId: 'sandbox-sender',
  isReplyAuthorized: true,
  attachments: [1, 2, 3].map((n) => ({ httpPartName: `upfile${n}`, isMainContent: n === 1 })),
};
const files = { upfile1: pdf('un.pdf'), upfile2: pdf('deux.pdf'), upfile3: pdf('trois.pdf') };
const receipt = must(
  await as(sender).POST('/ebox/messages', {
    body: { messageToPublish },
    bodySerializer: () => form(messageToPublish, files),
  }),
);
const messageToReply: components['schemas']['MessageToReply'] = {
  subject: { fr: 'Merci' },
  bodyContent: { fr: 'Bien reçu.' },
  isBodyMainContent: true,
};
must(
  await me.POST('/ebox/messages/{messageId}/replies', {
    params: { path: { messageId: receipt.messageId } },
    body: { messageToPublish: messageToReply },
    bodySerializer: () => form(messageToReply),
  }),
);
