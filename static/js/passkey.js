// Lets a passkey fill in a form: <form data-passkey="create"> adds one, <form data-passkey="get"> shows that one is
// there. What the browser needs for it stands in the form as JSON; a login, which knows nobody yet, asks the form's
// address for it.

const form = document.querySelector("form[data-passkey]");

function bytes(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}

function text(buffer) {
  const characters = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(characters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const withBytes = (keys = []) => keys.map((key) => ({ ...key, id: bytes(key.id) }));

async function options() {
  const inPage = form.querySelector("script[type='application/json']");
  if (inPage) return JSON.parse(inPage.textContent);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function create() {
  const { publicKey } = (await options()).creation_options;
  return navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      user: { ...publicKey.user, id: bytes(publicKey.user.id) },
      excludeCredentials: withBytes(publicKey.excludeCredentials),
      // One that can log in by itself, wherever the device can make one.
      authenticatorSelection: { ...publicKey.authenticatorSelection, residentKey: "preferred", requireResidentKey: false },
    },
  });
}

async function get() {
  const { publicKey } = (await options()).request_options;
  return navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      allowCredentials: withBytes(publicKey.allowCredentials),
    },
  });
}

function asJson(credential) {
  const { response } = credential;
  const answer = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) {
    answer.attestationObject = text(response.attestationObject);
    answer.transports = response.getTransports?.() ?? [];
  } else {
    answer.authenticatorData = text(response.authenticatorData);
    answer.signature = text(response.signature);
    answer.userHandle = response.userHandle ? text(response.userHandle) : null;
  }
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: answer,
  };
}

function words(error) {
  if (error.name === "InvalidStateError") return gettext("This device has a passkey for your account already.");
  if (error.name === "NotAllowedError") return gettext("No passkey was used: it was cancelled or took too long. Try again.");
  if (error.name === "SecurityError") {
    return gettext("Passkeys do not work at this address. They need the site's name and HTTPS; on your own computer open it as localhost.");
  }
  return gettext("The passkey could not be used. Try again, or take another way.");
}

function say(sentence) {
  const trouble = form.querySelector("[data-passkey-trouble]");
  trouble.textContent = sentence;
  trouble.hidden = !sentence;
}

if (form && window.PublicKeyCredential && navigator.credentials) {
  const button = form.querySelector("button[type='submit']");
  button.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("");
    button.disabled = true;
    try {
      const credential = await (form.dataset.passkey === "create" ? create() : get());
      form.elements.credential.value = JSON.stringify(asJson(credential));
      form.submit();
    } catch (error) {
      say(words(error));
      button.disabled = false;
    }
  });
} else if (form?.dataset.passkey === "create") {
  say(gettext("This browser has no passkeys here: they need HTTPS, or the address localhost."));
}
