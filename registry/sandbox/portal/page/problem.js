// Anything that went wrong with a call, in words: of the registry where it gave some.

export class Problem extends Error {
  constructor({ status = 0, title = "", detail = "", issues = [], traceId = "" }) {
    super(title);
    Object.assign(this, { status, title, detail, issues, traceId });
  }
}

export function describeAnswer(status, text, traceId) {
  let members = {};
  try {
    members = JSON.parse(text);
  } catch {
    // not a problem of the registry: a proxy's page perhaps
  }
  const { title = "", detail = "", issues = [] } = members;
  return new Problem({ status, title, detail, issues, traceId });
}
