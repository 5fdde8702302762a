// Names and logos of senders, applications and message types, each asked for once while it may be kept.
//
// The browser's cache keeps answers as Cache-Control says, also when the page is loaded again; here
// they are kept for as long, so that a page of messages asks once for what all of them have.

const PATHS = {
  organization: "/refData/senderOrganizations",
  application: "/refData/senderApplications",
  type: "/refData/messageTypes",
};

export class ReferenceData {
  #kept = new Map();

  constructor(calls) {
    this.calls = calls;
  }

  // An item, or null where there is none or none may be read.
  item(kind, id) {
    return this.#ask(`${PATHS[kind]}/${encodeURIComponent(id)}`, (answer) => answer.json());
  }

  async list(kind) {
    return (await this.#ask(PATHS[kind], (answer) => answer.json()))?.items ?? [];
  }

  // An address of the image for this page, or null.
  logo(kind, id, imageId) {
    const path = `${PATHS[kind]}/${encodeURIComponent(id)}/images/${encodeURIComponent(imageId)}/content`;
    return this.#ask(path, async (answer) => URL.createObjectURL(await answer.blob()));
  }

  #ask(path, read) {
    const kept = this.#kept.get(path);
    if (kept && kept.until > Date.now()) return kept.promise;
    const fresh = { until: Infinity }; // whoever asks meanwhile shares the call
    fresh.promise = this.calls.send("GET", path).then(
      (answer) => {
        fresh.until = Date.now() + 1000 * secondsToKeep(answer.headers.get("Cache-Control") ?? "");
        return read(answer);
      },
      () => null,
    );
    this.#kept.set(path, fresh);
    return fresh.promise;
  }
}

function secondsToKeep(cacheControl) {
  if (/no-store|no-cache/.test(cacheControl)) return 0;
  return Number(/max-age=(\d+)/.exec(cacheControl)?.[1] ?? 0);
}
