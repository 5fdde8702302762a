// What every view needs to draw itself: templates, hooks, and texts in the reader's language.
import { h, render } from "./vendor/preact.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { render };
export { useEffect, useId, useMemo, useRef, useState } from "./vendor/hooks.js";
