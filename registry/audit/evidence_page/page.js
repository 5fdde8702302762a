// The same checks as `registry audit check-evidence` makes, in a browser: the proof is read from the
// page, each signature and each path of the Merkle tree is computed, and whatever does not hold is told.
{
  const FORMATS = ["ebox-audit-bundle/2"];
  const SEAL_FORMS = { "ebox-audit-seal/1": 1, "ebox-audit-seal/2": 2 };
  const utf8 = new TextEncoder();

  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const toBase64url = (bytes) =>
    btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const join = (...parts) => {
    const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
    return whole;
  };

  /** Throw what does not hold, as a sentence. */
  const demand = (holds, sentence) => {
    if (!holds) throw new Error(sentence);
  };

  async function readKeys(header) {
    const keys = new Map();
    for (const text of header.keys) {
      const raw = fromBase64(text);
      const fingerprint = toHex(await sha256(raw));
      keys.set(fingerprint.slice(0, 16), { raw, fingerprint });
    }
    return keys;
  }

  async function checkSignature(keys, keyId, text, signature) {
    const key = keys.get(keyId);
    demand(key, `The key ${keyId} is not known.`);
    const holds = await verifyAsync(fromBase64(signature), utf8.encode(text), key.raw, { zip215: false });
    demand(holds, `A signature is not that of the key ${keyId}.`);
  }

  /** Microseconds since 1970 of a time in UTC with six decimals. */
  function countMicroseconds(time) {
    const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{6}))?\+00:00$/.exec(time);
    demand(parts, "An entry has no time.");
    return BigInt(Date.parse(`${parts[1]}Z`)) * 1000n + BigInt(parts[2] ?? 0);
  }

  /** The leaf of an entry: RFC 6962's 0x00, number, time, three lengths and three texts. */
  async function hashLeaf([number, text, ebox, person, time], form) {
    const texts = [text, ebox, person].map((each) => (each === null ? null : utf8.encode(each)));
    const frame = new DataView(new ArrayBuffer(form === 1 ? 21 : 29));
    frame.setBigInt64(1, BigInt(number));
    if (form === 2) frame.setBigInt64(9, countMicroseconds(time));
    texts.forEach((each, index) => frame.setInt32((form === 1 ? 9 : 17) + index * 4, each ? each.length : each === null ? -1 : 0));
    return sha256(join(new Uint8Array(frame.buffer), ...texts.map((each) => each ?? new Uint8Array())));
  }

  async function computeRoot(leaf, index, size, path) {
    let [node, place, width, used] = [leaf, index, size, 0];
    demand(Number.isInteger(index) && index >= 0 && index < size, "An entry has no place under its seal.");
    while (width > 1) {
      if ((place ^ 1) < width) {
        const neighbour = path.slice(used, (used += 32));
        demand(neighbour.length === 32, "A proof is too short.");
        node = await sha256(place % 2 ? join([1], neighbour, node) : join([1], node, neighbour));
      }
      [place, width] = [place >> 1, (width + 1) >> 1];
    }
    demand(used === path.length, "A proof is too long.");
    return toHex(node);
  }

  async function checkSeal(keys, line) {
    demand(!line.text.includes("\n"), "A seal has more than its head.");
    const seal = JSON.parse(line.text);
    demand(seal.number === line.seal && seal.format in SEAL_FORMS, "A seal is not one that is made.");
    await checkSignature(keys, seal.key_id, line.text, line.signature);
    return seal;
  }

  async function checkEntry(seal, line, messageId) {
    demand(seal, "An entry comes before any seal.");
    demand(line.record[1].toLowerCase().includes(messageId), "An entry does not name the letter.");
    const leaf = await hashLeaf(line.record, SEAL_FORMS[seal.format]);
    const root = await computeRoot(leaf, line.index, seal.count, fromBase64(line.path));
    demand(root === seal.root, `Seal ${seal.number} does not hold entry ${line.record[0]}.`);
    return { number: line.record[0], seal: seal.number, sealedAt: seal.sealed_at, text: line.record[1] };
  }

  async function checkEnd(keys, line, before, count) {
    const digest = toHex(await sha256(before));
    if (line.end === null) return demand(line.signature === digest, "The proof is not what it says at its end.");
    const statement = `{"format":"${FORMATS[0]} end","lines":${count},"sha256":"${digest}"}`;
    await checkSignature(keys, line.end, statement, line.signature);
  }

  /** Check all of it; the entries, and the keys that signed. */
  async function checkProof(bytes) {
    const lines = new TextDecoder("utf-8", { fatal: true }).decode(bytes).split("\n");
    demand(lines.pop() === "" && lines.length > 1, "The proof stops before its end.");
    const header = JSON.parse(lines[0]);
    demand(FORMATS.includes(header.format), "This proof has a form that the page does not know.");
    demand(header.about?.startsWith("message "), "The proof does not say which letter it is about.");
    const messageId = header.about.slice("message ".length);
    const keys = await readKeys(header);
    const entries = [];
    let seal = null;
    for (const text of lines.slice(1, -1)) {
      const line = JSON.parse(text);
      if ("record" in line) entries.push(await checkEntry(seal, line, messageId));
      else seal = await checkSeal(keys, line);
    }
    const before = utf8.encode(`${lines.slice(0, -1).join("\n")}\n`);
    const end = JSON.parse(lines.at(-1));
    await checkEnd(keys, end, before, lines.length - 1);
    demand(entries.length, "There is no entry in it.");
    return { messageId, entries, keys, isSigned: end.end !== null };
  }

  function listEntries(entries) {
    for (const entry of entries) {
      const row = document.getElementById("entries").insertRow();
      const cells = [entry.number, entry.seal, entry.sealedAt, "holds", entry.text];
      cells.forEach((text) => (row.insertCell().textContent = text));
    }
  }

  /** The digests of the letter's documents, as the entry of its publication has them. */
  function readDigests(entries) {
    const publications = entries.map((entry) => JSON.parse(entry.text)).filter((entry) => entry.API_CALL_REQUEST_METHOD === "POST");
    const attachments = publications.flatMap((entry) => entry.API_CALL_DETAILS?.attachments ?? []);
    return new Set(attachments.map((each) => each.digest?.digestValue.replaceAll("=", "")));
  }

  async function compareDocuments(files, digests) {
    const list = document.getElementById("documents");
    list.replaceChildren();
    for (const file of files) {
      const item = list.appendChild(document.createElement("li"));
      const digest = toBase64url(await sha256(await file.arrayBuffer()));
      item.textContent = digests.has(digest)
        ? `${file.name}: a document of this letter, to the byte.`
        : `${file.name}: NOT a document of this letter as it was published.`;
    }
  }

  function tell(kind, text) {
    const verdict = document.getElementById("verdict");
    verdict.className = kind;
    verdict.textContent = text;
  }

  try {
    const proof = await checkProof(fromBase64(document.getElementById("proof").textContent.trim()));
    demand(document.querySelector("dd code").textContent === proof.messageId, "The page is about another letter than its proof.");
    const fingerprints = [...proof.keys.values()].map((key) => key.fingerprint).join(" ");
    demand(document.getElementById("keys").textContent === fingerprints, "The page names other keys than its proof.");
    listEntries(proof.entries);
    const digests = readDigests(proof.entries);
    document.getElementById("document").addEventListener("change", (event) => compareDocuments(event.target.files, digests));
    const whole = proof.isSigned ? "" : " Nobody signed the proof as a whole: entries may be left out of it.";
    tell("holds", `It holds: ${proof.entries.length} entries are as they were sealed and signed.${whole}`);
  } catch (error) {
    tell("fails", `It does NOT hold. ${error.message}`);
  }
}
