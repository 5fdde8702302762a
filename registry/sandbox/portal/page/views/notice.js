// What has just been done, or went wrong; screen readers hear it.
import { html } from "../html.js";
import { useStore } from "../store.js";
import { say } from "../words.js";

export function Notice({ notice }) {
  const { text, problem } = useStore(notice);
  const close = () => notice.set({ text: "", problem: null });
  return html`
    <div class="notice" role="status">
      ${text && html`<p>${text} <button type="button" class="close" aria-label=${say("close")} onClick=${close}>×</button></p>`}
    </div>
    ${problem && html`<${Trouble} problem=${problem} />`}
  `;
}

// A call that was refused or failed, in the registry's words where it has some.
export function Trouble({ problem }) {
  const sentence = problem.status ? `${problem.status} ${problem.title}` : say("unreachable", { origin: location.origin });
  return html`
    <div class="trouble" role="alert">
      <p><strong>${sentence}</strong> ${problem.detail}</p>
      ${problem.issues?.length > 0 && html`<ul>${problem.issues.map((issue) => html`<li>${issue.name} ${issue.detail}</li>`)}</ul>`}
      ${problem.traceId && html`<p class="small">${say("trace")} <code>${problem.traceId}</code></p>`}
    </div>
  `;
}

// Do something with the registry; what it throws becomes the notice, and `text` when it went well.
export async function attempt(notice, work, text = "") {
  notice.set({ text: "", problem: null });
  try {
    await work();
    notice.set({ text, problem: null });
    return true;
  } catch (problem) {
    notice.set({ text: "", problem });
    return false;
  }
}
