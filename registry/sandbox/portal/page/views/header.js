// Who is reading which registry, in which language; and where one can go.
import { goToPersona } from "../connection.js";
import { html, useId, useRef } from "../html.js";
import { linkTo } from "../route.js";
import { LANGUAGES, language, say, speak } from "../words.js";
import { NewConnection } from "./new-connection.js";

export function Header({ portal, place }) {
  const { connection } = portal;
  const current = (view) => (place.view === view ? "page" : undefined);
  return html`
    <header class="top">
      <p class="brand"><img src="icon.svg" alt="" width="28" height="28" />e-Box <span>${say("local")}</span></p>
      ${connection &&
      html`<nav aria-label=${say("views")}>
        <a href=${linkTo({})} aria-current=${current("messages")}>${say("inbox")}</a>
        ${connection.sends && html`<a href=${linkTo({ view: "sent" })} aria-current=${current("sent")}>${say("send")}</a>`}
      </nav>`}
      <div class="choices">
        <${PersonaChoice} portal=${portal} />
        <${LanguageChoice} />
        ${connection && html`<${ConnectionChoice} />`}
      </div>
    </header>
  `;
}

function PersonaChoice({ portal: { personas, connection } }) {
  const id = useId();
  const name = connection?.name ?? "";
  return html`
    <label for=${id}>${say("persona")}</label>
    <select id=${id} value=${name} onChange=${(event) => goToPersona(event.target.value)}>
      ${!name && html`<option value="" disabled>${connection ? new URL(connection.baseUrl).host : "…"}</option>`}
      ${personas.map((each) => html`<option value=${each.name}>${say(`persona.${each.name}`)}</option>`)}
    </select>
  `;
}

function LanguageChoice() {
  const id = useId();
  const choose = async (event) => {
    const code = event.target.value;
    const query = new URLSearchParams(location.search);
    query.set("lang", code);
    history.replaceState(null, "", `?${query}${location.hash}`);
    await speak(code);
  };
  return html`
    <label class="unseen" for=${id}>${say("language")}</label>
    <select id=${id} class="language" value=${language.value} onChange=${choose}>
      ${LANGUAGES.map((code) => html`<option value=${code} lang=${code}>${code}</option>`)}
    </select>
  `;
}

function ConnectionChoice() {
  const dialog = useRef(null);
  const title = useId();
  return html`
    <button type="button" onClick=${() => dialog.current.showModal()}>${say("connect")}</button>
    <dialog ref=${dialog} aria-labelledby=${title}>
      <h2 id=${title}>${say("connection")}</h2>
      <${NewConnection} onCancel=${() => dialog.current.close()} />
    </dialog>
  `;
}
