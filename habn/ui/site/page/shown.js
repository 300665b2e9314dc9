// What the page shows, and what all tabs do with it: run it, recall it, inspect a layer of it, as habn.ui.shown and
// habn.comparison.engine do it on a server. Results of examples are fetched; others come from worker.js.

import { CHECKPOINTS, CLASSES, EXAMPLES, PAIRS, PALETTE, PHOTO_ROW, STYLES } from "./data.js";
import { ask, Refused } from "./engine.js";
import { addressOf, fetchPicture, publish } from "./pictures.js";
import { say } from "./words.js";

const RESULTS_KEPT = 3;
const UNKNOWN = 255; // of a label

const results = new Map(); // by run, the latest last
const photos = new Map(); // of an example to the promise of its picture
const here = (address) => new URL(address, import.meta.url).href;
export const photoOf = (example) => ({ url: here(`examples/${example}.webp`), file: null, example });

function fetchedOnce(address) {
  if (!photos.has(address)) photos.set(address, fetchPicture(here(address)));
  return photos.get(address);
}

// A sentence for what a visitor can put right; anything else is thrown on.
export function explained(error) {
  if (!(error instanceof Refused)) throw error;
  const { key, fields } = error;
  return say(key.includes(".") ? key : `refusals.${key}`, fields);
}

export function rowOf({ style, strength, second_style: second, second_share: share }, rows) {
  if (strength < 1 && rows <= PHOTO_ROW) throw new Refused({ key: "site.no_photo_row", fields: {} });
  const row = new Array(rows).fill(0);
  const secondShare = second ? share : 0;
  row[STYLES.indexOf(style)] += strength * (1 - secondShare);
  row[STYLES.indexOf(second ?? style)] += strength * secondShare;
  if (strength < 1) row[PHOTO_ROW] = 1 - strength;
  return row;
}

// The worker's request for a picture; the networks of a style pair may know different numbers of rows.
function requestOf(image, pair, painting) {
  const { task, first, second } = PAIRS[pair];
  const request = { image, networks: [first, second] };
  if (task !== "style") return request;
  const rows = Math.max(CHECKPOINTS[first].rows, CHECKPOINTS[second].rows);
  const style = rowOf(painting, Math.min(CHECKPOINTS[first].rows, CHECKPOINTS[second].rows));
  return { ...request, style: [...style, ...new Array(rows - style.length).fill(0)], keepColours: painting.keep_colours };
}

// Two 32-bit FNV-1a hashes of a picture and of what it is asked for: the name of a result.
function nameOf(image, pair, painting) {
  const text = new TextEncoder().encode(`${pair} ${JSON.stringify(painting)} ${image.width} ${image.height}`);
  return [0x811c9dc5, 0x1b873593].map((start) => {
    let hash = start;
    for (const bytes of [text, image.data]) {
      for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
    }
    return (hash >>> 0).toString(16).padStart(8, "0");
  }).join("");
}

function keep(result) {
  results.delete(result.run);
  results.set(result.run, result);
  while (results.size > RESULTS_KEPT) results.delete(results.keys().next().value);
  return result;
}

export async function run(photo, pair, painting) {
  const isStyle = PAIRS[pair].task === "style";
  const example = photo.example ?? null;
  const image = example ? await fetchedOnce(`examples/${example}.webp`) : await ask("open", { file: photo.file });
  const asked = isStyle ? painting : null;
  const name = nameOf(image, pair, asked);
  if (results.has(name)) return keep(results.get(name));
  const request = requestOf(image, pair, painting);
  const prepared = await preparedFor(example, pair, asked, image);
  const { answers } = prepared ?? (await ask("run", request));
  const truth = example && !isStyle && EXAMPLES[example].labels ? await fetchedOnce(`examples/${example}_labels.webp`) : null;
  return keep(resultOf({ name, pair, painting: asked, image, request, answers, prepared, truth, photo }));
}

// What was made ready for an example, if this is how it was asked for.
async function preparedFor(example, pair, painting, { width, height }) {
  const ready = example && EXAMPLES[example].pairs[pair];
  if (!ready || JSON.stringify(ready.painting) !== JSON.stringify(painting)) return null;
  const folder = `examples/${example}-${pair}`;
  const pictures = await Promise.all(["first", "second"].map((side) => fetchedOnce(`${folder}/${side}.webp`)));
  const answers = pictures.map(({ data }) => (painting
    ? { labels: null, picture: data, seconds: null }
    : { labels: Uint8Array.from({ length: width * height }, (_, i) => data[3 * i]), picture: null, seconds: null }));
  return { answers, folder, ...ready };
}

function resultOf({ name, pair, painting, image, request, answers, prepared, truth, photo }) {
  const { task } = PAIRS[pair];
  const [first, second] = [PAIRS[pair].first, PAIRS[pair].second].map((checkpoint, k) =>
    outputOf(checkpoint, answers[k], image, truth));
  const difference = differenceOf(first, second);
  const share = difference.reduce((sum, value) => sum + value, 0) / difference.length;
  const trunks = [first, second].map(({ checkpoint }) => CHECKPOINTS[checkpoint].trunk);
  const correspond = trunks[0] !== null && trunks[0] === trunks[1];
  const asked = { run: name, task, pair, painting, image, request, prepared, truth, photo };
  return { ...asked, first, second, difference, share, correspond };
}

