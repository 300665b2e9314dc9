// What a pixel gets, and how a map is summed up and coloured: pure functions without a document, which node can test.

// A map is a Float32Array, row by row, or one number where it is the same everywhere.
const at = (map, i) => (typeof map === "number" ? map : map[i]);
const ROWS = ["first", "static", "second", "difference"];
const PARAMETERS = ["scale", "bias", "mean", "var"];
const QUANTITIES = [
  { key: "s", title: "Context", symbol: "s" },
  { key: "scale", title: "Scale", symbol: "γ′" },
  { key: "bias", title: "Bias", symbol: "β′" },
  { key: "mean", title: "Mean", symbol: "μ′" },
  { key: "var", title: "Variance", symbol: "σ²′" },
  { key: "x", title: "Input", symbol: "x" },
  { key: "y", title: "Output", symbol: "y" },
];

// The files are described in encoding.py.
function unpack(buffer) {
  const length = new DataView(buffer).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const arrays = {};
  for (const [name, { dtype, shape, offset }] of Object.entries(header.arrays)) {
    const Kind = dtype === "uint8" ? Uint8Array : Float32Array;
    arrays[name] = new Kind(buffer, 8 + length + offset, shape.reduce((a, b) => a * b, 1));
  }
  return { header, arrays };
}

// The factors of one network in one layer and channel, and its maps.
function networkOf({ header, arrays }, network) {
  const map = (name) => {
    const values = arrays[network + "." + name];
    return values.length === 1 ? values[0] : values;
  };
  const { kind, eps } = header[network];
  const [fixed, slope, gates] = ["static", "slope", "gates"].map((name) => arrays[network + "." + name]);
  return { kind, eps, fixed, slope, gates, floor: map("var_floor"), context: map("context"), x: map("x"), y: map("y") };
}

// effective = static + s * slope; the variance has a floor.
function effective(network, k, s) {
  const value = network.fixed[k] + s * network.slope[k];
  return k === 3 ? Math.max(value, network.floor) : value;
}

// y = (x - mean') / sqrt(var' + eps) * scale' + bias'
function normalize(network, x, s) {
  const [scale, bias, mean, variance] = [0, 1, 2, 3].map((k) => effective(network, k, s));
  return ((x - mean) / Math.sqrt(variance + network.eps)) * scale + bias;
}

function combine(a, b, f) {
  if (typeof a === "number" && typeof b === "number") return f(a, b);
  const result = new Float32Array(a.length ?? b.length);
  for (let i = 0; i < result.length; i++) result[i] = f(at(a, i), at(b, i));
  return result;
}

// The seven maps s, scale, bias, mean, var, x, y of a network; without its context when held at its static values.
function mapsOf(network, isStatic = false) {
  const context = isStatic ? 0 : network.context;
  const y = isStatic ? combine(network.x, 0, (x) => normalize(network, x, 0)) : network.y;
  const parameters = PARAMETERS.map((_, k) => combine(context, 0, (s) => effective(network, k, s)));
  return [context, ...parameters, network.x, y];
}

// Rows of the inspector: first network, second held static, second, and second minus first.
function rowsOf(first, second) {
  const [a, b] = [mapsOf(first), mapsOf(second)];
  return [a, mapsOf(second, true), b, b.map((map, q) => combine(map, a[q], (after, before) => after - before))];
}

function summarize(map) {
  const values = typeof map === "number" ? [map] : map;
  let [low, high, sum, bad] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) { bad++; continue; }
    if (value < low) low = value;
    if (value > high) high = value;
    sum += value;
  }
  const good = values.length - bad;
  return good === 0 ? { low: NaN, high: NaN, mean: NaN, bad } : { low, high, mean: sum / good, bad };
}

