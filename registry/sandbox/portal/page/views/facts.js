// What is known of a message, as a list of terms.
import { html } from "../html.js";
import { say, showAmount, showDate, translate } from "../words.js";
import { folderName } from "./folders.js";
import { Logo, Name } from "./names.js";

export function Facts({ portal: { reference }, message }) {
  const { sender, recipient, paymentData: payment, forTheAttentionOf: attention } = message;
  return html`
    <div class="sender">
      <${Logo} reference=${reference} id=${sender.enterpriseNumber} size="48" />
      <p>
        <strong><${Name} reference=${reference} kind="organization" id=${sender.enterpriseNumber} /></strong>
        ${sender.partition && html` · ${sender.partition}`}<br />
        ${message.senderApplicationId && html`<${Name} reference=${reference} kind="application" id=${message.senderApplicationId} />`}
      </p>
    </div>
    <dl class="facts">
      <${Fact} name="type"><${Name} reference=${reference} kind="type" id=${message.messageTypeId} /><//>
      <${Fact} name="received"><time datetime=${message.receiptDate}>${showDate(message.receiptDate, true)}</time><//>
      <${Fact} name="expires"><time datetime=${message.expirationDate}>${showDate(message.expirationDate)}</time><//>
      ${recipient.partition && html`<${Fact} name="folder">${folderName(recipient.partition)}<//>`}
      <${Fact} name="state">${say(message.isRead ? "read" : "unread")}<//>
      ${message.isRegisteredMail && html`<${Fact} name="registered">${say("yes")}<//>`}
      ${attention && html`<${Fact} name="attention">${attention.label ?? attention.ssin}<//>`}
      ${payment && html`<${Fact} name="payment"><${Payment} payment=${payment} /><//>`}
      ${(message.businessDataList?.items ?? []).map(
        (item) => html`<div><dt>${translate(item.name)}</dt><dd>${(item.values ?? []).map(translate).join(", ")}</dd></div>`,
      )}
    </dl>
  `;
}

function Fact({ name, children }) {
  return html`<div><dt>${say(name)}</dt><dd>${children}</dd></div>`;
}

function Payment({ payment }) {
  const amount = showAmount(Number(payment.amount) + Number(payment.vatAmount), payment.currency);
  return html`<strong>${amount}</strong>, ${say("payment.by", { date: showDate(payment.dueDate) })}, <code>${payment.iban}</code>`;
}
