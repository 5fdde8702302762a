// Calls to the registry with the bearer's token, all of them in the journal.
import { begin } from "./journal.js";
import { Problem, describeAnswer } from "./problem.js";

const TRACE = "BelGov-Trace-Id";
const MOST_PATIENCE = 5; // seconds

export class Calls {
  constructor(connection) {
    this.connection = connection;
  }

  // The answer to a call; throws a Problem for any that is not 2xx. A token that has expired is
  // renewed once, where that is possible; a registry that is busy is asked once more when it says.
  async send(method, path, { query, body, headers } = {}) {
    const url = this.#address(path, query);
    if (!this.connection.token) await this.connection.renew();
    let answer = await this.#sendOnce(method, url, body, headers);
    if (answer.status === 401 && (await this.connection.renew())) {
      answer = await this.#sendOnce(method, url, body, headers);
    }
    const seconds = Number(answer.headers.get("Retry-After") ?? Infinity);
    if ([429, 503].includes(answer.status) && seconds <= MOST_PATIENCE) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
      answer = await this.#sendOnce(method, url, body, headers);
    }
    if (!answer.ok) throw describeAnswer(answer.status, await answer.text(), answer.headers.get(TRACE));
    return answer;
  }

  async get(path, query) {
    return (await this.send("GET", path, { query })).json();
  }

  async sendJson(method, path, members, mediaType = "application/json") {
    const body = JSON.stringify(members);
    return (await this.send(method, path, { body, headers: { "Content-Type": mediaType } })).json();
  }

  // Send a form with files; only XMLHttpRequest tells how far it is. `onProgress` gets 0 to 1.
  async upload(path, form, headers, onProgress) {
    if (!this.connection.token) await this.connection.renew();
    const url = this.#address(path);
    const end = begin("POST", url);
    const request = new XMLHttpRequest();
    await new Promise((resolve) => {
      request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
      request.onloadend = resolve;
      request.open("POST", url);
      for (const [name, value] of Object.entries(this.#headers(headers))) request.setRequestHeader(name, value);
      request.send(form);
    });
    const traceId = request.getResponseHeader(TRACE) ?? "";
    end(request.status, traceId);
    if (request.status === 0) throw new Problem({});
    if (request.status >= 300) throw describeAnswer(request.status, request.responseText, traceId);
    return JSON.parse(request.responseText);
  }

  async #sendOnce(method, url, body, headers) {
    const end = begin(method, url);
    try {
      const answer = await fetch(url, { method, body, headers: this.#headers(headers) });
      end(answer.status, answer.headers.get(TRACE) ?? "");
      return answer;
    } catch {
      // The browser does not say why: nobody there, or our origin is not let in.
      end(0);
      throw new Problem({});
    }
  }

  #address(path, query = {}) {
    const words = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value != null));
    return `${this.connection.baseUrl}${path}${words.size ? `?${words}` : ""}`;
  }

  #headers(more = {}) {
    const { token, mandator } = this.connection;
    const named = mandator ? { "On-Behalf-Of-Enterprise-Number": mandator } : {};
    return { Authorization: `Bearer ${token}`, ...named, ...more };
  }
}
