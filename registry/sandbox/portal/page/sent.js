// What was sent from this tab, and how it fares: a registry has no list of it (contract 6.27).
import { Store } from "./store.js";

export class Sent {
  constructor(registry, connection) {
    this.registry = registry;
    this.place = `sent ${connection.baseUrl} ${connection.number}`; // survives another persona's visit
    this.list = new Store(JSON.parse(sessionStorage.getItem(this.place) ?? "[]"));
  }

  add(message) {
    this.#keep([message, ...this.list.value]);
  }

  // Ask how all of it fares, 500 at most at once (contract 1.3, operation 21).
  async look() {
    if (!this.list.value.length) return;
    const items = this.list.value.slice(0, 500).map(({ messageId, recipient }) => ({ messageId, recipient }));
    const answer = await this.registry.searchStatus(items);
    const statuses = new Map(answer.items.map((status) => [status.messageId, status]));
    this.#keep(this.list.value.map((message) => ({ ...message, status: statuses.get(message.messageId) ?? null })));
  }

  #keep(list) {
    this.list.set(list);
    sessionStorage.setItem(this.place, JSON.stringify(list));
  }
}
