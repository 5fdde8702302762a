// Who calls which registry: a persona of the sandbox, or anybody with a token at any base URL.
//
// The page's address says which: ?persona=NAME or ?registry=URL. The server lets the page call that
// registry and no other, so whoever changes it loads the page again; nothing of one person's e-Box
// can then be left for the next. A token that was pasted is handed over in the tab's memory and
// removed from there when it is read: loading the page once more asks for it again.
import { waits } from "./journal.js";

const PASTED = "pasted";

export async function listPersonas() {
  const answer = await fetch("personas/");
  return (await answer.json()).personas;
}

export function goToPersona(name) {
  reload({ persona: name });
}

export function goToRegistry(registry, token, mandator) {
  sessionStorage.setItem(PASTED, JSON.stringify({ token, mandator }));
  reload({ registry });
}

function reload(members) {
  const query = new URLSearchParams(location.search);
  for (const name of ["persona", "registry"]) query.delete(name);
  for (const [name, value] of Object.entries(members)) query.set(name, value);
  location.assign(`?${query}`);
}

// The connection that the address names, or null when somebody has to be chosen first.
export function readConnection(personas) {
  const query = new URLSearchParams(location.search);
  const registry = query.get("registry");
  if (registry) return readPasted(registry);
  const name = query.get("persona") ?? personas[0].name;
  const persona = personas.find((each) => each.name === name);
  return persona ? new PersonaConnection(persona) : null;
}

function readPasted(registry) {
  const pasted = sessionStorage.getItem(PASTED);
  sessionStorage.removeItem(PASTED);
  return pasted ? new PastedConnection(registry, JSON.parse(pasted)) : null;
}

class PersonaConnection {
  constructor({ name, kind, baseUrl, number, mandator, sends }) {
    Object.assign(this, { name, kind, number, mandator, sends, baseUrl });
    this.isPersona = true;
    this.token = "";
  }

  async renew() {
    const answer = await askServer(`personas/${this.name}/token`, { method: "POST" });
    this.token = answer?.token ?? "";
    return answer !== null;
  }

  async listFolders() {
    return (await askServer(`personas/${this.name}/folders`))?.folders ?? [];
  }
}

// What our own server says, or null where it refuses.
async function askServer(path, options) {
  waits.set(waits.value + 1);
  try {
    const answer = await fetch(path, options);
    return answer.ok ? await answer.json() : null;
  } finally {
    waits.set(waits.value - 1);
  }
}

class PastedConnection {
  constructor(baseUrl, { token, mandator }) {
    Object.assign(this, { baseUrl: baseUrl.replace(/\/+$/, ""), token, mandator });
    this.name = "";
    this.kind = baseUrl.includes("/citizen/") ? "citizen" : "enterprise";
    this.number = mandator ?? "";
    this.sends = true; // who knows: the registry will say
    this.isPersona = false;
  }

  async renew() {
    return false;
  }

  async listFolders() {
    return []; // only the federation's Partition API has them; folders of messages are shown
  }
}
