// The e-Box as it is shown: a page of messages, the counts, the folders; one call for each.
import { Store } from "./store.js";

export const PAGE_SIZE = 25;
const FILTERS = [
  "q", "qlang", "isRead", "isRegisteredMail", "isActionRequired",
  "receivedAfter", "receivedBefore", "messageTypeId", "senderOrganizationId",
];

export class Mailbox {
  constructor(registry, connection) {
    this.registry = registry;
    this.connection = connection;
    this.page = new Store({ items: [], totalItems: 0, isLoading: true, problem: null });
    this.counts = new Store({ all: null, folders: {} });
    this.folders = new Store([]);
    this.notice = new Store({ text: "", problem: null });
    this.query = null;
  }

  async openFolders() {
    const names = await this.connection.listFolders();
    this.folders.set(names);
    await this.count();
  }

  // Show the page that this query of the address names; the one that is shown is not asked for again.
  async open(query) {
    const wire = toWire(query);
    if (JSON.stringify(wire) === JSON.stringify(this.query)) return;
    this.query = wire;
    await this.refresh();
  }

  async refresh() {
    const query = this.query;
    this.page.change({ isLoading: true, problem: null });
    try {
      const { items, totalItems } = await this.registry.listMessages(query);
      if (query !== this.query) return; // somebody was faster
      this.page.set({ items, totalItems, isLoading: false, problem: null });
      this.#learnFolders(items);
    } catch (problem) {
      if (query === this.query) this.page.set({ items: [], totalItems: 0, isLoading: false, problem });
    }
  }

  async count() {
    const isLatest = this.#begin();
    try {
      // One after the other: a registry may refuse a client who counts or searches much at once.
      const counts = { all: await this.registry.getStatistics(), folders: {} };
      for (const name of this.folders.value) counts.folders[name] = await this.registry.getStatistics(name);
      if (isLatest()) this.counts.set(counts);
    } catch {
      this.counts.set({ all: null, folders: {} }); // the list says what is wrong
    }
  }

  find(messageId) {
    return this.page.value.items.find((message) => message.messageId === messageId);
  }

  // Change what is shown of a message, after the registry has changed it.
  show(messageId, members) {
    const items = this.page.value.items.map((message) =>
      message.messageId === messageId ? { ...message, ...members } : message,
    );
    this.page.change({ items });
  }

  // A main content was read: the registry has noted that with the same call.
  async markRead(messageId) {
    if (this.find(messageId)?.isRead) return;
    this.show(messageId, { isRead: true });
    await this.count();
  }

  async update(messageIds, change) {
    await this.registry.updateMessages(messageIds.map((messageId) => ({ messageId, ...change })));
    await Promise.all([this.refresh(), this.count()]);
  }

  // Whoever counts later knows better.
  #begin() {
    this.countings = (this.countings ?? 0) + 1;
    const number = this.countings;
    return () => number === this.countings;
  }

  // Without a Partition API, folders are those of the messages that were seen.
  #learnFolders(items) {
    if (this.connection.isPersona || this.connection.kind === "citizen") return;
    const seen = items.map((message) => message.recipient.partition).filter(Boolean);
    const names = [...new Set([...this.folders.value, ...seen])];
    if (names.length > this.folders.value.length) this.folders.set(names);
  }
}

// `hidden` is a folder of the portal, not of the registry: messages that were put out of sight.
function toWire({ folder = "", hidden = "", page = "1", ...rest }) {
  const filters = Object.fromEntries(FILTERS.filter((name) => rest[name]).map((name) => [name, rest[name]]));
  if (!filters.q) delete filters.qlang;
  return { page, pageSize: PAGE_SIZE, isVisible: !hidden, partition: folder, ...filters };
}
