// The text of a message, plain or HTML, as elements that can do no harm.
//
// HTML of a sender is parsed in a document that runs and loads nothing, and drawn anew with the
// elements below and no attributes but the address of a link; anything else is left out.
import { h } from "./vendor/preact.js";

const ELEMENTS = new Set(
  "p br b strong i em u ul ol li h1 h2 h3 h4 h5 h6 table thead tbody tr th td blockquote pre code hr div span a".split(" "),
);
const LEFT_OUT = new Set("script style template iframe object embed svg math head title noscript".split(" "));
const HEADINGS = { h1: "h3", h2: "h4", h3: "h5", h4: "h6", h5: "h6" }; // below those of the page
const inert = globalThis.trustedTypes?.createPolicy("inert", { createHTML: (text) => text });

export function drawText(text) {
  if (!/<[a-z!/][^>]*>/i.test(text)) return text.split(/\n{2,}/).map((part) => h("p", null, part));
  const quiet = silence(text);
  const body = new DOMParser().parseFromString(inert ? inert.createHTML(quiet) : quiet, "text/html").body;
  return [...body.childNodes].map(draw);
}

// What the page's policy forbids would be left out in any case; without it the browser has nothing
// to complain of while it parses.
function silence(text) {
  const names = (tag) => tag.replace(/([\s"'/])(on[a-z]+|style)(?=\s*=)/gi, "$1data-$2");
  return text.replace(/<style\b[^]*?(<\/style>|$)/gi, "").replace(/<[a-z][^>]*>/gi, names);
}

function draw(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  const name = node.nodeType === Node.ELEMENT_NODE ? node.localName : "script";
  if (LEFT_OUT.has(name)) return null;
  const inside = [...node.childNodes].map(draw);
  return ELEMENTS.has(name) ? h(HEADINGS[name] ?? name, attributes(node, name), ...inside) : inside;
}

function attributes(node, name) {
  const address = name === "a" ? (node.getAttribute("href") ?? "") : "";
  return /^https?:\/\//i.test(address) ? { href: address, target: "_blank", rel: "noopener noreferrer" } : null;
}
