// An answer to the sender, with text, files or both.
import { buildForm } from "../form.js";
import { html, useId, useState } from "../html.js";
import { messageLanguage, say, translate } from "../words.js";
import { Files, Progress } from "./files.js";
import { attempt } from "./notice.js";

export function Reply({ portal: { registry, mailbox }, message }) {
  const [isOpen, setIsOpen] = useState(false);
  const [files, setFiles] = useState([]);
  const [main, setMain] = useState(0);
  const [share, setShare] = useState(null);
  const [subject, text] = [useId(), useId()];
  const send = async (event) => {
    event.preventDefault();
    const fields = event.target.elements;
    const inOurs = (value) => ({ [messageLanguage()]: value });
    const body = fields.text.value.trim() ? inOurs(fields.text.value) : null;
    setShare(0);
    const isSent = await attempt(
      mailbox.notice,
      async () => {
        const form = await buildForm({ subject: inOurs(fields.subject.value) }, files, main, body);
        await registry.reply(message.messageId, form, setShare);
      },
      say("replied"),
    );
    setShare(null);
    if (isSent) {
      setIsOpen(false);
      setFiles([]);
    }
  };
  if (!isOpen) return html`<p><button type="button" onClick=${() => setIsOpen(true)}>${say("reply")}</button></p>`;
  return html`
    <form class="fields reply" aria-label=${say("reply")} onSubmit=${send}>
      <label for=${subject}>${say("subject")}</label>
      <input id=${subject} name="subject" required maxlength="400" defaultValue=${say("reply.subject", { subject: translate(message.subject) })} />
      <label for=${text}>${say("text")}</label>
      <textarea id=${text} name="text" rows="5" required=${files.length === 0}></textarea>
      <${Files} files=${files} main=${main} onFiles=${setFiles} onMain=${setMain} />
      <${Progress} share=${share} />
      <div class="buttons">
        <button class="main" type="submit" disabled=${share !== null}>${say("reply.send")}</button>
        <button type="button" onClick=${() => setIsOpen(false)}>${say("cancel")}</button>
      </div>
    </form>
  `;
}
