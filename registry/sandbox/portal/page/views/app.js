// The whole page: what stands above, the view that the address names, the inspector below.
import { html, useEffect } from "../html.js";
import { route } from "../route.js";
import { useStore } from "../store.js";
import { language, say } from "../words.js";
import { Header } from "./header.js";
import { Inspector } from "./inspector.js";
import { Messages } from "./messages.js";
import { NewConnection } from "./new-connection.js";
import { Notice } from "./notice.js";
import { Sending } from "./sending.js";

export function App({ portal }) {
  useStore(language);
  const place = useStore(route);
  useEffect(() => {
    document.title = `${say(place.view === "sent" ? "send" : "inbox")} · e-Box`;
  });
  const view = place.view === "sent" ? Sending : Messages;
  return html`
    <a class="skip" href="#main" onClick=${skip}>${say("skip")}</a>
    <${Header} portal=${portal} place=${place} />
    <main id="main" tabindex="-1">
      ${portal.connection
        ? html`<${Notice} notice=${portal.mailbox.notice} /><${view} portal=${portal} place=${place} />`
        : html`<div class="card"><h1>${say("connection")}</h1><${NewConnection} /></div>`}
    </main>
    <${Inspector} />
  `;
}

// The part of an address behind # is the route, so the link to the content does its work here.
function skip(event) {
  event.preventDefault();
  document.querySelector("#main").focus();
}
