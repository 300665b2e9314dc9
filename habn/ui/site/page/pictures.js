// The pictures that the page shows of a result, as habn.ui.pictures draws them. A picture is {width, height, data}, RGB.

import { PALETTE, SEQUENTIAL } from "./data.js";

const CHANGED = [255, 122, 26];
const CONTEXT_COVER = 0.7;
const FULL_DIFFERENCE = 0.25;
const ADDRESSES_KEPT = 60;

const published = []; // addresses of pictures, the latest last; older ones are given up

function drawn({ width, height }, colour) {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) data.set(colour(i), 3 * i);
  return { width, height, data };
}

export const coloured = (labels, size) => drawn(size, (i) => PALETTE[labels[i]]);
const pixel = ({ data }, i) => [data[3 * i], data[3 * i + 1], data[3 * i + 2]];
const greyOf = (picture, i) => pixel(picture, i).reduce((a, b) => a + b, 0) / 3;

// A network's answer over the picture; `opacity` in percent, of the classes' colours.
export function drawAnswer(image, { labels, picture }, opacity) {
  if (!labels) return picture;
  const share = opacity / 100;
  if (share === 1) return coloured(labels, image);
  return drawn(image, (i) => pixel(image, i).map((value, c) => value * (1 - share) + PALETTE[labels[i]][c] * share));
}

// The picture in grey, orange by `amounts` in [0, 1].
export function drawMap(image, amounts, task) {
  const full = task === "segmentation" ? 1 : FULL_DIFFERENCE;
  return drawn(image, (i) => {
    const amount = Math.min(1, Math.max(0, amounts[i] / full));
    const grey = greyOf(image, i) * 0.45;
    return CHANGED.map((value) => grey * (1 - amount) + value * amount);
  });
}

// A map s in the inspector's colours over the picture in grey.
export function drawContext(image, { context, height, width }, [low, high]) {
  const size = high - low || 1;
  const at = (row, column) => (context[row * width + column] - low) / size;
  return drawn(image, (i) => {
    const place = (index, from, to) => Math.min(from - 1, Math.max(0, ((index + 0.5) * from) / to - 0.5));
    const [y, x] = [place(Math.floor(i / image.width), height, image.height), place(i % image.width, width, image.width)];
    const [top, left] = [Math.floor(y), Math.floor(x)];
    const [bottom, right] = [Math.min(height - 1, top + 1), Math.min(width - 1, left + 1)];
    const [down, across] = [y - top, x - left];
    const level = (at(top, left) * (1 - across) + at(top, right) * across) * (1 - down)
      + (at(bottom, left) * (1 - across) + at(bottom, right) * across) * down;
    const colour = SEQUENTIAL[Math.min(255, Math.max(0, Math.floor(level * 256)))];
    const grey = greyOf(image, i);
    return colour.map((value) => grey * (1 - CONTEXT_COVER) + value * CONTEXT_COVER);
  });
}

export function canvasOf({ width, height, data }) {
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    image.data.set([data[3 * i], data[3 * i + 1], data[3 * i + 2], 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

export const pngOf = (picture) => canvasOf(picture).convertToBlob({ type: "image/png" });

export function addressOf(blob) {
  const address = URL.createObjectURL(blob);
  published.push(address);
  while (published.length > ADDRESSES_KEPT) URL.revokeObjectURL(published.shift());
  return address;
}

export const publish = async (picture) => addressOf(await pngOf(picture));

// A picture from an address: of a shipped file, whose bytes no colour management may change.
export async function fetchPicture(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  const bitmap = await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => data[4 * Math.floor(i / 3) + (i % 3)]);
  return { width, height, data: rgb };
}
