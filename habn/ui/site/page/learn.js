// The tab Learn; see habn.ui.learn. Steps 1 to 4 are ready, steps 5 and 6 are about what the page shows.

import { CLASSES } from "./data.js";
import { onSelect } from "./compare.js";
import { ask } from "./engine.js";
import { SKIP, Update } from "./events.js";
import { changesOf } from "./experiment.js";
import { scoresOf } from "./panels.js";
import { drawMap, publish } from "./pictures.js";
import { answerAgain, explained, filesOf, inspect, recall } from "./shown.js";
import { decimals, escaped, language, percent, say } from "./words.js";

const PHOTO_STEPS = [5, 6];
const [MOST, FEW, MANY, SMALLEST_CLASS] = [0.5, 0.01, 0.1, 0.01];
let lesson = null; // the promise of what is ready

function ready() {
  lesson ??= fetch(new URL(`lesson.${language}.json`, import.meta.url)).then((answer) => answer.json());
  return lesson;
}

const tell = (key, fields = {}) =>
  say(`learn.${key}`, Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, escaped(value)])));
async function onStep(inputs, { step }) {
  return (await ready()).steps[step] ?? SKIP;
}

const onPhotoStep = ([shown], { step }) => (PHOTO_STEPS.includes(step) ? showPhoto(shown, step) : SKIP);

function onReturn([shown, text]) {
  if (!text || !PHOTO_STEPS.includes(text.step) || (shown && text.run === shown.run)) return SKIP;
  return showPhoto(shown, text.step);
}

const onShown = ([shown, text]) => (text && "note" in text ? onReturn([shown, text]) : SKIP);

async function onPick([shown], event) {
  const { run, views } = await ready();
  return event.run === run ? [views[`${event.layer}/${event.channel}`]] : onSelect([shown], event);
}

const onTab = (inputs, { tab }) => [new Update({ selected: tab })];

async function showPhoto(shown, step) {
  const without = (reason) => [{ step, note: reason }, SKIP, null];
  if (!shown) return without(tell("no_photo"));
  try {
    const result = await recall(shown);
    if (!result.second.added) return without(tell("no_habn", { pair: say(`pairs.${result.pair}`) }));
    return step === 5 ? await photoStep(result) : await lastStep(result);
  } catch (error) {
    return without(explained(error));
  }
}

const given = ({ run, request }) => ({ run, request });

async function mostAdapted(result) {
  const layers = await ask("layers", given(result));
  const layer = layers.findIndex(({ isMost }) => isMost);
  const channel = layers[layer].most;
  const [first, second] = await ask("channel", { ...given(result), layer, channel });
  return { layer, channel, layers, record: layers[layer], first, second };
}

function highest(values, width) {
  let best = 0;
  values.forEach((value, i) => value > values[best] && (best = i));
  return [Math.floor(best / width), best % width];
}

async function photoStep(result) {
  const { layer, channel, layers, record } = await mostAdapted(result);
  const followed = whatIsFollowed(record, result);
  const fields = {
    label: result.second.label, pair: say(`pairs.${result.pair}`), layers: layers.length, layer: record.name, channel,
    channels: record.channels, rows: record.height, columns: record.width,
    brightness: percent(followed.brightness), height: percent(followed.height),
  };
  const answer = [tell("5_answer", fields)];
  if (record.isFlat) answer.push(tell("5_flat"));
  else if (followed.means.length) {
    const [[low, lowS], [high, highS]] = [followed.means[0], followed.means.at(-1)];
    const names = { high: say(`classes.${high}`), low: say(`classes.${low}`) };
    answer.push(tell("5_classes", { classes: percent(followed.classes), ...names, high_s: decimals(highS, 2), low_s: decimals(lowS, 2) }));
  }
  const shares = [followed.brightness, followed.height];
  const right = Math.max(...shares) >= MOST ? shares.indexOf(Math.max(...shares)) + 1 : 3;
  const names = ["scale", "bias", "mean", "var"].map((name) => tell(name));
  const table = { caption: tell("5_table"), head: ["", ...names], rows: [[tell("moves"), ...record.strength.map((share) => percent(share))]] };
  const look = { rows: ["second"], columns: ["s", "scale", "bias", "mean", "var", "y"], parts: ["maps"] };
  look.pixel = highest(record.context, record.width);
  const question = questionOf(5, right, answer.join(" "), fields);
  return assembled(result, { layer, channel, record, look, text: { ...textOf(5, fields), table }, question });
}

