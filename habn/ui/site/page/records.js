// What a layer did, as the inspector's files hold it: habn.hooks.record and habn.ui.inspector.encoding, in the browser. A
// record is {name, kind, eps, gates, channels, height, width, context, fixed, slope, x, y}, all maps Float32Array, `fixed`
// and `slope` (4, C) in one row. Pure functions, which node can test.

const THUMBNAIL_SIDE = 64;
const TINY = 1.1754943508222875e-38; // of float32, the smallest that is normal
const clean = (value) => (Number.isNaN(value) ? 0 : value);

export function floorsOf({ fixed, channels, varianceFloor }) {
  return Float32Array.from(fixed.subarray(3 * channels, 4 * channels), (variance) => Math.fround(varianceFloor) * variance);
}

export function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? [NaN, NaN] : [low, high];
}

export function deviation(values) {
  let [sum, squares] = [0, 0];
  for (const value of values) sum += value;
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / values.length);
}

const rootMeanSquare = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
const ofParameter = (table, k, channels) => table.subarray(k * channels, (k + 1) * channels);

// How much each parameter is adapted: see LayerRecord.strength.
export function strengthOf({ context, fixed, slope, channels }) {
  const spread = deviation(context);
  return [0, 1, 2, 3].map((k) =>
    (spread * rootMeanSquare(ofParameter(slope, k, channels))) / (rootMeanSquare(ofParameter(fixed, k, channels)) + 1e-12));
}

export const isFlat = ({ context }) => context.every((value) => value === context[0]);

export function mostAdaptedLayer(records) {
  const totals = records.map((record) => Math.hypot(...strengthOf(record).map(clean)));
  return totals.indexOf(Math.max(...totals));
}

// Channels, from the one whose output the context moves most: see encoding.adaptation_order.
export function adaptationOrder({ fixed, slope, channels, eps }) {
  const at = (table, k, c) => table[k * channels + c];
  const moves = Array.from({ length: channels }, (_, c) => {
    const variance = Math.max(at(fixed, 3, c) + eps, TINY);
    const scale = at(fixed, 0, c);
    const shift = at(slope, 1, c) - (scale / Math.sqrt(variance)) * at(slope, 2, c);
    const stretch = at(slope, 0, c) - (scale * at(slope, 3, c)) / (2 * variance);
    return clean(Math.hypot(shift, stretch));
  });
  return moves.map((_, c) => c).sort((a, b) => moves[b] - moves[a] || a - b);
}

// (4, C) pairs: each channel's parameters where the context is lowest and where it is highest.
function parameterEnds(record) {
  const { fixed, slope, channels } = record;
  const [low, high] = extent(record.context).map(clean);
  const floors = floorsOf(record);
  return [0, 1, 2, 3].map((k) => Array.from({ length: channels }, (_, c) => {
    const ends = [low, high].map((s) => Math.fround(fixed[k * channels + c] + Math.fround(slope[k * channels + c] * s)));
    return k === 3 ? ends.map((value) => Math.max(value, floors[c])) : ends;
  }));
}

const union = (extents) => [
  Math.min(...extents.map(([low]) => low).filter((low) => !Number.isNaN(low))),
  Math.max(...extents.map(([, high]) => high).filter((high) => !Number.isNaN(high))),
].map((value) => (Number.isFinite(value) ? value : NaN));

function extentsOf(record) {
  const parameters = parameterEnds(record).map((ends) => extent(ends.flat()));
  return [extent(record.context), ...parameters, extent(record.x), extent(record.y)];
}

function differenceExtents(first, second) {
  const sorted = (ends) => [...ends].sort((a, b) => a - b);
  const [a, b] = [first, second].map(parameterEnds);
  const parameters = b.map((channels, k) => extent(channels.flatMap((ends, c) => {
    const [[low, high], [otherLow, otherHigh]] = [sorted(ends), sorted(a[k][c])];
    return [Math.fround(low - otherHigh), Math.fround(high - otherLow)];
  })));
  const maps = ["context", "x", "y"].map((name) => extent(second[name].map((value, i) => value - first[name][i])));
  return [maps[0], ...parameters, ...maps.slice(1)];
}

