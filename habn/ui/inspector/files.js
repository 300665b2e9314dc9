/* exported factorsOf, labelsAt, readStrip, readView, unpack */
/* global PARAMETERS, QUANTITIES, rowsOf, summarize */
// Reads the inspector's files, which encoding.py describes. Pure functions, which node can test.

function unpack(buffer) {
  const length = new DataView(buffer).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const kinds = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array };
  const arrays = {};
  for (const [name, { dtype, shape, offset }] of Object.entries(header.arrays)) {
    arrays[name] = new kinds[dtype](buffer, 8 + length + offset, shape.reduce((a, b) => a * b, 1));
  }
  return { header, arrays };
}

// What a network's layer does with one channel: effective parameter k is fixed[k] + s * slope[k], see formula.js.
function factorsOf({ header, arrays }, network, channel) {
  const floors = arrays[network + ".var_floor"];
  const [fixed, slope] = ["static", "slope"].map((name) => {
    const table = arrays[`${network}.${name}`];
    return PARAMETERS.map((_, k) => table[k * floors.length + channel]);
  });
  return { fixed, slope, floor: floors[channel], eps: header[network].eps };
}

// The factors of the view's channel, and its maps.
function networkOf(pack, network) {
  const map = (name) => {
    const values = pack.arrays[`${network}.${name}`];
    return values.length === 1 ? values[0] : values;
  };
  const factors = factorsOf(pack, network, pack.header.channel);
  return { ...factors, gates: map("gates"), context: map("context"), x: map("x"), y: map("y") };
}

function readView(pack) {
  const [first, second] = [networkOf(pack, "first"), networkOf(pack, "second")];
  const maps = rowsOf(first, second);
  const summaries = maps.map((row) => row.map(summarize));
  return { ...pack.header, pack, networks: { first, second }, maps, summaries };
}

// What the strip shows of each layer, and the ranges of layers and network, one [low, high] for each quantity.
function readStrip({ header, arrays }) {
  const part = (name, size, index) => [...arrays[name].subarray(size * index, size * (index + 1))];
  const ranges = (name) => (l) => QUANTITIES.map((_, q) => part(name, 2, l * QUANTITIES.length + q));
  const [range, difference] = [ranges("ranges"), ranges("difference_ranges")];
  const take = (name) => {
    let offset = 0;
    return (count) => arrays[name].subarray(offset, (offset += count));
  };
  const [takeThumbnail, takeOrder] = [take("thumbnails"), take("channel_order")];
  const layers = header.layers.map((layer, l) => {
    const strength = part("strength", 4, l);
    const [height, width] = layer.thumbnail;
    return {
      ...layer, strength, gates: part("gates", 4, l), total: Math.hypot(...strength.map((value) => value || 0)),
      thumbnail: { height, width, map: Float32Array.from(takeThumbnail(height * width), (i) => (i === 255 ? NaN : i)) },
      adapted: [...takeOrder(layer.shape[0])], ranges: range(l), differenceRanges: difference(l),
    };
  });
  return { layers, ranges: range(layers.length), differenceRanges: difference(layers.length) };
}

// The class at each pixel of a map of another size, by the nearest one.
function labelsAt({ header, arrays }, [height, width]) {
  const [rows, columns] = header.shape;
  const nearest = (i, count, from) => Math.floor(((i + 0.5) * from) / count);
  return Uint8Array.from({ length: height * width }, (_, i) => {
    const [row, column] = [nearest(Math.floor(i / width), height, rows), nearest(i % width, width, columns)];
    return arrays.labels[row * columns + column];
  });
}
