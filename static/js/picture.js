// A file from the device as a picture that fits: upright, at most 1500 x 1000 (or 1000 x 1500), its shape kept.

const LONG = 1500;
const SHORT = 1000;
// The lowest quality that changes answers no more than the next higher one does (docs/decisions/0018).
const QUALITY = 0.85;
const LARGEST = 10 * 1024 * 1024;
// A side shorter than this is not shrunk further when the file may go as it is.
const NARROW = 64;
const TAKEN = new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"]);
const LOSSLESS = new Set(["image/png", "image/gif", "image/bmp"]);

/** The size at which a picture of `width` x `height` fits. */
export function fit(width, height) {
  const factor = Math.min(1, LONG / Math.max(width, height), SHORT / Math.min(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)), factor };
}

/**
 * Draws `file` and says what to send for it: `{canvas, blob}`. A file that this browser cannot draw comes back as
 * `{canvas: null, blob: file}`; the site can read more formats than browsers do.
 */
export async function read(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { canvas: null, blob: file };
  }
  const size = fit(bitmap.width, bitmap.height);
  const canvas = paint(bitmap, size.width, size.height);
  const asItIs = TAKEN.has(file.type) && file.size <= LARGEST;
  const narrow = Math.min(size.width, size.height) < NARROW;
  bitmap.close();
  if (asItIs && (size.factor === 1 || narrow)) return { canvas, blob: file };
  const type = LOSSLESS.has(file.type) ? "image/png" : "image/jpeg";
  const blob = await new Promise((done) => canvas.toBlob(done, type, QUALITY));
  return { canvas, blob: blob ?? file };
}

/** The picture at an address of this site, drawn. */
export async function readAddress(address, width, height) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return paint(image, width || image.naturalWidth, height || image.naturalHeight);
}

function paint(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff"; // What is transparent becomes white, as it does on the site.
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(source, 0, 0, width, height);
  return canvas;
}

/** The files of a list that may be pictures; those of no known type are left to the site to judge. */
export function pictures(list) {
  return [...(list ?? [])].filter((file) => !file.type || file.type.startsWith("image/"));
}
