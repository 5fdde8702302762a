// Where in the portal we are, as the address has it behind #: going back and links work.
//
// #/messages?partition=GENERAL&page=2, #/messages/ID?partition=GENERAL&page=2, #/sent
import { Store } from "./store.js";

export const route = new Store(read());
window.addEventListener("hashchange", () => route.set(read()));

function read() {
  const [path, words] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, messageId] = path.split("/").map(decodeURIComponent);
  return { view: view || "messages", messageId: messageId ?? "", query: Object.fromEntries(new URLSearchParams(words)) };
}

export function linkTo({ view = "messages", messageId = "", query = {} }) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const words = new URLSearchParams(given);
  return `#/${view}${messageId ? `/${encodeURIComponent(messageId)}` : ""}${words.size ? `?${words}` : ""}`;
}

export function go(place) {
  location.hash = linkTo(place);
}
