// The engine: opens photos, runs networks by ONNX Runtime Web, and keeps what their layers did, away from the page's own
// thread. A message {id, task, given} is answered by {id, result} or {id, refusal} or {id, error}.

import { WEATHER_DRAWS } from "./data.js";
import { knobsOf } from "./knobs.js";
import { openPhoto, Refusal } from "./photo.js";
import { adaptationOrder, encodeClasses, encodeStrip, encodeView, isFlat, mostAdaptedLayer, strengthOf } from "./records.js";
import * as ort from "./runtime/ort.wasm.min.mjs";
import { applyWeather } from "./weather.js";

const MOST_THREADS = 4;
const SESSIONS_KEPT = 4; // two networks, each with and without its layers

ort.env.wasm.wasmPaths = new URL("runtime/", import.meta.url).href;
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency ?? 1) : 1;
ort.env.logLevel = "error";

const files = new Map(); // address to the promise of its bytes
const sessions = new Map(); // of a network, with or without layers, the latest last
const facts = new Map(); // of a network to its network.json
let held = { run: null }; // what the layers did in the latest run that was looked into

async function fetched(address, read) {
  const answer = await fetch(new URL(address, import.meta.url));
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer[read]();
}

function bytesOf(address) {
  if (!files.has(address)) files.set(address, fetched(address, "arrayBuffer"));
  const bytes = files.get(address);
  bytes.catch(() => files.delete(address));
  return bytes;
}

async function factsOf(network) {
  if (!facts.has(network)) facts.set(network, await fetched(`networks/${network}.json`, "json"));
  return facts.get(network);
}

// A network's session; the file with layers is the model's and something after it.
async function sessionOf(network, withLayers) {
  const key = `${network} ${withLayers}`;
  let session = sessions.get(key);
  sessions.delete(key);
  if (!session) {
    const parts = await Promise.all([`networks/${network}.onnx`, ...(withLayers ? [`networks/${network}.layers`] : [])].map(bytesOf));
    const model = new Uint8Array(await new Blob(parts).arrayBuffer());
    session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
  }
  sessions.set(key, session);
  while (sessions.size > SESSIONS_KEPT) {
    const [oldest, its] = sessions.entries().next().value;
    sessions.delete(oldest);
    await its.release();
  }
  return session;
}

function pixelsOf({ width, height, data }) {
  const size = width * height;
  const pixels = new Float32Array(3 * size);
  for (let i = 0; i < size; i++) for (let c = 0; c < 3; c++) pixels[c * size + i] = data[3 * i + c] / 255;
  return pixels;
}

function tensorOf({ kind = "float32", data, dims }) {
  return new ort.Tensor(kind, data, dims);
}

async function inputsOf(network, { pixels, width, height, style, change }) {
  const { inputs, as_trained: asTrained, layers, styles } = await factsOf(network);
  const given = { pixels: tensorOf({ data: pixels, dims: [1, 3, height, width] }) };
  if (style) given.style = tensorOf({ data: Float32Array.from(style).slice(0, styles.length), dims: [1, styles.length] });
  const knobs = knobsOf(asTrained, layers, change);
  for (const [name, knob] of Object.entries(knobs)) given[name] = tensorOf(knob);
  return Object.fromEntries(inputs.map((name) => [name, given[name]]));
}

async function pass(network, request, withLayers) {
  const session = await sessionOf(network, withLayers);
  const inputs = await inputsOf(network, request);
  const began = performance.now();
  const outputs = await session.run(inputs);
  return { outputs, seconds: (performance.now() - began) / 1000 };
}

function labelsOf({ data, dims: [, classes, height, width] }) {
  const size = height * width;
  const labels = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    for (let k = 1; k < classes; k++) if (data[k * size + i] > data[labels[i] * size + i]) labels[i] = k;
  }
  return labels;
}

const LUMA = [0.299, 0.587, 0.114];

