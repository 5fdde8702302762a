// The operations of a MessageRegistry that the portal uses, by their names in the contract.
const PATCH = "application/merge-patch+json";

export class Registry {
  constructor(calls) {
    this.calls = calls;
  }

  listMessages(query) {
    return this.calls.get("/ebox/messages", query);
  }

  getMessage(messageId) {
    return this.calls.get(at(messageId));
  }

  getBody(messageId) {
    return this.calls.get(`${at(messageId)}/body`);
  }

  async getContent(messageId, attachmentId) {
    const path = `${at(messageId)}/attachments/${encodeURIComponent(attachmentId)}/content`;
    return (await this.calls.send("GET", path)).blob();
  }

  getStatistics(partition) {
    return this.calls.get("/ebox/statistics", { partition });
  }

  updateMessages(items) {
    return this.calls.sendJson("PATCH", "/ebox/messages", { items }, PATCH);
  }

  executeAction(messageId) {
    return this.calls.sendJson("PATCH", `${at(messageId)}/messageAction`, { isExecuted: true }, PATCH);
  }

  reply(messageId, form, onProgress) {
    return this.calls.upload(`${at(messageId)}/replies`, form, {}, onProgress);
  }

  publish(form, idempotencyKey, onProgress) {
    return this.calls.upload("/ebox/messages", form, { "Idempotency-Key": `"${idempotencyKey}"` }, onProgress);
  }

  searchStatus(items) {
    return this.calls.sendJson("POST", "/ebox/messageStatus/search", { items });
  }
}

function at(messageId) {
  return `/ebox/messages/${encodeURIComponent(messageId)}`;
}
