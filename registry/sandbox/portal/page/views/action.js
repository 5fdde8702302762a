// The action that a sender asks for, and the button that says it is done.
import { html } from "../html.js";
import { say, showDate, translate } from "../words.js";
import { attempt } from "./notice.js";

export function Action({ portal: { registry, mailbox }, message }) {
  const { messageId, messageAction } = message;
  const execute = () =>
    attempt(
      mailbox.notice,
      async () => {
        mailbox.show(messageId, { messageAction: await registry.executeAction(messageId) });
        await mailbox.count();
      },
      say("executed"),
    );
  return html`
    <div class=${messageAction.isExecuted ? "action done" : "action"}>
      <p><strong>${say("action")}</strong>: ${translate(messageAction.label)}</p>
      ${messageAction.isExecuted
        ? html`<p>${say("executed.at", { date: showDate(messageAction.executionDate, true) })}</p>`
        : html`<button class="main" type="button" onClick=${execute}>${say("execute")}</button>`}
    </div>
  `;
}
