// One message: what is known of it, its text and documents, and what its reader can do.
import { html, useEffect, useRef, useState } from "../html.js";
import { linkTo } from "../route.js";
import { useStore } from "../store.js";
import { messageLanguage, say, translate } from "../words.js";
import { Action } from "./action.js";
import { Body } from "./body.js";
import { Documents } from "./documents.js";
import { Facts } from "./facts.js";
import { Trouble } from "./notice.js";
import { Ordering } from "./ordering.js";
import { Reply } from "./reply.js";

export function Message({ portal, place }) {
  const { mailbox, registry } = portal;
  const { messageId, query } = place;
  const [fetched, setFetched] = useState(null);
  const [problem, setProblem] = useState(null);
  const page = useStore(mailbox.page);
  const inList = mailbox.find(messageId);
  // The list has all of a message: it is asked for by itself only when it is not in the list.
  const isMissing = !inList && !fetched && !page.isLoading;
  const isAsked = useRef(false);
  useEffect(() => {
    if (!isMissing || isAsked.current) return;
    isAsked.current = true;
    registry.getMessage(messageId).then(setFetched, setProblem);
  }, [isMissing]);
  useEffect(() => {
    if (inList) setFetched(inList); // kept when a move takes it out of the list
  }, [inList]);
  const message = inList ?? fetched;
  return html`
    <article class="open card" aria-label=${say("message")}>
      <p class="back"><a href=${linkTo({ query })}>← ${say("back")}</a></p>
      ${problem && html`<${Trouble} problem=${problem} />`}
      ${message && html`<${Content} portal=${portal} message=${message} />`}
    </article>
  `;
}

function Content({ portal, message }) {
  const title = useRef(null);
  useEffect(() => title.current.focus(), [message.messageId]);
  return html`
    <h2 ref=${title} tabindex="-1" lang=${messageLanguage()}>${translate(message.subject)}</h2>
    <${Facts} portal=${portal} message=${message} />
    ${message.messageAction && html`<${Action} portal=${portal} message=${message} />`}
    ${message.isBodyMainContent !== undefined && html`<${Body} portal=${portal} message=${message} />`}
    <${Documents} portal=${portal} message=${message} />
    ${message.isReplyAuthorized && html`<${Reply} portal=${portal} message=${message} />`}
    <${Ordering} portal=${portal} messages=${[message]} />
  `;
}
