// The search box with its language, and filters; what is asked for stands in the address.
import { html, useEffect, useId, useRef, useState } from "../html.js";
import { go } from "../route.js";
import { messageLanguage, say, translate } from "../words.js";

export function Search({ portal: { reference }, query }) {
  const [more, setMore] = useState(false);
  const [q, qlang] = [useId(), useId()];
  const form = useRef(null);
  // The form stays, and with it the place of whoever uses keys; only what it holds follows the address.
  useEffect(() => {
    for (const field of form.current.elements) {
      if (field.name) field.value = query[field.name] ?? (field.name === "qlang" ? messageLanguage() : "");
    }
  }, [JSON.stringify(query)]);
  const search = (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    go({ query: { folder: query.folder, hidden: query.hidden, ...fields, qlang: fields.q ? fields.qlang : "" } });
  };
  const isNarrow = Object.keys(query).some((name) => !["folder", "hidden", "page"].includes(name));
  const clear = () => go({ query: { folder: query.folder, hidden: query.hidden } });
  return html`
    <form class="search" role="search" ref=${form} onSubmit=${search}>
      <label class="unseen" for=${q}>${say("search")}</label>
      <input id=${q} name="q" type="search" placeholder=${say("search.hint")} />
      <label class="unseen" for=${qlang}>${say("search.language")}</label>
      <select id=${qlang} name="qlang">
        ${["nl", "fr", "de"].map((code) => html`<option value=${code}>${code}</option>`)}
      </select>
      <button class="main" type="submit">${say("search")}</button>
      <button type="button" aria-expanded=${more} onClick=${() => setMore(!more)}>${say("filters")}</button>
      ${isNarrow && html`<button type="button" onClick=${clear}>${say("search.clear")}</button>`}
      <div class="filters" hidden=${!more}><${Filters} reference=${reference} query=${query} isShown=${more} /></div>
    </form>
  `;
}

function Filters({ reference, query, isShown }) {
  const types = useList(reference, "type", isShown);
  const senders = useList(reference, "organization", isShown);
  const yesOrNo = [["true", say("yes")], ["false", say("no")]];
  const typeNames = types.map((type) => [type.messageTypeId, translate(type.messageTypeName)]);
  const senderNames = senders.map((sender) => [sender.organizationId, translate(sender.organizationShortName)]);
  return html`
    <${Choice} name="isRead" label=${say("read")} choices=${yesOrNo} query=${query} />
    <${Choice} name="isActionRequired" label=${say("action")} choices=${yesOrNo} query=${query} />
    <${Choice} name="isRegisteredMail" label=${say("registered")} choices=${yesOrNo} query=${query} />
    <${Choice} name="messageTypeId" label=${say("type")} choices=${typeNames} query=${query} />
    <${Choice} name="senderOrganizationId" label=${say("from")} choices=${senderNames} query=${query} />
    <${Day} name="receivedAfter" label=${say("received.after")} query=${query} />
    <${Day} name="receivedBefore" label=${say("received.before")} query=${query} />
  `;
}

function Choice({ name, label, choices, query }) {
  const id = useId();
  const value = query[name] ?? "";
  const known = choices.some(([each]) => each === value) || !value ? choices : [...choices, [value, value]];
  return html`
    <div>
      <label for=${id}>${label}</label>
      <select id=${id} name=${name}>
        <option value="">${say("any")}</option>
        ${known.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}
      </select>
    </div>
  `;
}

function Day({ name, label, query }) {
  const id = useId();
  return html`<div><label for=${id}>${label}</label><input id=${id} name=${name} type="date" /></div>`;
}

// Lists of reference data are asked for when somebody wants to choose from them.
function useList(reference, kind, isWanted) {
  const [items, setItems] = useState([]);
  useEffect(() => {
    if (isWanted) reference.list(kind).then(setItems);
  }, [isWanted]);
  return items;
}
