// Each call that the page made to the registry, for developers: the portal's pattern of calls.
import { html, useState } from "../html.js";
import { clear, journal, waits } from "../journal.js";
import { useStore } from "../store.js";
import { say } from "../words.js";

const isWide = matchMedia("(min-width: 60rem)").matches;
const COLUMNS = ["method", "url", "status", "ms", "source", "trace"];

export function Inspector() {
  const entries = useStore(journal);
  const [isOpen, setIsOpen] = useState(isWide);
  const total = entries.length;
  const isBusy = useStore(waits) > 0 || entries.some((entry) => entry.status === undefined);
  const fromCache = entries.filter((entry) => entry.source === "cache").length;
  return html`
    <section class=${isOpen ? "inspector open" : "inspector"} aria-label=${say("inspector")} aria-busy=${isBusy}>
      <div class="bar">
        <button type="button" aria-expanded=${isOpen} onClick=${() => setIsOpen(!isOpen)}>${say("inspector")}</button>
        <span>${say("inspector.total", { total, cached: fromCache })}</span>
        ${isOpen && html`<button type="button" onClick=${clear}>${say("inspector.clear")}</button>`}
      </div>
      ${isOpen &&
      html`<div class="wide calls" tabindex="0" role="region" aria-label=${say("inspector.calls")}>
        <table>
          <thead><tr>${COLUMNS.map((name) => html`<th scope="col">${say(`inspector.${name}`)}</th>`)}</tr></thead>
          <tbody>${entries.toReversed().map((entry) => html`<${Row} key=${entry.number} entry=${entry} />`)}</tbody>
        </table>
      </div>`}
    </section>
  `;
}

function Row({ entry: { method, url, status, milliseconds, source, traceId } }) {
  const { pathname, search } = new URL(url);
  const isBad = status === 0 || status >= 400;
  return html`
    <tr class=${isBad ? "bad" : ""}>
      <td>${method}</td>
      <td class="url" title=${url}>${pathname.replace(/^.*\/(?=(ebox|refData)\/)/, "/")}${search}</td>
      <td>${status === undefined ? "…" : status || say("inspector.refused")}</td>
      <td class="number">${milliseconds ?? ""}</td>
      <td>${source ? say(`inspector.${source}`) : ""}</td>
      <td class="trace"><code>${traceId ?? ""}</code></td>
    </tr>
  `;
}
