// Partitions as folders, each with the number of its unread messages.
import { html } from "../html.js";
import { linkTo } from "../route.js";
import { useStore } from "../store.js";
import { say } from "../words.js";

export function Folders({ portal: { mailbox, connection }, query }) {
  const names = useStore(mailbox.folders);
  const counts = useStore(mailbox.counts);
  const at = query.hidden ? "hidden" : (query.folder ?? "");
  const line = (place, text, unread) => html`
    <li>
      <a href=${linkTo({ query: place })} aria-current=${(place.hidden ? "hidden" : (place.folder ?? "")) === at ? "true" : undefined}>
        <span>${text}</span>
        ${unread > 0 && html`<span class="badge"><span class="unseen">${say("unread")}: </span>${unread}</span>`}
      </a>
    </li>
  `;
  return html`
    <nav class="folders" aria-label=${say("folders")}>
      <ul>
        ${line({}, say("everything"), counts.all?.numberOfUnreadMessages)}
        ${connection.kind === "enterprise" && names.map((name) => line({ folder: name }, folderName(name), counts.folders[name]?.numberOfUnreadMessages))}
        ${line({ hidden: "1" }, say("hidden"), 0)}
      </ul>
    </nav>
  `;
}

export function folderName(name) {
  return name === "GENERAL" ? say("general") : name;
}