export function outputOf(checkpoint, { labels, picture, seconds }, image, truth) {
  const { norm, label, parameters, added } = CHECKPOINTS[checkpoint];
  return {
    checkpoint, norm, label, parameters, added, labels, seconds,
    picture: picture && { ...image, data: picture },
    areas: labels && areasOf(labels),
    meanIou: labels && truth ? meanIou(truth, labels) : null,
  };
}

function areasOf(labels) {
  const counts = new Array(CLASSES.length).fill(0);
  for (const label of labels) counts[label]++;
  return counts.map((count) => count / labels.length);
}

// Over the classes that occur in the true labels or the answer, where there is a true label.
function meanIou(truth, labels) {
  const [both, either] = [new Array(CLASSES.length).fill(0), new Array(CLASSES.length).fill(0)];
  for (let i = 0; i < labels.length; i++) {
    const known = truth.data[3 * i];
    if (known === UNKNOWN) continue;
    if (known === labels[i]) both[known]++;
    either[known]++;
    if (known !== labels[i]) either[labels[i]]++;
  }
  const shares = both.map((count, k) => count / either[k]).filter((share) => !Number.isNaN(share));
  return shares.length ? shares.reduce((a, b) => a + b, 0) / shares.length : null;
}

// 1 where the classes differ, or the mean absolute difference of the pictures' RGB.
export function differenceOf(first, second) {
  if (first.labels) return Float32Array.from(first.labels, (label, i) => Number(label !== second.labels[i]));
  const [a, b] = [first.picture.data, second.picture.data];
  return Float32Array.from({ length: a.length / 3 }, (_, i) =>
    [0, 1, 2].reduce((sum, c) => sum + Math.abs(a[3 * i + c] - b[3 * i + c]), 0) / 3 / 255);
}

// The same networks on the same picture, with a weather over it or a change of their adaptation.
export async function answerAgain(before, changes) {
  const { image, answers } = await ask("run", { ...before.request, ...changes });
  const [first, second] = [before.first, before.second].map(({ checkpoint }, k) =>
    outputOf(checkpoint, answers[k], image, before.truth));
  return { ...before, image, first, second };
}

export async function recall(shown) {
  return results.get(shown.run) ?? run(shown.photo, shown.pair, shown.painting);
}

const asFile = (bytes) => ({ url: addressOf(new Blob([bytes])) });

// An inspector's value; see habn.ui.inspector.build_inspection.
export async function inspect(result, layer = null, channel = null, look = null) {
  const base = {
    run: result.run, labels: [result.first.label, result.second.label], correspond: result.correspond,
  };
  const { prepared, request, run: name } = result;
  const isReady = prepared && [prepared.layer, null].includes(layer) && [prepared.channel, null].includes(channel);
  const files = await filesOf(result);
  const place = { layer: layer ?? files.layer, channel };
  place.channel ??= place.layer === files.layer ? files.channel : files.orders[place.layer];
  const view = isReady && place.channel === prepared.channel ? { url: here(`${prepared.folder}/view.bin`) }
    : asFile(await ask("view", { run: name, request, ...place }));
  const { strip, classes, photo } = files;
  return { ...base, ...place, strip, view, classes, photo, ...(look ? { look } : {}) };
}

// What the inspector needs of a whole run, the layer that adapts most, and of each layer its channel that does.
export function filesOf(result) {
  result.files ??= makeFiles(result);
  return result.files;
}

async function makeFiles(result) {
  const { prepared, request, run: name, image, second } = result;
  const photo = { url: await publish(image) };
  if (prepared) {
    const file = (which) => ({ url: here(`${prepared.folder}/${which}.bin`) });
    const classes = second.labels ? file("classes") : null;
    const { layer, channel, orders, names, channels, sizes } = prepared;
    return { strip: file("strip"), classes, photo, layer, channel, orders, names, channels, sizes };
  }
  const given = { run: name, request };
  const layers = await ask("layers", given);
  const classes = second.labels
    ? asFile(await ask("classes", { ...given, labels: second.labels, image, classes: CLASSES, palette: PALETTE })) : null;
  const layer = layers.findIndex(({ isMost }) => isMost);
  const orders = layers.map(({ most }) => most);
  const [names, channels] = [layers.map((its) => its.name), layers.map((its) => its.channels)];
  const strip = asFile(await ask("strip", given));
  const sizes = [...new Set(layers.map(({ height, width }) => `${height} ${width}`))].map((text) => text.split(" ").map(Number))
    .sort((a, b) => b[0] - a[0] || b[1] - a[1]);
  return { strip, classes, photo, layer, channel: orders[layer], orders, names, channels, sizes };
}
