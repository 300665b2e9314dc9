// The tab Experiment; see habn.ui.experiment.callbacks and outcome.py.

import { parseAddress } from "./address.js";
import { PARAMETERS, PLACES } from "./data.js";
import { ask } from "./engine.js";
import { SKIP, Update } from "./events.js";
import { note } from "./notes.js";
import { drawAnswer, drawMap, publish } from "./pictures.js";
import { answerAgain, differenceOf, explained, filesOf, recall } from "./shown.js";
import { percent, say } from "./words.js";

const ALIKE = 0.01;
const LONGEST_SIDE = 120;
const OPACITY = 70;
const tell = (key, fields) => say(`experiment.${key}`, fields);

function onLink([weather, adaptation]) {
  const asked = parseAddress(location.search);
  const known = { name: asked.weather, strength: asked.strength, place: asked.place };
  const ofWeather = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null));
  const strength = PARAMETERS.map((name) => asked[name]);
  const isChanged = strength.some((value) => value !== 1) || asked.context !== "own" || asked.layers !== null;
  const ofAdaptation = isChanged && {
    layers: asked.layers, context: asked.context, strength: strength.map((value) => value || 1),
    adapted: strength.map((value) => value > 0),
  };
  const hasWeather = Object.keys(ofWeather).length > 0;
  return [
    ofAdaptation && !hasWeather ? new Update({ selected: "adaptation" }) : SKIP,
    hasWeather ? { ...weather, settings: ofWeather } : SKIP,
    ofAdaptation ? { ...adaptation, settings: ofAdaptation } : SKIP,
  ];
}

function onShown([shown, weather, adaptation]) {
  return shown ? [{ ...weather, run: shown.run }, { ...adaptation, run: shown.run }] : SKIP;
}

// An answer that a visitor can put right is a note; the settings stay.
function noted(make) {
  return async ([shown, value]) => {
    if (!shown || !value?.settings) return SKIP;
    try {
      return await make(shown, value);
    } catch (error) {
      note(explained(error));
      return SKIP;
    }
  };
}

async function onWeather(shown, value) {
  const before = await recall(shown);
  const { name, strength, place } = value.settings;
  const after = await answerAgain(before, { weather: { name, strength, place: place ?? PLACES[name] } });
  const found = changesOf(before, after);
  const rows = await Promise.all(["first", "second"].map((side) => rowOf(found, side)));
  const outcome = outcomeOf(found, ["clear", "in_weather", "changes"], rows, weatherHeadline(found, strength));
  return [outcome, sceneOf(shown, value, { photo: { url: await publish(after.image) }, shape: shapeOf(after.image) })];
}

async function onAdaptation(shown, value) {
  const before = await recall(shown);
  const layers = await ask("layers", { run: before.run, request: before.request });
  const settings = withKnownLayers(value.settings, layers);
  const record = layers.find(({ name, isMost }) => (settings.layers?.length ? settings.layers.includes(name) : isMost));
  const ends = endsOf(record.context);
  const change = await changeOf(settings, ends, before);
  const after = await answerAgain(before, { change });
  const found = changesOf(before, after);
  const row = await rowOf(found, "second");
  const compared = { file: { url: await publish(drawAnswer(before.image, before.first, OPACITY)) } };
  row.pictures.push({ ...compared, alt: tell("alt_compared", { label: before.first.label }) });
  const outcome = outcomeOf(found, ["before", "after", "changes", "compared"], [row], adaptationHeadline(found, change));
  const scene = {
    photo: { url: await publish(before.image) }, shape: shapeOf(before.image),
    layers: layers.map(({ name }) => name), shown: record.name, map: mapOf(record, ends),
  };
  return [outcome, sceneOf(shown, value, scene)];
}

const shapeOf = ({ height, width }) => [height, width];
const sceneOf = ({ run }, { settings }, scene) => ({ run, scene: { run, answers: settings, ...scene } });

function withKnownLayers(settings, layers) {
  const unknown = (settings.layers ?? []).filter((name) => !layers.some((layer) => layer.name === name));
  if (!unknown.length) return settings;
  note(tell("layer_gone", { names: unknown.sort().join(", ") }));
  return { ...settings, layers: null };
}

// What 0 and 255 stand for in a map of bytes.
const endsOf = (context) => ({ low: Math.min(0, ...context), high: Math.max(1, ...context) });

export async function changeOf(settings, { low, high }, before) {
  const strength = settings.strength.map((value, k) => value * Number(settings.adapted[k]));
  const { painted } = settings;
  const context = settings.context === "painted" && !painted ? "own" : settings.context;
  const change = { strength, context, layers: settings.layers, sizes: (await filesOf(before)).sizes };
  if (context !== "painted") return change;
  const levels = Uint8Array.from(atob(painted.data), (letter) => letter.charCodeAt(0));
  const data = Float32Array.from(levels, (level) => low + level * Math.fround((high - low) / 255));
  return { ...change, painted: { data, height: painted.height, width: painted.width } };
}

