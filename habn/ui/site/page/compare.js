// The tabs Compare and Layers; see habn.ui.compare.callbacks.

import { lookOf, paintingOf, parseAddress } from "./address.js";
import { ADDRESS, ANSWER, EXAMPLES, INSIDE, PAIRS } from "./data.js";
import { ask } from "./engine.js";
import { SKIP, Update } from "./events.js";
import { note } from "./notes.js";
import { drawFigures, drawLegend, drawMeasured, drawRefusal, drawSides, drawVerdict } from "./panels.js";
import { drawAnswer, drawContext, drawMap, publish } from "./pictures.js";
import { explained, filesOf, inspect, photoOf, recall, run } from "./shown.js";
import { decimals, say } from "./words.js";

const OPEN = 0.5; // a gate, as in habn.ui.compare.painting.most_adapted
const view = () => parseAddress(location.search);
const pairsOf = (task) => Object.keys(PAIRS).filter((name) => PAIRS[name].task === task).map((name) => [say(`pairs.${name}`), name]);

function onLoad() {
  const asked = view();
  const { task } = PAIRS[asked.pair];
  return [
    new URLSearchParams(location.search).has("tab") ? new Update({ selected: asked.tab }) : SKIP,
    task,
    new Update({ choices: pairsOf(task), value: asked.pair }),
    new Update({ value: paintingOf(asked), visible: task === "style" }),
    new Update({ value: asked.opacity, visible: task === "segmentation" }),
  ];
}

async function onSettings() {
  const asked = view();
  if (asked.ignored.length) note(say("link.ignored", { keys: asked.ignored.join(", ") }));
  return answer(photoOf(asked.example), asked.pair, paintingOf(asked), asked.opacity, null, true);
}

async function onChange([shown, photo, pair, painting, opacity]) {
  if (!photo) return SKIP;
  return answer(photo, pair, painting, opacity, shown, false);
}

function onChoice([shown, photo, ...rest]) {
  return onChange([shown, photo ?? shown?.photo, ...rest]);
}

const listed = (names, named) => names.map((name) => (name in named ? named[name] : SKIP));

async function answer(photo, pair, painting, opacity, shown, isNew) {
  let result;
  try {
    result = await run(photo, pair, painting);
  } catch (error) {
    const sentence = explained(error);
    note(sentence);
    return listed(ANSWER, { ...(shown ? { photo: shown.photo } : {}), verdict: drawRefusal(sentence) });
  }
  const page = { run: result.run, photo, pair, painting };
  const drawn = await draw(result, opacity);
  return listed(ANSWER, { ...(isNew ? { photo } : {}), shown: page, ...drawn, copy_link: addressOf(result, view()) });
}

// What the inspector needs comes after the pictures, for which a visitor waits.
async function onShown([shown]) {
  if (!shown) return SKIP;
  try {
    const result = await recall(shown);
    const asked = view();
    const { layer, channel } = await placeOf(result, asked);
    const inspector = await inspect(result, layer, channel, lookOf(asked));
    return listed(INSIDE, { inspector, most_adapted: await mostAdapted(result) });
  } catch (error) {
    note(explained(error));
    return SKIP;
  }
}

async function draw(result, opacity) {
  const { image, first, second, task, difference } = result;
  return {
    sides: drawSides(result),
    slider: await Promise.all([first, second].map((output) => publish(drawAnswer(image, output, opacity)))),
    opacity: new Update({ visible: task === "segmentation" }),
    verdict: drawVerdict(result),
    figures: drawFigures(result),
    legend: drawLegend(result),
    measured: new Update({ value: drawMeasured(result), visible: task === "style" }),
    difference: await publish(drawMap(image, difference, task)),
  };
}

// The layer and channel of the address, where these networks have them.
async function placeOf(result, { layer: name, channel }) {
  if (name === null) return { layer: null, channel: null };
  const { names, channels } = await filesOf(result);
  const layer = names.indexOf(name);
  if (layer < 0) return { layer: null, channel: null };
  return { layer, channel: channel !== null && channel < channels[layer] ? channel : null };
}