async function lastStep(result) {
  const { layer, channel, record, first, second } = await mostAdapted(result);
  const pixel = highest(second.y.map((value, i) => Math.abs(value - first.y[i])), record.width);
  const at = pixel[0] * record.width + pixel[1];
  const fields = {
    first: result.first.label, second: result.second.label, layer: record.name, channel,
    y_first: decimals(first.y[at], 3), y_second: decimals(second.y[at], 3), s: decimals(record.context[at], 2),
  };
  const change = { strength: [0, 0, 0, 0], context: "own", layers: null, sizes: (await filesOf(result)).sizes };
  const { second: frozen } = changesOf(result, await answerAgain(result, { change }));
  const answer = [tell(`6_changed_${result.task}`, { share: percent(frozen.share) })];
  if (frozen.scores) {
    const [before, after] = frozen.scores.map((score) => percent(score));
    answer.push(tell("6_scored", { before, after }));
  }
  const right = frozen.share < FEW ? 1 : frozen.share <= MANY ? 2 : 3;
  const { height, width } = result.image;
  const changes = await publish(drawMap(result.image, frozen.map, result.task));
  const question = {
    ...questionOf(6, right, [...answer, tell("6_answer")].join(" ")),
    picture: { file: { url: changes }, alt: tell("changes_alt"), marks: [], shape: [height, width] },
    table: measured(result), tabs: ["experiment", "results"],
  };
  const look = { rows: ["first", "second", "difference"], columns: ["s", "x", "y"], parts: ["maps", "attribution"], pixel };
  return assembled(result, { layer, channel, record, look, text: textOf(6, fields), question });
}

function measured(result) {
  const scores = scoresOf(result);
  const digits = result.task === "segmentation" ? 2 : 3;
  const rows = [result.first, result.second].map(({ label }, k) =>
    [label, ...Object.values(scores).map((values) => decimals(values[k], digits))]);
  const head = [tell("network"), ...Object.keys(scores).map((name) => tell(`6_${name}`))];
  return { caption: tell("6_table"), head, rows };
}

const textOf = (number, fields) =>
  ({ step: number, title: tell(`${number}_title`), paragraphs: tell(`${number}_text`, fields).split("\n\n") });

function questionOf(number, right, answer, fields = {}) {
  const choices = [1, 2, 3].map((k) =>
    ({ text: tell(`${number}_choice_${k}`, fields), why: k === right ? null : tell(`${number}_why_${k}`, fields) }));
  return { step: number, question: tell(`${number}_question`, fields), choices, answer };
}

async function assembled(result, { layer, channel, record, look, text, question }) {
  const { height, width } = result.image;
  const [row, column] = look.pixel;
  const mark = { name: "", left: (100 * (column + 0.5)) / record.width, top: (100 * (row + 0.5)) / record.height };
  const picture = { file: { url: await publish(result.image) }, alt: tell("photo_alt"), marks: [mark], shape: [height, width] };
  const inspection = await inspect(result, layer, channel, { ...look, range: "map" });
  return [{ ...text, run: result.run, picture }, inspection, question];
}

// ---- What a map s follows ------------------------------------------------------------------------------------------

function whatIsFollowed({ context, height, width }, { image, second }) {
  const brightness = averaged(image, height, width);
  const rows = Float64Array.from(context, (_, i) => Math.floor(i / width));
  const followed = { brightness: explainedBy(context, brightness), height: explainedBy(context, rows), classes: null, means: [] };
  if (!second.labels) return followed;
  const labels = Uint8Array.from(context, (_, i) => {
    const place = (index, count, full) => Math.floor(((index + 0.5) * full) / count);
    const [y, x] = [place(Math.floor(i / width), height, image.height), place(i % width, width, image.width)];
    return second.labels[y * image.width + x];
  });
  const [counts, sums] = [new Array(CLASSES.length).fill(0), new Array(CLASSES.length).fill(0)];
  labels.forEach((label, i) => {
    counts[label]++;
    sums[label] += context[i];
  });
  const means = sums.map((sum, k) => sum / Math.max(counts[k], 1));
  followed.classes = explainedBy(context, Float64Array.from(labels, (label) => means[label]));
  followed.means = CLASSES.map((name, k) => [name, means[k]]).filter((_, k) => counts[k] >= SMALLEST_CLASS * context.length)
    .sort((a, b) => a[1] - b[1]);
  return followed;
}

// The picture's luma, averaged over the pixels of a smaller map.
function averaged({ width: from, height: rows, data }, height, width) {
  return Float64Array.from({ length: height * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    const [top, bottom] = [(row * rows) / height, ((row + 1) * rows) / height];
    const [left, right] = [(column * from) / width, ((column + 1) * from) / width];
    let [sum, weight] = [0, 0];
    for (let y = Math.floor(top); y < bottom; y++) {
      for (let x = Math.floor(left); x < right; x++) {
        const share = (Math.min(bottom, y + 1) - Math.max(top, y)) * (Math.min(right, x + 1) - Math.max(left, x));
        const at = 3 * (y * from + x);
        sum += share * (0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]);
        weight += share;
      }
    }
    return Math.round(sum / weight);
  });
}

// The squared correlation of two maps; 0 where one of them is flat.
function explainedBy(values, by) {
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  const [a, b] = [mean(values), mean(by)];
  let [both, own, other] = [0, 0, 0];
  values.forEach((value, i) => {
    both += (value - a) * (by[i] - b);
    own += (value - a) ** 2;
    other += (by[i] - b) ** 2;
  });
  return own === 0 || other === 0 ? 0 : both ** 2 / (own * other);
}

const HERE = "habn.ui.learn.callbacks.";

export const learnAnswers = {
  [`${HERE}on_step`]: onStep,
  [`${HERE}on_photo_step`]: onPhotoStep,
  [`${HERE}on_return`]: onReturn,
  [`${HERE}on_shown`]: onShown,
  [`${HERE}on_pick`]: onPick,
  [`${HERE}on_tab`]: onTab,
};
