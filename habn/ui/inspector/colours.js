/* exported BLUE_ORANGE, CIVIDIS, centreOf, colourIndex, extentOf, isPositive, paletteOf, scaleEnds, stopsOf, widened */
/* global PARAMETERS */
// The colours of the maps: pure functions without a document, which node can test.

const isPositive = (quantity) => quantity === "s" || quantity === "var";

// Where the colours of a quantity turn from blue to orange: at the static value of a parameter, at 0 for x and y.
function centreOf(network, quantity) {
  if (isPositive(quantity)) return null;
  return PARAMETERS.includes(quantity) ? network.fixed[PARAMETERS.indexOf(quantity)] : 0;
}

// From the lowest to the highest of several summaries.
function extentOf(summaries) {
  const finite = summaries.filter(({ low }) => Number.isFinite(low));
  return [Math.min(...finite.map(({ low }) => low)), Math.max(...finite.map(({ high }) => high))];
}

// A hundredth of the values' size at least: to draw less from end to end would make opposites of what is all but equal.
function widened([low, high]) {
  const lack = (0.01 * Math.max(Math.abs(low), Math.abs(high)) - (high - low)) / 2;
  return lack > 0 ? [low - lack, high + lack] : [low, high];
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
