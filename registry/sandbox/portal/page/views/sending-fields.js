// The fields of a message to publish, and how they are read.
import { html, useEffect, useId, useState } from "../html.js";
import { say, translate } from "../words.js";

const CODES = ["nl", "fr", "de"];

export function SendingFields({ portal: { connection, personas, reference }, hasFiles }) {
  const [applications, types] = [useList(reference, "application"), useList(reference, "type")];
  const mine = applications.filter((each) => isFor(each.senderOrganizationIds, connection.number));
  const ours = types.filter((each) => isFor(each.senderOrganizationIds, connection.number));
  const others = personas.filter((each) => each.number !== connection.number);
  const known = useId();
  const [hasSubject, setHasSubject] = useState(false);
  const noteSubject = (event) => {
    const fields = event.target.form.elements;
    setHasSubject(CODES.some((code) => fields.namedItem(`subject-${code}`).value.trim()));
  };
  return html`
    <${Field} name="sender" label=${say("from.number")} value=${connection.number} pattern="[01][0-9]{9}" isNeeded />
    <${Field} name="recipient" label=${say("to.number")} pattern="[0-9]{10,11}" list=${known} isNeeded />
    <datalist id=${known}>
      ${others.map((each) => html`<option value=${each.number}>${say(`persona.${each.name}`)}</option>`)}
    </datalist>
    <${Choice} name="application" label=${say("application")}
      choices=${mine.map((each) => [each.applicationId, translate(each.applicationName)])} />
    <${Choice} name="type" label=${say("type")} choices=${ours.map((each) => [each.messageTypeId, translate(each.messageTypeName)])} />
    <fieldset onInput=${noteSubject}>
      <legend>${say("subject")}</legend>
      ${CODES.map((code) => html`<${Field} name=${`subject-${code}`} label=${code} isNeeded=${!hasSubject} most="400" />`)}
    </fieldset>
    <${Field} name="body" label=${say("text")} rows="4" isNeeded=${!hasFiles} />
    <${Field} name="action" label=${say("action.ask")} most="1000" />
    <${Tick} name="isReplyAuthorized" label=${say("reply.allow")} />
    <${Tick} name="isRegisteredMail" label=${say("registered")} />
  `;
}

// The members of messageToPublish and its body, out of the fields above.
export function readFields(fields) {
  const value = (name) => fields.namedItem(name).value.trim();
  const recipient = value("recipient");
  const subject = Object.fromEntries(CODES.map((code) => [code, value(`subject-${code}`)]).filter(([, text]) => text));
  const inAll = (text) => Object.fromEntries(Object.keys(subject).map((code) => [code, text]));
  const action = value("action");
  const members = {
    sender: { eboxType: "enterprise", enterpriseNumber: value("sender") },
    recipient:
      recipient.length === 11 ? { eboxType: "citizen", ssin: recipient } : { eboxType: "enterprise", enterpriseNumber: recipient },
    subject,
    senderApplicationId: value("application"),
    messageTypeId: value("type"),
    isReplyAuthorized: fields.namedItem("isReplyAuthorized").checked,
    isRegisteredMail: fields.namedItem("isRegisteredMail").checked,
    ...(action ? { messageAction: { messageActionId: "portal-1", label: inAll(action) } } : {}),
  };
  return { members, body: value("body") ? inAll(value("body")) : null };
}

// NSSO leaves these lists empty (contract 2.5): then any sender may choose any.
function isFor(organizations, number) {
  return !organizations?.length || !number || organizations.includes(number);
}

function Field({ name, label, value, rows, most, isNeeded, ...more }) {
  const id = useId();
  const attributes = { id, name, required: Boolean(isNeeded), maxlength: most, ...more };
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${rows ? html`<textarea rows=${rows} ...${attributes}></textarea>` : html`<input defaultValue=${value ?? ""} ...${attributes} />`}
    </div>
  `;
}

// Names to choose from; where they may not be read, the id is typed.
function Choice({ name, label, choices }) {
  const id = useId();
  if (!choices.length) return html`<${Field} name=${name} label=${label} isNeeded />`;
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <select id=${id} name=${name} required>${choices.map(([value, text]) => html`<option value=${value}>${text}</option>`)}</select>
    </div>
  `;
}

function Tick({ name, label }) {
  return html`<p><label><input type="checkbox" name=${name} /> ${label}</label></p>`;
}

function useList(reference, kind) {
  const [items, setItems] = useState([]);
  useEffect(() => void reference.list(kind).then(setItems), [reference, kind]);
  return items;
}
