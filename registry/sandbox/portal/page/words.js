// The page's own texts in four languages, and dates and sizes as these languages write them.
import { Store } from "./store.js";

export const LANGUAGES = ["nl", "fr", "de", "en"];
const MESSAGE_LANGUAGES = ["nl", "fr", "de"]; // those in which the registry keeps texts
const dictionaries = new Map();

export const language = new Store("en");

export async function speak(code) {
  const chosen = LANGUAGES.includes(code) ? code : "en";
  if (!dictionaries.has(chosen)) {
    const answer = await fetch(`words/${chosen}.json`);
    dictionaries.set(chosen, await answer.json());
  }
  document.documentElement.lang = chosen;
  language.set(chosen);
}

export function guessLanguage() {
  const codes = navigator.languages.map((code) => code.slice(0, 2));
  return codes.find((code) => LANGUAGES.includes(code)) ?? "en";
}

// The text of this name, with {members} filled in.
export function say(name, members = {}) {
  const text = dictionaries.get(language.value)?.[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, member) => String(members[member] ?? ""));
}

// The language in which texts of messages are shown and searched.
export function messageLanguage() {
  return MESSAGE_LANGUAGES.includes(language.value) ? language.value : MESSAGE_LANGUAGES[0];
}

// A TranslatedString in the reader's language, else in any.
export function translate(text) {
  if (!text) return "";
  const code = [messageLanguage(), ...MESSAGE_LANGUAGES].find((each) => text[each]);
  return code ? text[code] : "";
}

export function showDate(text, withTime = false) {
  const style = withTime ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "medium" };
  const locale = `${language.value}-BE`;
  return new Intl.DateTimeFormat(locale, { ...style, timeZone: "Europe/Brussels" }).format(new Date(text));
}

export function showSize(kilobytes) {
  const [size, unit] = kilobytes < 1024 ? [kilobytes, "kB"] : [kilobytes / 1024, "MB"];
  return `${new Intl.NumberFormat(`${language.value}-BE`, { maximumFractionDigits: 1 }).format(size)} ${unit}`;
}

export function showAmount(amount, currency) {
  return new Intl.NumberFormat(`${language.value}-BE`, { style: "currency", currency }).format(amount);
}
