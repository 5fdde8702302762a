// Begins the portal: language, connection, and the parts that views share.
import { Calls } from "./calls.js";
import { listPersonas, readConnection } from "./connection.js";
import { html, render } from "./html.js";
import { watchCache } from "./journal.js";
import { Mailbox } from "./mailbox.js";
import { ReferenceData } from "./reference.js";
import { Registry } from "./registry.js";
import { Sent } from "./sent.js";
import { App } from "./views/app.js";
import { guessLanguage, speak } from "./words.js";

watchCache();
const [personas] = await Promise.all([
  listPersonas(),
  speak(new URLSearchParams(location.search).get("lang") ?? guessLanguage()),
]);
const connection = readConnection(personas);
render(html`<${App} portal=${assemble(connection)} />`, document.querySelector("#app"));

function assemble(connection) {
  if (!connection) return { personas, connection };
  const calls = new Calls(connection);
  const registry = new Registry(calls);
  return {
    personas,
    connection,
    registry,
    reference: new ReferenceData(calls),
    mailbox: new Mailbox(registry, connection),
    sent: new Sent(registry, connection),
  };
}
