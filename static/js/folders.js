// Pictures out of folders. The folder in which a picture lies may be its true label, so it is remembered by name.

const KNOWN = /\.(jpe?g|jfif|png|webp|gif|avif|heic|heif|bmp)$/i;
const LOOKED_AT = 20_000; // files and folders; a whole disk was hardly meant
const order = new Intl.Collator(undefined, { numeric: true });

/** What lies in a folder and is no picture is passed over; `Thumbs.db` and `._photo.jpg` are none. */
function isPicture(file) {
  if (file.name.startsWith(".")) return false;
  return file.type.startsWith("image/") || KNOWN.test(file.name);
}

/** The files of a chooser as [{file, folder}]: those of a folder only as far as they are pictures, in order. */
export function chosen(files) {
  const found = [...files].map((file) => {
    const parts = (file.webkitRelativePath ?? "").split("/");
    return { file, path: file.webkitRelativePath ?? "", folder: parts.at(-2) ?? "" };
  });
  if (!found.some((one) => one.path)) return found;
  const inside = found.filter((one) => !one.path.split("/").some((part) => part.startsWith(".")) && isPicture(one.file));
  return inside.sort((a, b) => order.compare(a.path, b.path));
}

/** What is dropped, to be called while the event lasts: files as they are, folders as entries to be read. */
export function dropped(transfer) {
  const entries = [...(transfer.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.some((entry) => entry.isDirectory)) return { entries, files: [] };
  return { entries: [], files: chosen(transfer.files) };
}

/** The pictures below `entries`, at most `most` and one more if there are more: [{file, folder}]. */
export async function inFolders(entries, most) {
  const found = [];
  const open = entries.map((entry) => ({ entry, folder: "" }));
  for (let seen = 0; open.length && found.length <= most && seen < LOOKED_AT; seen += 1) {
    const { entry, folder } = open.shift();
    if (entry.isDirectory) {
      const inner = entry.name.startsWith(".") ? [] : await children(entry);
      open.unshift(...inner.map((child) => ({ entry: child, folder: entry.name })));
    } else {
      const file = await new Promise((done) => entry.file(done, () => done(null)));
      if (file && (!folder || isPicture(file))) found.push({ file, folder });
    }
  }
  return found;
}

/** What lies in a folder, in order; browsers hand it out in portions. */
async function children(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((done) => reader.readEntries(done, () => done([])));
    if (!some.length) return all.sort((a, b) => order.compare(a.name, b.name));
    all.push(...some);
  }
}
