// Opens a visitor's photo as the server does: the same limits and refusals, upright, reduced to 480 pixels.

import { LIMITS } from "./data.js";
import { reduce, reducedSize } from "./reduce.js";

export class Refusal extends Error {
  constructor(key, fields = {}) {
    super(key);
    Object.assign(this, { key, fields });
  }
}

const FORMATS = [
  [/^\xff\xd8\xff/, "JPEG"], [/^\x89PNG\r\n/, "PNG"], [/^RIFF....WEBP/s, "WEBP"], [/^GIF8[79]a/, "GIF"],
  [/^(II[*+]\0|MM\0[*+])/, "TIFF"], [/^BM/, "BMP"], [/^\0\0..ftyp(.{4}){0,20}?avi[fs]/s, "AVIF"],
];
const STRANGERS = [
  [/^%PDF/, "pdf"], [/^(\xef\xbb\xbf)?\s*(<[?!].*)?<svg\b/is, "svg"],
  [/^(\xef\xbb\xbf)?\s*<(!doctype html|html)\b/i, "web_page"], [/^....ftyp(heic|heix|hevc|mif1|msf1)/s, "heic"],
  [/^....ftyp/s, "video"], [/^version https:\/\/git-lfs/, "pointer"],
];

// Its format by its first bytes.
export function formatOf(head) {
  if (!head.length) throw new Refusal("empty");
  const text = String.fromCharCode(...head);
  const format = FORMATS.find(([signature]) => signature.test(text))?.[1];
  if (format) return format;
  throw new Refusal(STRANGERS.find(([signature]) => signature.test(text))?.[1] ?? "unknown");
}

export function checkSize(width, height, format) {
  const [small, large] = [Math.min(width, height), Math.max(width, height)];
  const most = ["WEBP", "AVIF"].includes(format) ? LIMITS.max_copied_pixels : LIMITS.max_pixels;
  const refuse = (key, bound) => { throw new Refusal(key, { width, height, bound }); };
  if (small < LIMITS.min_side) refuse("too_small", LIMITS.min_side);
  if (large > LIMITS.max_side) refuse("too_long", LIMITS.max_side);
  if (width * height > most) refuse("too_large", Math.floor(most / 1e6));
  if (large > LIMITS.max_aspect * small) refuse("too_narrow", LIMITS.max_aspect);
}

export async function openPhoto(file) {
  if (file.size > LIMITS.max_bytes) throw new Refusal("site.too_heavy", { bound: LIMITS.max_bytes / 1e6 });
  const format = formatOf(new Uint8Array(await file.slice(0, 1024).arrayBuffer()));
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", premultiplyAlpha: "none", colorSpaceConversion: "none" });
  } catch {
    throw new Refusal(format === "TIFF" ? "site.no_decoder" : "damaged", { format });
  }
  try {
    const { width, height } = bitmap;
    checkSize(width, height, format);
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    return reduce(context.getImageData(0, 0, width, height), ...reducedSize(width, height, LIMITS.longer_side));
  } finally {
    bitmap.close();
  }
}
