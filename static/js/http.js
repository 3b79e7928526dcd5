// Requests to this site whose failures are sentences. Every failure is a Problem; nothing else is thrown.

const TIMEOUT = 60_000;

/**
 * What went wrong, for a person (`message`) and for code (`code`, `status`; status 0 when nothing answered; `wait`,
 * the seconds after which the site asks to be asked again).
 */
export class Problem extends Error {
  constructor(code, message, status = 0, wait = 0) {
    super(message);
    this.code = code;
    this.status = status;
    this.wait = wait;
  }
}

/** GET, or POST when there is a `body` (FormData); returns the answer's JSON. `signal` ends it. */
export async function ask(url, body = null, { signal = AbortSignal.timeout?.(TIMEOUT) } = {}) {
  // A form's own token may be older than the cookie, and Django would believe the form.
  body?.delete("csrfmiddlewaretoken");
  let response;
  try {
    response = await fetch(url, {
      method: body ? "POST" : "GET",
      body,
      headers: { Accept: "application/json", ...account(), ...(body ? { "X-CSRFToken": token() } : {}) },
      credentials: "same-origin",
      signal,
    });
  } catch (error) {
    throw unreachable(error);
  }
  let answer = null;
  try {
    answer = await response.json();
  } catch {
    // A proxy's own error page, or a connection that broke in the middle.
  }
  tellTrial(answer);
  if (response.ok && answer) return answer;
  throw refusal(answer, response.status, response.headers.get("Retry-After"));
}

/**
 * POST of a FormData; `onProgress(share)` hears how much of it is on its way. Returns the answer's JSON. A slow line may
 * take as long as it needs: only when nothing moves any more is it given up.
 */
export function send(url, body, { onProgress, signal }) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    let timer = 0;
    let stalled = false;
    const moves = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        stalled = true;
        request.abort();
      }, TIMEOUT);
    };
    request.responseType = "json";
    const headers = { Accept: "application/json", ...account(), "X-CSRFToken": token() };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => {
      moves();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    // All of it is there: from now on the answer is waited for.
    request.upload.addEventListener("load", moves);
    request.addEventListener("load", () => {
      const { status, response } = request;
      tellTrial(response);
      if (status >= 200 && status < 300 && response) done(response);
      else fail(refusal(response, status, request.getResponseHeader("Retry-After")));
    });
    request.addEventListener("error", () => fail(unreachable(null)));
    request.addEventListener("abort", () => fail(unreachable(stalled ? { name: "TimeoutError" } : null)));
    request.addEventListener("loadend", () => clearTimeout(timer));
    signal.addEventListener("abort", () => request.abort());
    moves();
    request.send(body);
  });
}

/** What a visitor may still try stands in the page's notice. */
function tellTrial(answer) {
  if (answer?.trial) document.dispatchEvent(new CustomEvent("trial", { detail: answer.trial }));
}

function refusal(answer, status, wait) {
  const { code = "unknown", message = "" } = answer?.error ?? {};
  return new Problem(code, message || sentence(status), status, Number.parseInt(wait, 10) || 0);
}

/** A file of this site as if it had been chosen on the device. */
export async function askFile(url, name) {
  const blob = await whole(url, (response) => response.blob());
  return new File([blob], name, { type: blob.type });
}

/** The bytes of a file of this site. */
export function askBytes(url) {
  return whole(url, (response) => response.arrayBuffer());
}

async function whole(url, read) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout?.(TIMEOUT) });
    if (response.ok) return await read(response);
  } catch (error) {
    throw unreachable(error);
  }
  throw refusal(await response.json().catch(() => null), response.status, response.headers.get("Retry-After"));
}

/** A page of an account says so: once its login has ended, nothing of it may go to a guest. */
function account() {
  return "account" in document.body.dataset ? { "X-Account": "1" } : {};
}

/** The token as it is now: logging in again in another tab changes it. */
function token() {
  const cookie = document.cookie.match(/(?:^|;\s*)(?:__Secure-)?csrftoken=([^;]+)/);
  return cookie?.[1] ?? document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
}

function unreachable(error) {
  if (error?.name === "TimeoutError") return new Problem("timeout", gettext("The site took too long to answer."));
  if (navigator.onLine === false) return new Problem("offline", gettext("You are offline."));
  return new Problem("unreachable", gettext("The site cannot be reached at the moment."));
}

function sentence(status) {
  if (status === 413) return gettext("This is too large to be sent. Send a smaller picture.");
  if (status === 429) return gettext("That was too much at once. Wait a minute and try again.");
  return gettext("Something went wrong. Nothing of yours is lost; try again.");
}
