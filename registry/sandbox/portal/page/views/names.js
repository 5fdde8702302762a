// Names and logos of reference data; until they are there, or where there are none, the id.
import { html, useEffect, useState } from "../html.js";
import { translate } from "../words.js";

const NAMES = {
  organization: (item) => item.organizationShortName,
  application: (item) => item.applicationName,
  type: (item) => item.messageTypeName,
};

export function useItem(reference, kind, id) {
  const [item, setItem] = useState(null);
  useEffect(() => {
    let isWanted = true;
    if (id) reference.item(kind, id).then((answer) => isWanted && setItem(answer));
    return () => {
      isWanted = false;
    };
  }, [reference, kind, id]);
  return item;
}

export function Name({ reference, kind, id }) {
  const item = useItem(reference, kind, id);
  return html`<span>${item ? translate(NAMES[kind](item)) : id}</span>`;
}

// The logo of an organization; decoration, since its name stands beside it.
export function Logo({ reference, id, size }) {
  const item = useItem(reference, "organization", id);
  const [address, setAddress] = useState(null);
  const imageId = item?.organizationLogos?.[0]?.imageId;
  useEffect(() => {
    if (imageId) reference.logo("organization", id, imageId).then(setAddress);
  }, [imageId]);
  return address
    ? html`<img class="logo" src=${address} alt="" width=${size} height=${size} />`
    : html`<span class="logo none" aria-hidden="true" style=${{ width: `${size}px`, height: `${size}px` }}></span>`;
}