// What the address must say of this answer, and whether it can say all of it: see `_address` of the callbacks.
function addressOf({ photo, pair, painting }, asked) {
  const { defaults } = ADDRESS;
  const painted = painting ?? paintingOf(defaults);
  const entries = {
    example: photo.example ?? defaults.example,
    pair,
    style: painted.style,
    style_strength: Math.round(100 * painted.strength),
    second_style: painted.second_style,
    second_share: painted.second_style ? Math.round(100 * painted.second_share) : defaults.second_share,
    colours: painted.keep_colours ? "photo" : "painting",
    ...Object.fromEntries(asked.ignored.map((key) => [key, null])),
  };
  for (const [key, value] of Object.entries(entries)) if (value === defaults[key]) entries[key] = null;
  return { entries, complete: Boolean(photo.example) };
}

// See habn.ui.compare.painting.most_adapted.
async function mostAdapted(result) {
  const { task, image, second, run: name, request, prepared } = result;
  if (task !== "style" || !second.added) return new Update({ visible: false });
  const { layer, layerName, layers, ends, counts, isFlat, map } = prepared?.adapted ?? (await adaptedIn(name, request, image));
  const [low, mean, high] = ends.map((value) => decimals(value, 2));
  const [scale, bias, middle, variance] = counts;
  const fields = { layers, scale, bias, mean: middle, var: variance };
  return new Update({
    visible: true,
    value: {
      run: name, layer, name: layerName, size: [image.width, image.height],
      map: { url: prepared?.adapted ? new URL(`${prepared.folder}/${map}`, import.meta.url).href : map },
      title: say("painting.most_adapted", { label: second.label }),
      alt: say("painting.most_adapted_alt", { layer: layerName, low, mean, high }),
      caption: say(`painting.${isFlat ? "flat_caption" : "most_adapted_caption"}`, { layer: layerName }),
      kept: say(Math.min(...counts) === layers ? "painting.kept_all" : "painting.kept_some", fields),
    },
  });
}

// What is said of the layer that adapts most, from the networks.
async function adaptedIn(name, request, image) {
  const layers = await ask("layers", { run: name, request });
  const layer = layers.findIndex(({ isMost }) => isMost);
  const record = layers[layer];
  const [low, high] = [Math.min(...record.context), Math.max(...record.context)];
  const mean = record.context.reduce((a, b) => a + b, 0) / record.context.length;
  const counts = [0, 1, 2, 3].map((k) => layers.filter(({ gates }) => gates[k] >= OPEN).length);
  const map = await publish(drawContext(image, record, [low, high]));
  return { layer, layerName: record.name, layers: layers.length, ends: [low, mean, high], counts, isFlat: record.isFlat, map };
}

const onExample = (inputs, { example }) => [EXAMPLES[example] ? photoOf(example) : SKIP];

function onTask([task]) {
  const choices = pairsOf(task);
  return [new Update({ choices, value: choices[0][1] }), new Update({ visible: task === "style" })];
}

async function onOpacity([shown, opacity]) {
  if (!shown) return SKIP;
  const { image, first, second } = await recall(shown);
  return [await Promise.all([first, second].map((output) => publish(drawAnswer(image, output, opacity))))];
}

async function onMostAdapted([shown], { run: name, layer }) {
  if (shown?.run !== name) return SKIP;
  return [await inspect(await recall(shown), layer, null, { pixel: null }), new Update({ selected: "layers" })];
}

export async function onSelect([shown], { run: name, layer, channel }) {
  if (shown?.run !== name) return SKIP;
  return [await inspect(await recall(shown), layer, channel)];
}

const HERE = "habn.ui.compare.callbacks.";

export const compareAnswers = {
  [`${HERE}on_load`]: onLoad,
  [`${HERE}on_settings`]: onSettings,
  [`${HERE}on_shown`]: onShown,
  [`${HERE}on_change`]: onChange,
  [`${HERE}on_choice`]: onChoice,
  [`${HERE}on_example`]: onExample,
  [`${HERE}on_task`]: onTask,
  [`${HERE}on_opacity`]: onOpacity,
  [`${HERE}on_most_adapted`]: onMostAdapted,
  "habn.ui.shown.on_select": onSelect,
};