// What the strip shows of each layer, and the ranges of layers and network, one [low, high] for each quantity.
function readStrip({ header, arrays }) {
  const part = (name, size, index) => [...arrays[name].subarray(size * index, size * (index + 1))];
  const range = (l) => QUANTITIES.map((_, q) => part("ranges", 2, l * QUANTITIES.length + q));
  let offset = 0;
  const thumbnails = header.layers.map(({ thumbnail: [height, width] }) => {
    const levels = arrays.thumbnails.subarray(offset, (offset += height * width));
    return Float32Array.from(levels, (level) => (level === 255 ? NaN : level));
  });
  const layers = header.layers.map((layer, l) => {
    const strength = part("strength", 4, l);
    return { ...layer, strength, total: Math.hypot(...strength.map((value) => value || 0)), gates: part("gates", 4, l) };
  });
  return { layers, thumbnails, layerRanges: layers.map((_, l) => range(l)), networkRange: range(layers.length) };
}

function readView(pack) {
  const [first, second] = [networkOf(pack, "first"), networkOf(pack, "second")];
  const maps = rowsOf(first, second);
  return { ...pack.header, networks: { first, second }, maps, summaries: maps.map((row) => row.map(summarize)) };
}

const isPositive = (q) => QUANTITIES[q].key === "s" || QUANTITIES[q].key === "var";

// Where the colours of a quantity turn from blue to orange: at the static value of a parameter, at 0 for x and y.
function centreOf(network, q) {
  if (isPositive(q)) return null;
  return PARAMETERS.includes(QUANTITIES[q].key) ? network.fixed[q - 1] : 0;
}

// From the lowest to the highest of several summaries.
function extentOf(summaries) {
  const finite = summaries.filter(({ low }) => Number.isFinite(low));
  return [Math.min(...finite.map(({ low }) => low)), Math.max(...finite.map(({ high }) => high))];
}

// Ends of a colour scale: as they are, or as far to both sides of the centre as the farther of them.
function scaleEnds(low, high, centre = null) {
  if (centre === null) return [low, high];
  const reach = Math.max(Math.abs(high - centre), Math.abs(low - centre));
  return [centre - reach, centre + reach];
}

// 0 to 255 along the scale, and 256 for what is not finite; a scale without extent is all its own middle.
function colourIndex(value, low, high) {
  if (!Number.isFinite(value)) return 256;
  if (!(high > low)) return 128;
  return Math.min(255, Math.max(0, Math.round(((value - low) / (high - low)) * 255)));
}

// Thirty-three colours of matplotlib's cividis: "".join(to_hex(c)[1:] for c in cividis(linspace(0, 1, 33))).
const CIVIDIS =
  "00224e00285b002e6a0533711a386f273e6e32436d3b496c434e6c4b546c535a6d5a5f6e61656f686a716f70737676767d7c78" +
  "8482798c8878938e789b9476a39a74aba072b4a76fbcae6cc4b468cdbb63d5c25edec958e7d150f0d846f9e03afee838";
// Thirty-three from the blue half of its RdBu to the orange half of its PuOr, alike: RdBu(linspace(1, 0.5, 17)[:-1]) and
// PuOr(linspace(0.5, 0, 17)).
const BLUE_ORANGE =
  "0530610d3f7615508d1e61a52870b1337eb83e8cbf4f9bc768abd081bad898c8e0acd2e5c0dcebd2e6f0deebf2eaf1f5f6f6f7" +
  "f9f0e4fbe9cffde2bbfed7a2fdca88fdbd6ef8ae55ef9e3ce68d23db7d12cd700ebe630ab05606a04d078f44077f3b08";
const NOT_FINITE = [255, 0, 200];

function stopsOf(digits) {
  return digits.match(/.{6}/g).map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));
}

// 257 colours for colourIndex, each as the four bytes of a canvas pixel (red first, little-endian).
function paletteOf(digits) {
  const stops = stopsOf(digits);
  const colours = Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (stops.length - 1);
    const left = Math.min(Math.floor(place), stops.length - 2);
    return stops[left].map((from, c) => Math.round(from + (place - left) * (stops[left + 1][c] - from)));
  });
  const pack = ([red, green, blue]) => red | (green << 8) | (blue << 16) | (255 << 24);
  return Uint32Array.from([...colours, NOT_FINITE], pack);
}

// Four significant figures with a true minus sign.
function figure(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+∞" : "−∞";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : value.toPrecision(4);
  return size === 0 ? "0" : text.replaceAll("-", "−");
}
