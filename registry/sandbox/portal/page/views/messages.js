// The e-Box: folders and counts, the list, and the message that is open beside it.
import { html, useEffect, useRef } from "../html.js";
import { useStore } from "../store.js";
import { say } from "../words.js";
import { Counts } from "./counts.js";
import { Folders } from "./folders.js";
import { Message } from "./message.js";
import { MessageList } from "./message-list.js";
import { Search } from "./search.js";

export function Messages({ portal, place }) {
  const { mailbox } = portal;
  const { query, messageId } = place;
  useStore(mailbox.page);
  useEffect(() => void mailbox.openFolders(), [mailbox]);
  useEffect(() => void mailbox.open(query), [mailbox, JSON.stringify(query)]);
  const before = useRef("");
  useEffect(() => {
    // Whoever closes a message is where he opened it.
    if (!messageId) document.getElementById(`message-${before.current}`)?.focus();
    before.current = messageId;
  }, [messageId]);
  return html`
    <div class=${messageId ? "mailbox reading" : "mailbox"}>
      <div class="side">
        <${Folders} portal=${portal} query=${query} />
      </div>
      <section class="list" aria-label=${say("messages")}>
        <h1 class="unseen">${say("inbox")}</h1>
        <${Counts} portal=${portal} query=${query} />
        <${Search} portal=${portal} query=${query} />
        <${MessageList} portal=${portal} place=${place} />
      </section>
      ${messageId && html`<${Message} key=${messageId} portal=${portal} place=${place} />`}
    </div>
  `;
}
