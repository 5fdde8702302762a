// Move messages to another folder, put them out of sight or back.
import { html, useId, useState } from "../html.js";
import { useStore } from "../store.js";
import { say } from "../words.js";
import { folderName } from "./folders.js";
import { attempt } from "./notice.js";

export function Ordering({ portal: { mailbox, connection }, messages, onDone }) {
  const folders = useStore(mailbox.folders);
  const [target, setTarget] = useState("");
  const id = useId();
  const ids = messages.map((message) => message.messageId);
  const areVisible = messages.every((message) => message.isVisible);
  const change = async (members, text) => {
    if (await attempt(mailbox.notice, () => mailbox.update(ids, members), text)) onDone?.();
  };
  const move = () => target && change({ partition: target }, say("moved", { total: ids.length, folder: folderName(target) }));
  const hide = () => change({ isVisible: !areVisible }, say(areVisible ? "hid" : "showed", { total: ids.length }));
  return html`
    <div class="ordering" role="group" aria-label=${say("ordering", { total: ids.length })}>
      <span>${say("chosen", { total: ids.length })}</span>
      ${connection.kind === "enterprise" &&
      html`<label class="unseen" for=${id}>${say("move.to")}</label>
        <select id=${id} value=${target} onChange=${(event) => setTarget(event.target.value)}>
          <option value="">${say("move.to")} …</option>
          ${folders.map((name) => html`<option value=${name}>${folderName(name)}</option>`)}
        </select>
        <button type="button" disabled=${!target} onClick=${move}>${say("move")}</button>`}
      <button type="button" onClick=${hide}>${say(areVisible ? "hide" : "show")}</button>
    </div>
  `;
}
