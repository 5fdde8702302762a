// Every call to the registry, for the inspector: what, how it ended, how long, from a cache or not.
import { Store } from "./store.js";

const MOST = 500;

export const journal = new Store([]);
let count = 0;

// How many answers of our own server are awaited. They are no calls to the registry, but calls wait
// for the token and the folders that they bring: until then a page without calls is busy all the same.
export const waits = new Store(0);

// Begin an entry; what it gives ends it.
export function begin(method, url) {
  count += 1;
  const entry = { number: count, method, url, startedAt: performance.now() };
  journal.set([...journal.value, entry].slice(-MOST));
  return (status, traceId = "") => {
    const milliseconds = Math.round(performance.now() - entry.startedAt);
    replace(entry.number, { status, traceId, milliseconds });
  };
}

export function clear() {
  journal.set([]);
}

// Only the browser knows what came from its cache; it tells afterwards, and only where the answer
// has Timing-Allow-Origin, without which all sizes are zero.
export function watchCache() {
  new PerformanceObserver((list) => {
    for (const timing of list.getEntries()) note(timing);
  }).observe({ type: "resource", buffered: true });
}

function note(timing) {
  if (!timing.decodedBodySize) return;
  const same = (entry) => entry.url === timing.name && entry.source === undefined && entry.startedAt <= timing.startTime + 1;
  const entry = journal.value.findLast(same);
  if (!entry) return;
  const revalidated = timing.transferSize < timing.encodedBodySize;
  replace(entry.number, { source: timing.transferSize === 0 ? "cache" : revalidated ? "revalidated" : "network" });
}

function replace(number, members) {
  journal.set(journal.value.map((entry) => (entry.number === number ? { ...entry, ...members } : entry)));
}
