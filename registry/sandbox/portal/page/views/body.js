// The text of a message. Where it is the main content, reading it marks the message as read, so it is asked for.
import { html, useEffect, useState } from "../html.js";
import { drawText } from "../richtext.js";
import { messageLanguage, say, translate } from "../words.js";
import { attempt } from "./notice.js";

export function Body({ portal: { registry, mailbox }, message }) {
  const { messageId, isBodyMainContent } = message;
  const [text, setText] = useState(null);
  const open = () =>
    attempt(mailbox.notice, async () => {
      setText(await registry.getBody(messageId));
      if (isBodyMainContent) await mailbox.markRead(messageId);
    });
  useEffect(() => {
    if (!isBodyMainContent) open();
  }, [messageId]);
  return html`
    <section class="body" aria-label=${say("text")}>
      ${text
        ? html`<div class="text" lang=${messageLanguage()}>${drawText(translate(text))}</div>`
        : isBodyMainContent && html`<button class="main" type="button" onClick=${open}>${say("text.open")}</button>`}
    </section>
  `;
}
