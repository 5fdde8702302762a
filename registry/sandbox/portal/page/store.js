// A value that views watch: they are drawn again when it changes.
import { useEffect, useState } from "./vendor/hooks.js";

export class Store {
  #watchers = new Set();

  constructor(value) {
    this.value = value;
  }

  set(value) {
    this.value = value;
    for (const watcher of [...this.#watchers]) watcher();
  }

  change(members) {
    this.set({ ...this.value, ...members });
  }

  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

export function useStore(store) {
  const [, draw] = useState(0);
  useEffect(() => {
    const again = () => draw((count) => count + 1);
    again(); // it may have changed between drawing and watching
    return store.watch(again);
  }, [store]);
  return store.value;
}