function mapOf({ context, height, width, isFlat }, { low, high }) {
  const step = Math.ceil(Math.max(height, width) / LONGEST_SIDE);
  const [rows, columns] = [Math.floor(height / step), Math.floor(width / step)];
  const text = Array.from({ length: rows * columns }, (_, i) => {
    const [top, left] = [Math.floor(i / columns) * step, (i % columns) * step];
    let sum = 0;
    for (let dy = 0; dy < step; dy++) for (let dx = 0; dx < step; dx++) sum += context[(top + dy) * width + left + dx];
    const level = Math.round(((sum / (step * step) - low) / (high - low)) * 255);
    return String.fromCharCode(Math.min(255, Math.max(0, level)));
  }).join("");
  return { height: rows, width: columns, data: btoa(text), low, high, flat: isFlat };
}

// ---- What came of it -----------------------------------------------------------------------------------------------

export function changesOf(before, after) {
  const change = (side) => {
    const map = differenceOf(before[side], after[side]);
    const moved = map.reduce((sum, value) => sum + value, 0) / map.length;
    const scores = before[side].meanIou === null ? null : [before[side].meanIou, after[side].meanIou];
    return { map, share: moved, kept: 1 - moved, scores };
  };
  return { before, after, first: change("first"), second: change("second") };
}

function outcomeOf({ before }, columns, rows, headline) {
  const { height, width } = before.image;
  const titles = columns.map((column) => tell(column, { label: before.first.label }));
  return { aspect: `${width} / ${height}`, headline, columns: titles, rows };
}

async function rowOf(found, side) {
  const { before, after } = found;
  const [change, { label }] = [found[side], after[side]];
  const drawn = [
    [drawAnswer(before.image, before[side], OPACITY), "before"],
    [drawAnswer(after.image, after[side], OPACITY), "after"],
    [drawMap(before.image, change.map, before.task), "changes"],
  ];
  const pictures = await Promise.all(drawn.map(async ([picture, what]) =>
    ({ file: { url: await publish(picture) }, alt: tell(`alt_${what}`, { label, share: percent(change.share) }) })));
  return { side, label, pictures, figures: figuresOf(before.task, change) };
}

function figuresOf(task, { share: moved, kept, scores }) {
  const figure = (name, text, length) => ({ name, title: tell(name), help: tell(`${name}_help`), text, share: length });
  if (task === "style") return [figure("distance", percent(moved), null)];
  const figures = [figure("kept", percent(kept), kept)];
  if (!scores) return figures;
  const [before, after] = scores;
  return [...figures, figure("mean_iou", tell("iou_change", { before: percent(before), after: percent(after) }), after)];
}

function weatherHeadline(found, strength) {
  const { before, after, first, second } = found;
  if (strength === 0) return tell("no_weather");
  if (before.task !== "style") return whoHolds(after, first, second);
  const labels = { first_label: after.first.label, second_label: after.second.label };
  return tell("pictures_move", { first: percent(first.share), second: percent(second.share), ...labels });
}

const lead = (second, first) => (Math.abs(second - first) < ALIKE ? 0 : Math.sign(second - first));

function whoHolds(after, first, second) {
  const told = (key, leader) => {
    const named = [[after.first.label, first], [after.second.label, second]];
    if (leader > 0) named.reverse();
    const fields = {};
    ["one", "other"].forEach((role, k) => {
      const [label, { kept, scores }] = named[k];
      Object.assign(fields, { [role]: label, [`${role}_kept`]: percent(kept) });
      if (scores) Object.assign(fields, { [`${role}_before`]: percent(scores[0]), [`${role}_after`]: percent(scores[1]) });
    });
    return tell(key, fields);
  };
  const kept = lead(second.kept, first.kept);
  if (!first.scores) return told(kept ? "kept_better" : "kept_alike", kept);
  const nearer = lead(second.scores[1], first.scores[1]);
  const losesLess = lead(second.scores[1] - second.scores[0], first.scores[1] - first.scores[0]);
  if (nearer * losesLess < 0) return told("iou_split", losesLess);
  const truth = nearer || losesLess;
  if (kept * truth < 0) return told("kept_against_iou", kept);
  if (truth) return told("iou_better", truth);
  return told(kept ? "kept_beside_iou" : "iou_alike", kept);
}

function adaptationHeadline({ before, after, second }, { strength, context, layers }) {
  const { label, added } = after.second;
  if (!added) return tell("nothing_adapts", { label });
  if (strength.every((value) => value === 1) && context === "own") return tell("as_trained", { label });
  const key = before.task === "style" ? "picture_changed" : "classes_changed";
  const headline = second.share === 0 ? tell("same_answer", { label }) : tell(key, { label, share: percent(second.share) });
  return layers === null && !strength.some(Boolean) ? `${headline} ${tell("static")}` : headline;
}

const HERE = "habn.ui.experiment.callbacks.";

export const experimentAnswers = {
  [`${HERE}on_link`]: onLink,
  [`${HERE}on_shown`]: onShown,
  [`${HERE}on_weather`]: noted(onWeather),
  [`${HERE}on_adaptation`]: noted(onAdaptation),
};
