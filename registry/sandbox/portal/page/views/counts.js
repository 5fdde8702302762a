// What the registry's statistics say of the e-Box; a count that is a filter of the list is a link to it.
import { html } from "../html.js";
import { linkTo } from "../route.js";
import { useStore } from "../store.js";
import { say } from "../words.js";

const COUNTS = [
  ["numberOfMessages", "messages", null],
  ["numberOfUnreadMessages", "unread", { isRead: "false" }],
  ["numberOfActionRequiredMessages", "action", { isActionRequired: "true" }],
  ["numberOfRegisteredMessages", "registered", { isRegisteredMail: "true" }],
  ["numberOfSoonExpiringMessages", "expiring", null],
];

export function Counts({ portal: { mailbox }, query }) {
  const { all, folders } = useStore(mailbox.counts);
  const statistics = query.folder ? folders[query.folder] : all;
  if (!statistics) return null;
  return html`
    <ul class="counts" aria-label=${say("statistics")}>
      ${COUNTS.map(([member, name, filter]) => {
        const inside = html`<strong>${statistics[member]}</strong> ${say(name)}`;
        return html`<li>${filter ? html`<a href=${linkTo({ query: { folder: query.folder, ...filter } })}>${inside}</a>` : html`<span>${inside}</span>`}</li>`;
      })}
    </ul>
  `;
}
