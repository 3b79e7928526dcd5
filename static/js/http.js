// Requests to this site whose failures are sentences. Every failure is a Problem; nothing else is thrown.

const TIMEOUT = 60_000;

/** What went wrong, for a person (`message`) and for code (`code`, `status`; status 0 when nothing answered). */
export class Problem extends Error {
  constructor(code, message, status = 0) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** GET, or POST when there is a `body` (FormData); returns the answer's JSON. */
export async function ask(url, body = null) {
  // A form's own token may be older than the cookie, and Django would believe the form.
  body?.delete("csrfmiddlewaretoken");
  let response;
  try {
    response = await fetch(url, {
      method: body ? "POST" : "GET",
      body,
      headers: { Accept: "application/json", ...(body ? { "X-CSRFToken": token() } : {}) },
      credentials: "same-origin",
      signal: AbortSignal.timeout?.(TIMEOUT),
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
  if (response.ok && answer) return answer;
  const { code = "unknown", message = "" } = answer?.error ?? {};
  throw new Problem(code, message || sentence(response.status), response.status);
}

/** A file of this site as if it had been chosen on the device. */
export async function askFile(url, name) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout?.(TIMEOUT) });
    if (response.ok) {
      const blob = await response.blob();
      return new File([blob], name, { type: blob.type });
    }
  } catch (error) {
    throw unreachable(error);
  }
  throw new Problem("unknown", sentence(response.status), response.status);
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