// The painted picture in bytes; in the photo's colours, the painting's luma with the photo's chroma.
function pictureOf({ data }, { pixels, width, height, keepColours }) {
  const size = width * height;
  const picture = new Uint8Array(3 * size);
  for (let i = 0; i < size; i++) {
    let added = 0;
    if (keepColours) for (let c = 0; c < 3; c++) added += LUMA[c] * (data[c * size + i] - pixels[c * size + i]);
    for (let c = 0; c < 3; c++) {
      const value = keepColours ? pixels[c * size + i] + added : data[c * size + i];
      picture[3 * i + c] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
  }
  return picture;
}

function recordsOf({ layers, variance_floor: varianceFloor }, outputs) {
  return layers.map(({ name, kind, eps, gates }) => {
    const { data: x, dims: [, channels, height, width] } = outputs[`${name}.x`];
    const part = (which) => outputs[`${name}.${which}`]?.data ?? new Float32Array(height * width);
    return {
      name, kind, eps, gates, varianceFloor, channels, height, width, x,
      y: part("y"), fixed: part("static"), slope: part("slope"), context: part("s"),
    };
  });
}

const asPicture = ({ width, height }, pixels) => {
  const size = width * height;
  const data = new Uint8Array(3 * size);
  for (let i = 0; i < size; i++) for (let c = 0; c < 3; c++) data[3 * i + c] = Math.round(255 * pixels[c * size + i]);
  return { width, height, data };
};

// The request with the picture that the networks see, weather included.
function seen(request) {
  const { image, weather } = request;
  if (!weather?.strength) return { ...request, ...image, pixels: pixelsOf(image) };
  const changed = asPicture(image, applyWeather(pixelsOf(image), image, weather, WEATHER_DRAWS));
  return { ...request, image: changed, ...changed, pixels: pixelsOf(changed) };
}

// Both networks' answers.
async function run(given) {
  const request = seen(given);
  const answers = [];
  for (const network of given.networks) {
    const { outputs, seconds } = await pass(network, request, false);
    const isStyle = Boolean(given.style);
    answers.push({
      seconds,
      labels: isStyle ? null : labelsOf(outputs.answer),
      picture: isStyle ? pictureOf(outputs.answer, request) : null,
    });
  }
  return { image: request.image, answers };
}

async function look({ run: id, request }) {
  if (held.run === id) return held;
  held = { run: null }; // what was held makes room first
  const every = [];
  for (const network of request.networks) {
    const { outputs } = await pass(network, seen(request), true);
    every.push(recordsOf(await factsOf(network), outputs));
  }
  held = { run: id, records: every };
  return held;
}

const tasks = {
  open: ({ file }) => openPhoto(file),
  run,
  async strip(given) {
    const { records } = await look(given);
    return encodeStrip(...records);
  },
  async view({ layer, channel, ...given }) {
    const { records: [first, second] } = await look(given);
    return encodeView(first[layer], second[layer], channel);
  },
  async classes({ labels, image, classes, palette, ...given }) {
    const { records: [, second] } = await look(given);
    const finest = second.map(({ height, width }) => [height, width]).reduce((a, b) => (b[0] * b[1] > a[0] * a[1] ? b : a));
    return encodeClasses({ labels, ...image }, finest, classes, palette);
  },
  // Of each layer what the page itself says of it: the channel that adapts most, and its map s.
  async layers(given) {
    const { records: [, second] } = await look(given);
    const layer = mostAdaptedLayer(second);
    return second.map((record, l) => {
      const { name, context, height, width, channels, gates } = record;
      const strength = strengthOf(record);
      const most = adaptationOrder(record)[0];
      return { name, context, height, width, channels, gates, strength, isMost: l === layer, most, isFlat: isFlat(record) };
    });
  },
  // All that both networks' layer did, or its x and y of one channel.
  async arrays({ layer, ...given }) {
    const { records } = await look(given);
    return records.map((its) => its[layer]);
  },
  async channel({ layer, channel, ...given }) {
    const { records } = await look(given);
    return records.map(({ [layer]: { x, y, height, width } }) => {
      const part = (map) => map.slice(channel * height * width, (channel + 1) * height * width);
      return { x: part(x), y: part(y) };
    });
  },
};

let last = Promise.resolve(); // one task after the other: two passes at once are slower

onmessage = ({ data: { id, task, given } }) => {
  last = last.then(async () => {
    try {
      postMessage({ id, result: await tasks[task](given) });
    } catch (error) {
      if (error instanceof Refusal) postMessage({ id, refusal: { key: error.key, fields: error.fields } });
      else postMessage({ id, error: `${error?.message ?? error}` });
    }
  });
};
