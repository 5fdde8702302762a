// A page of messages, newest first; what is unread is bold, what is chosen can be moved or hidden.
import { PAGE_SIZE } from "../mailbox.js";
import { html, useEffect, useState } from "../html.js";
import { linkTo } from "../route.js";
import { useStore } from "../store.js";
import { messageLanguage, say, showDate, translate } from "../words.js";
import { folderName } from "./folders.js";
import { Logo, Name } from "./names.js";
import { Trouble } from "./notice.js";
import { Ordering } from "./ordering.js";

export function MessageList({ portal, place }) {
  const { items, totalItems, isLoading, problem } = useStore(portal.mailbox.page);
  const [chosen, setChosen] = useState(new Set());
  useEffect(() => setChosen(new Set()), [JSON.stringify(place.query)]);
  const choose = (messageId, isChosen) => {
    const next = new Set(chosen);
    next[isChosen ? "add" : "delete"](messageId);
    setChosen(next);
  };
  const messages = items.filter((message) => chosen.has(message.messageId));
  if (problem) return html`<${Trouble} problem=${problem} />`;
  return html`
    <p class="total" role="status">${isLoading ? say("loading") : say("total", { total: totalItems })}</p>
    ${messages.length > 0 && html`<${Ordering} portal=${portal} messages=${messages} onDone=${() => setChosen(new Set())} />`}
    <ul class="messages" aria-busy=${isLoading}>
      ${items.map(
        (message) => html`<${Line} key=${message.messageId} portal=${portal} place=${place} message=${message}
          isChosen=${chosen.has(message.messageId)} onChoose=${choose} />`,
      )}
    </ul>
    <${Pages} place=${place} totalItems=${totalItems} />
  `;
}

function Line({ portal: { reference }, place, message, isChosen, onChoose }) {
  const { messageId, sender, isRead } = message;
  const subject = translate(message.subject);
  return html`
    <li class=${isRead ? "message" : "message unread"}>
      <input type="checkbox" checked=${isChosen} aria-label=${say("choose", { subject })}
        onChange=${(event) => onChoose(messageId, event.target.checked)} />
      <a id=${`message-${messageId}`} href=${linkTo({ messageId, query: place.query })} aria-current=${messageId === place.messageId ? "true" : undefined}>
        <${Logo} reference=${reference} id=${sender.enterpriseNumber} size="32" />
        <span class="from">
          <${Name} reference=${reference} kind="organization" id=${sender.enterpriseNumber} />
          ${message.senderApplicationId && html`<span class="via"> · <${Name} reference=${reference} kind="application" id=${message.senderApplicationId} /></span>`}
        </span>
        <time datetime=${message.receiptDate}>${showDate(message.receiptDate)}</time>
        <span class="subject">${!isRead && html`<span class="unseen">${say("unread")}: </span>`}<span lang=${messageLanguage()}>${subject}</span></span>
        <span class="marks"><${Marks} message=${message} reference=${reference} /></span>
      </a>
    </li>
  `;
}

function Marks({ message, reference }) {
  const { messageAction, recipient } = message;
  return html`
    <span class="mark"><${Name} reference=${reference} kind="type" id=${message.messageTypeId} /></span>
    ${recipient.partition && html`<span class="mark folder">${folderName(recipient.partition)}</span>`}
    ${message.isRegisteredMail && html`<span class="mark registered">${say("registered")}</span>`}
    ${messageAction && !messageAction.isExecuted && html`<span class="mark action">${say("action")}</span>`}
    ${message.isReplyAuthorized && html`<span class="mark">${say("reply.possible")}</span>`}
  `;
}

function Pages({ place, totalItems }) {
  const page = Number(place.query.page ?? 1);
  const last = Math.max(1, Math.ceil(totalItems / PAGE_SIZE));
  if (last === 1 && page === 1) return null;
  const link = (number, name) => html`<a href=${linkTo({ query: { ...place.query, page: number } })}>${say(name)}</a>`;
  return html`
    <nav class="pages" aria-label=${say("pages")}>
      ${page > 1 && link(page - 1, "previous")}
      <span>${say("page", { page, last })}</span>
      ${page < last && link(page + 1, "next")}
    </nav>
  `;
}
