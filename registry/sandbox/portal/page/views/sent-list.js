// What was sent from this tab, and whether it was read.
import { html } from "../html.js";
import { useStore } from "../store.js";
import { say, showDate, translate } from "../words.js";
import { attempt } from "./notice.js";

export function SentList({ portal: { sent, mailbox } }) {
  const messages = useStore(sent.list);
  return html`
    <section class="card" aria-label=${say("sent")}>
      <h2>${say("sent")}</h2>
      ${messages.length === 0
        ? html`<p>${say("sent.none")}</p>`
        : html`
            <button type="button" onClick=${() => attempt(mailbox.notice, () => sent.look(), say("sent.looked"))}>${say("refresh")}</button>
            <div class="wide" role="region" tabindex="0" aria-label=${say("sent")}>
              <table>
                <thead>
                  <tr>${["subject", "to.number", "state", "expires"].map((name) => html`<th scope="col">${say(name)}</th>`)}</tr>
                </thead>
                <tbody>${messages.map((message) => html`<${Row} key=${message.messageId} message=${message} />`)}</tbody>
              </table>
            </div>
          `}
    </section>
  `;
}

function Row({ message: { subject, recipient, status, expirationDate, code } }) {
  return html`
    <tr>
      <td>${translate(subject)}</td>
      <td>${recipient.enterpriseNumber ?? recipient.ssin}</td>
      <td>${describe(status)}${code ? html` <span class="mark">${code}</span>` : ""}</td>
      <td>${showDate(status?.expirationDate ?? expirationDate)}</td>
    </tr>
  `;
}

function describe(status) {
  if (!status) return status === null ? say("status.gone") : "…";
  if (status.withdrawalDate) return say("status.withdrawn");
  return say(status.isRead ? "read" : "unread") + (status.isVisible === false ? `, ${say("hidden")}` : "");
}
