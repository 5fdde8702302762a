// Drive openapi-fetch with the types of openapi-typescript on version 2.1: base URL, two tokens.
import createClient from 'openapi-fetch';
import type { components, paths } from './typed';

const [base, consumer, sender] = process.argv.slice(2);
const as = (token: string) =>
  createClient<paths>({ baseUrl: base, headers: { Authorization: `Bearer ${token}` } });
const pdf = (name: string) =>
  new File(['%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n'], name, { type: 'application/pdf' });
const form = (message: unknown, files: Record<string, File> = {}) => {
  const body = new FormData();
  body.append('messageToPublish', JSON.stringify(message));
  for (const [name, file] of Object.entries(files)) body.append(name, file);
  return body;
};
const must = <T>(answer: { data?: T; error?: unknown }): T => {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
};

const me = as(consumer);
const page = must(await me.GET('/ebox/messages', { params: { query: { pageSize: 100 } } }));
const { messageId } = page.items.find((each) => each.attachments!.totalItems > 0)!;
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
const body = { items: [{ messageId, visible: true }], totalItems: 1 };
const updated = await me.PATCH('/ebox/messages', { body, parseAs: 'text' });
if (!updated.response.ok) throw new Error(JSON.stringify(updated.error));

const message: components['schemas']['MessageToPublish'] = {
  recipient: { eboxType: 'enterprise', eboxIdValue: '0999910048' },
  subject: { fr: 'Essai' },
  bodyMainContent: false,
  replyAuthorized: true,
  senderOrganizationId: '1999930063',
  senderApplicationId: 'sandbox-sender',
  messageTypeId: 'information-letter',
  attachments: [1, 2, 3].map((n) => ({ httpPartName: `upfile${n}`, mainContent: n === 1 })),
};
const files = { upfile1: pdf('un.pdf'), upfile2: pdf('deux.pdf'), upfile3: pdf('trois.pdf') };
const receipt = must(
  await as(sender).POST('/publishMessage', {
    body: { messageToPublish: message },
    bodySerializer: () => form(message, files),
  }),
);
const reply: components['schemas']['MessageToPublish'] = {
  recipient: { eboxType: 'enterprise', eboxIdValue: '1999930063' },
  originalMessageId: receipt.messageId,
  subject: { fr: 'Merci' },
  bodyContent: { fr: 'Bien reçu.' },
  bodyMainContent: true,
  replyAuthorized: false,
};
must(
  await me.POST('/publishMessage', {
    body: { messageToPublish: reply },
    bodySerializer: () => form(reply),
  }),
);
