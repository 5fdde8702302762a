// A message to publish or to reply with, as the multipart form of the contract.

const MOST_TO_DIGEST = 64 * 1024 * 1024; // bytes: a browser digests what it holds as a whole

// `members` are those of messageToPublish; the file at `main` is the main content, without files the body.
export async function buildForm(members, files, main, body) {
  const form = new FormData();
  const attachments = await Promise.all(files.map((file, index) => describe(file, index, index === main)));
  const message = {
    ...members,
    ...(attachments.length ? { attachments } : {}),
    ...(body ? { bodyContent: body, isBodyMainContent: !attachments.length } : {}),
  };
  form.append("messageToPublish", JSON.stringify(message));
  files.forEach((file, index) => form.append(partName(index), file));
  return form;
}

async function describe(file, index, isMainContent) {
  const digest = file.size <= MOST_TO_DIGEST ? { digest: await computeDigest(file) } : {};
  return { httpPartName: partName(index), isMainContent, ...digest };
}

async function computeDigest(file) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const base64 = btoa(String.fromCharCode(...bytes));
  return { digestValue: base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""), digestMethod: "sha_256" };
}

function partName(index) {
  return `upfile${index + 1}`;
}
