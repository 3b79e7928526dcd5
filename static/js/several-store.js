// What is still known after a reload: of many pictures those that the site has and those it refused, of a single one
// also its bars and its box. Kept for this tab and for the account that sent them.

const KEY = "pictures";
const ONE = "picture";

/** Keeps {entries, unsent} for `owner`. */
export function keepPictures(owner, kept) {
  try {
    if (kept.entries.length || kept.unsent) sessionStorage.setItem(KEY, JSON.stringify({ owner, ...kept }));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Without storage, or when it is full, a reload begins anew.
  }
}

/** What was kept for `owner`, or null. */
export function keptPictures(owner) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (kept && kept.owner === owner && Array.isArray(kept.entries)) return kept;
  } catch {
    // What cannot be read was not kept.
  }
  forgetPictures();
  return null;
}

export function forgetPictures() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // There is nothing to forget.
  }
}

/** Keeps the one picture on the canvas, {id, name, picture, width, height, bars, crop}; nothing for null. */
export function keepPicture(owner, one) {
  try {
    if (one) sessionStorage.setItem(ONE, JSON.stringify({ owner, ...one }));
    else sessionStorage.removeItem(ONE);
  } catch {
    // As above.
  }
}

/** The picture from before a reload; null after any other way to the page, which begins anew. */
export function keptPicture(owner) {
  try {
    if (performance.getEntriesByType("navigation")[0]?.type !== "reload") return null;
    const one = JSON.parse(sessionStorage.getItem(ONE) ?? "null");
    return one?.owner === owner && one.id ? one : null;
  } catch {
    return null;
  }
}
