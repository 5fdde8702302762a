// A form that points the portal at any registry, with a token of one's own.
import { goToRegistry } from "../connection.js";
import { html, useId } from "../html.js";
import { say } from "../words.js";

export function NewConnection({ onCancel }) {
  const [base, token, mandator, hint] = [useId(), useId(), useId(), useId()];
  const connect = (event) => {
    event.preventDefault();
    const fields = event.target.elements;
    goToRegistry(fields.base.value.trim().replace(/\/+$/, ""), fields.token.value.trim(), fields.mandator.value.trim());
  };
  const before = new URLSearchParams(location.search).get("registry") ?? "";
  return html`
    <form class="fields" onSubmit=${connect}>
      <p id=${hint}>${say("connection.hint", { origin: location.origin })}</p>
      <label for=${base}>${say("base")}</label>
      <input id=${base} name="base" type="url" required pattern="https?://.+" defaultValue=${before}
        placeholder="https://ebox.provider.example/REST/ebox/enterprise/messageRegistry/v3" aria-describedby=${hint} />
      <label for=${token}>${say("token")}</label>
      <textarea id=${token} name="token" rows="4" required spellcheck=${false} autocomplete="off"></textarea>
      <label for=${mandator}>${say("mandator")}</label>
      <input id=${mandator} name="mandator" inputmode="numeric" pattern="[01][0-9]{9}" />
      <div class="buttons">
        <button class="main" type="submit">${say("connect")}</button>
        ${onCancel && html`<button type="button" onClick=${onCancel}>${say("cancel")}</button>`}
      </div>
    </form>
  `;
}
