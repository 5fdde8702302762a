// The documents of a message: opened in the page where the browser can do so safely, or downloaded.
import { html, useEffect, useState } from "../html.js";
import { say, showSize, translate } from "../words.js";
import { attempt } from "./notice.js";

const SHOWN = new Set(["application/pdf", "text/plain", "text/csv"]); // HTML of others is never opened
const MOST_TEXT = 200_000; // characters

export function Documents({ portal, message }) {
  const { registry, mailbox } = portal;
  const [shown, setShown] = useState(null);
  useEffect(() => () => shown && URL.revokeObjectURL(shown.address), [shown]);
  const fetchContent = async (attachment) => {
    const content = await registry.getContent(message.messageId, attachment.attachmentId);
    if (attachment.isMainContent) await mailbox.markRead(message.messageId);
    return content;
  };
  const open = (attachment) =>
    attempt(mailbox.notice, async () => setShown(await present(attachment, await fetchContent(attachment))));
  const download = (attachment) =>
    attempt(mailbox.notice, async () => save(attachment.fileName, await fetchContent(attachment)), say("downloaded"));
  return html`
    <ul class="documents" aria-label=${say("documents")}>
      ${message.attachments.items.map(
        (attachment) => html`
          <li>
            <span class="file">${translate(attachment.attachmentTitle) || attachment.fileName}</span>
            <span class="small">${attachment.fileName}, ${showSize(attachment.size)}${attachment.isMainContent ? `, ${say("main")}` : ""}</span>
            <span class="buttons">
              ${SHOWN.has(attachment.mediaType) &&
              html`<button class=${attachment.isMainContent ? "main" : ""} type="button" onClick=${() => open(attachment)}
                aria-label=${`${say("open")}: ${attachment.fileName}`}>${say("open")}</button>`}
              <button type="button" onClick=${() => download(attachment)}
                aria-label=${`${say("download")}: ${attachment.fileName}`}>${say("download")}</button>
            </span>
          </li>
        `,
      )}
    </ul>
    ${shown && html`<${Paper} shown=${shown} onClose=${() => setShown(null)} />`}
  `;
}

async function present({ fileName, mediaType }, content) {
  const isPdf = mediaType === "application/pdf";
  const text = isPdf ? "" : (await content.text()).slice(0, MOST_TEXT);
  // The type is ours: whatever an answer calls itself, it is opened as nothing but a PDF.
  return { fileName, text, address: isPdf ? URL.createObjectURL(new Blob([content], { type: mediaType })) : "" };
}

function Paper({ shown, onClose }) {
  return html`
    <figure class="paper">
      <figcaption>${shown.fileName} <button type="button" onClick=${onClose}>${say("close")}</button></figcaption>
      ${shown.address
        ? html`<iframe src=${`${shown.address}#navpanes=0`} title=${shown.fileName}></iframe>`
        : html`<pre tabindex="0">${shown.text}</pre>`}
    </figure>
  `;
}

function save(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser is reading it meanwhile
}
