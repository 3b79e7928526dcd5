// Tells the site the browser's time zone: in a cookie, for the dates that visitors read, and in the field
// `time_zone` of every form that asks for it with data-timezone. A value that is already there (the form came
// back with an error, or the student chose one) stays.

function guess() {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  } catch {
    return "";
  }
}

function remember(zone) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `tz=${encodeURIComponent(zone)}; Path=/; SameSite=Lax${secure}`;
}

function fill(form, zone) {
  let field = form.elements.namedItem("time_zone");
  if (!field) {
    field = document.createElement("input");
    field.type = "hidden";
    field.name = "time_zone";
    form.append(field);
  }
  if (!field.value) field.value = zone;
}

const zone = guess();
if (zone) {
  remember(zone);
  for (const form of document.querySelectorAll("form[data-timezone]")) fill(form, zone);
}