function thumbnailOf({ context, height, width }) {
  const step = Math.min(Math.ceil(Math.max(height, width) / THUMBNAIL_SIDE), height, width);
  const [rows, columns] = [Math.floor(height / step), Math.floor(width / step)];
  const small = Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns) * step, (i % columns) * step];
    let sum = 0;
    for (let dy = 0; dy < step; dy++) for (let dx = 0; dx < step; dx++) sum += context[(row + dy) * width + column + dx];
    return sum / (step * step);
  });
  const [low, high] = extent(small);
  const levels = Uint8Array.from(small, (value) => {
    if (!Number.isFinite(value)) return 255;
    return high > low ? Math.round(((value - low) / (high - low)) * 254) : 0;
  });
  return { height: rows, width: columns, levels };
}

export function encodeStrip(first, second) {
  const thumbnails = second.map(thumbnailOf);
  const layers = second.map((record, l) => ({
    name: record.name, kinds: [first[l].kind, record.kind], shape: [record.channels, record.height, record.width],
    dead: isFlat(record), thumbnail: [thumbnails[l].height, thumbnails[l].width],
  }));
  const ranges = second.map((record, l) => {
    const [a, b] = [extentsOf(first[l]), extentsOf(record)];
    return a.map((_, q) => union([a[q], b[q]]));
  });
  const differences = second.map((record, l) => differenceExtents(first[l], record));
  const withAll = (every) => [...every, every[0].map((_, q) => union(every.map((layer) => layer[q])))].flat(2);
  return pack({ layers }, {
    strength: [Float32Array.from(second.flatMap(strengthOf)), [second.length, 4]],
    gates: [Float32Array.from(second.flatMap(({ gates }) => gates)), [second.length, 4]],
    ranges: [Float32Array.from(withAll(ranges)), [second.length + 1, 7, 2]],
    difference_ranges: [Float32Array.from(withAll(differences)), [second.length + 1, 7, 2]],
    channel_order: [Uint16Array.from(second.flatMap(adaptationOrder))],
    thumbnails: [Uint8Array.from(thumbnails.flatMap(({ levels }) => [...levels]))],
  });
}

export function encodeView(first, second, channel) {
  const plane = ({ height, width }, map) =>
    (map.every((value) => value === map[0]) ? [map.slice(0, 1)] : [map, [height, width]]);
  const header = { name: second.name, channel, shape: [second.height, second.width] };
  const arrays = {};
  for (const [network, record] of [["first", first], ["second", second]]) {
    const { kind, eps, channels, height, width } = record;
    const size = height * width;
    header[network] = { kind, eps: Math.fround(eps) };
    const ofChannel = (map) => map.subarray(channel * size, (channel + 1) * size);
    arrays[`${network}.context`] = plane(record, record.context);
    arrays[`${network}.x`] = plane(record, ofChannel(record.x));
    arrays[`${network}.y`] = plane(record, ofChannel(record.y));
    arrays[`${network}.static`] = [record.fixed, [4, channels]];
    arrays[`${network}.slope`] = [record.slope, [4, channels]];
    arrays[`${network}.gates`] = [Float32Array.from(record.gates)];
    arrays[`${network}.var_floor`] = [floorsOf(record)];
  }
  return pack(header, arrays);
}

export function encodeClasses({ labels, height, width }, finest, names, colours) {
  const place = (i, count, full) => Math.trunc(((i + 0.5) * full) / count);
  const [rows, columns] = finest;
  const small = Uint8Array.from({ length: rows * columns }, (_, i) =>
    labels[place(Math.floor(i / columns), rows, height) * width + place(i % columns, columns, width)]);
  return pack({ names, colours, shape: finest }, { labels: [small, finest] });
}

// The files' common form, which encoding.py describes.
function pack(header, arrays) {
  const kinds = { Float32Array: "float32", Uint16Array: "uint16", Uint8Array: "uint8" };
  const [entries, chunks] = [{}, []];
  let offset = 0;
  for (const [name, [array, shape = [array.length]]] of Object.entries(arrays)) {
    entries[name] = { dtype: kinds[array.constructor.name], shape, offset };
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    chunks.push(bytes, new Uint8Array((4 - (bytes.length % 4)) % 4));
    offset += bytes.length + chunks.at(-1).length;
  }
  let text = new TextEncoder().encode(JSON.stringify({ ...header, arrays: entries }));
  text = Uint8Array.from({ length: Math.ceil(text.length / 4) * 4 }, (_, i) => text[i] ?? 32);
  const file = new Uint8Array(8 + text.length + offset);
  file.set(new TextEncoder().encode("HABN"));
  new DataView(file.buffer).setUint32(4, text.length, true);
  let at = 8;
  for (const part of [text, ...chunks]) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
