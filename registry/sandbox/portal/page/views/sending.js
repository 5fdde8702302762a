// The sender's view: publish a message with its documents, and see what became of those that were sent.
import { buildForm } from "../form.js";
import { html, useEffect, useState } from "../html.js";
import { say } from "../words.js";
import { Files, Progress } from "./files.js";
import { attempt } from "./notice.js";
import { SendingFields, readFields } from "./sending-fields.js";
import { SentList } from "./sent-list.js";

export function Sending({ portal }) {
  const { registry, mailbox, sent } = portal;
  const [files, setFiles] = useState([]);
  const [main, setMain] = useState(0);
  const [share, setShare] = useState(null);
  const [key, setKey] = useState(crypto.randomUUID()); // of the next message, whatever happens on the way
  const send = async (event) => {
    event.preventDefault();
    const { members, body } = readFields(event.target.elements);
    setShare(0);
    const isSent = await attempt(
      mailbox.notice,
      async () => {
        const answer = await registry.publish(await buildForm(members, files, main, body), key, setShare);
        sent.add({ ...answer, recipient: members.recipient, subject: members.subject });
      },
      say("published"),
    );
    setShare(null);
    if (!isSent) return;
    setFiles([]);
    setKey(crypto.randomUUID());
    await attempt(mailbox.notice, () => sent.look(), say("published"));
  };
  useEffect(() => void attempt(mailbox.notice, () => sent.look()), [sent]);
  return html`
    <div class="sending">
      <form class="fields card" aria-label=${say("send")} onSubmit=${send} key=${key}>
        <h1>${say("send")}</h1>
        <${Files} files=${files} main=${main} onFiles=${setFiles} onMain=${setMain} />
        <${SendingFields} portal=${portal} hasFiles=${files.length > 0} />
        <${Progress} share=${share} />
        <div class="buttons"><button class="main" type="submit" disabled=${share !== null}>${say("publish")}</button></div>
      </form>
      <${SentList} portal=${portal} />
    </div>
  `;
}
