// The exports; see habn.ui.export.callbacks. Here the arrays are a ZIP of NPY files, with the pictures beside them.

import { parseAddress } from "./address.js";
import { PROGRAM, SCHEMA } from "./data.js";
import { ask } from "./engine.js";
import { SKIP, Update } from "./events.js";
import { note } from "./notes.js";
import { addressOf, drawAnswer, pngOf } from "./pictures.js";
import { explained, filesOf, recall } from "./shown.js";
import { say, size } from "./words.js";
import { npy, zip } from "./zip.js";

const PLACEHOLDER = "your-photo.jpg";

async function viewOf(shown) {
  const result = await recall(shown);
  const asked = parseAddress(location.search);
  const { names, layer: most, orders } = await filesOf(result);
  const layer = names.includes(asked.layer) ? names.indexOf(asked.layer) : most;
  const channel = asked.channel ?? orders[layer];
  const records = await ask("arrays", { run: result.run, request: result.request, layer });
  const { height, width } = records[1];
  const pixel = asked.pixel ?? [Math.floor(height / 2), Math.floor(width / 2)];
  return { result, layer, channel, pixel, records, opacity: asked.opacity };
}

function offered(suffix, make) {
  return async ([shown]) => {
    if (!shown) {
      note(say("export.nothing"));
      return SKIP;
    }
    try {
      const view = await viewOf(shown);
      const content = await make(view);
      const name = `habn-${view.result.pair}-${view.records[1].name}-${view.channel}.${suffix}`;
      const file = { url: addressOf(new Blob([content])) };
      const text = say("export.save", { name, size: size(content.length) });
      const isProgram = suffix === "py";
      return [{ file, name, text }, new Update({ value: isProgram ? content : "", visible: isProgram })];
    } catch (error) {
      note(explained(error));
      return SKIP;
    }
  };
}

const png = async (picture) => new Uint8Array(await (await pngOf(picture)).arrayBuffer());
const asGrey = ({ width, height }, labels) =>
  ({ width, height, data: Uint8Array.from({ length: 3 * labels.length }, (_, i) => labels[Math.floor(i / 3)]) });

async function writeArrays({ result, records, opacity }) {
  const { image, difference, first, second } = result;
  const files = { "schema.txt": new TextEncoder().encode(SCHEMA), "image.png": await png(image) };
  files["difference.npy"] = npy(difference, [image.height, image.width]);
  for (const [k, [name, output]] of [["first", first], ["second", second]].entries()) {
    const { context, fixed, slope, x, y, gates, eps, channels, height, width } = records[k];
    files[`${name}.png`] = await png(drawAnswer(image, output, opacity));
    if (output.labels) files[`${name}_labels.png`] = await png(asGrey(image, output.labels));
    Object.assign(files, {
      [`${name}_context.npy`]: npy(context, [height, width]),
      [`${name}_static.npy`]: npy(fixed, [4, channels]),
      [`${name}_slope.npy`]: npy(slope, [4, channels]),
      [`${name}_gates.npy`]: npy(Float32Array.from(gates), [4]),
      [`${name}_eps.npy`]: npy(Float32Array.of(eps), []),
      [`${name}_x.npy`]: npy(x, [channels, height, width]),
      [`${name}_y.npy`]: npy(y, [channels, height, width]),
    });
  }
  return zip(files);
}

function writeProgram({ result, layer, channel, pixel, records }) {
  const { pair, painting, photo } = result;
  const asPython = (value) => ({ true: "True", false: "False", null: "None" })[String(value)] ?? JSON.stringify(value);
  const named = painting && Object.entries(painting).filter(([key]) => key !== "style").map(([key, value]) => `${key}=${asPython(value)}`);
  const painted = painting ? `, painting=Painting('${painting.style}', ${named.join(", ")})` : "";
  const path = photo.example ? `assets/examples/${photo.example}.jpg` : PLACEHOLDER;
  const fields = {
    names: painting ? "Painting, Request, run" : "Request, run", name: records[1].name,
    request: `'${path}', pair='${pair}'${painted}`, layer, channel, row: pixel[0], column: pixel[1],
  };
  return PROGRAM.replace(/\{\{|\}\}|\{(\w+)\}/g, (text, name) => (name ? fields[name] : text[0]));
}

const HERE = "habn.ui.export.callbacks.";

export const exportAnswers = {
  [`${HERE}on_arrays`]: offered("zip", writeArrays),
  [`${HERE}on_program`]: offered("py", writeProgram),
};
