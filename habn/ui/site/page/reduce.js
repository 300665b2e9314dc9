// A picture made smaller as the server does it with Pillow: averaged to at least twice the size, then by Lanczos's filter
// with bytes between the two directions. Pure functions, which node can test.

const BITS = 22; // of a weight's fraction, in Pillow's arithmetic
const SUPPORT = 3;

export function reducedSize(width, height, longer) {
  const scale = Math.min(1, longer / Math.max(width, height));
  return [width, height].map((side) => Math.max(1, roundHalfToEven(side * scale)));
}

export function roundHalfToEven(value) {
  const whole = Math.round(value);
  return Math.abs(value % 1) === 0.5 && whole % 2 ? whole - 1 : whole;
}

// {width, height, data: Uint8ClampedArray of RGBA, opaque} to RGB of the size given: {width, height, data: Uint8Array}.
export function reduce(image, width, height) {
  const opaque = onWhite(image);
  const factor = [opaque.width / width, opaque.height / height].map((scale) => Math.max(1, Math.trunc(scale / 2)));
  const averaged = factor[0] * factor[1] === 1 ? opaque : average(opaque, ...factor);
  if (image.width === width && image.height === height) return opaque;
  const box = [image.width / factor[0], image.height / factor[1]];
  return transposed(filtered(transposed(filtered(averaged, width, box[0])), height, box[1]));
}

function onWhite({ width, height, data }) {
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const alpha = data[4 * i + 3];
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round((data[4 * i + c] * alpha + 255 * (255 - alpha)) / 255);
  }
  return { width, height, data: rgb };
}

function average({ width, height, data }, xs, ys) {
  const [columns, rows] = [Math.ceil(width / xs), Math.ceil(height / ys)];
  const small = new Uint8Array(3 * columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [right, bottom] = [Math.min(width, (column + 1) * xs), Math.min(height, (row + 1) * ys)];
      const sums = [0, 0, 0];
      for (let y = row * ys; y < bottom; y++) {
        for (let x = column * xs; x < right; x++) for (let c = 0; c < 3; c++) sums[c] += data[3 * (y * width + x) + c];
      }
      const count = (right - column * xs) * (bottom - row * ys);
      const multiplier = Math.trunc((1 << 24) / count);
      for (let c = 0; c < 3; c++) {
        small[3 * (row * columns + column) + c] = Number((BigInt(sums[c] + (count >> 1)) * BigInt(multiplier)) >> 24n);
      }
    }
  }
  return { width: columns, height: rows, data: small };
}

// For each new place the first old one that it is made of, and whole-number weights.
function weightsOf(count, from) {
  const scale = from / count;
  const reach = SUPPORT * Math.max(1, scale);
  const sinc = (x) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));
  const lanczos = (x) => (Math.abs(x) < SUPPORT ? sinc(x) * sinc(x / SUPPORT) : 0);
  return Array.from({ length: count }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(Math.ceil(from), Math.trunc(centre + reach + 0.5));
    const weights = [];
    for (let k = first; k < last; k++) weights.push(lanczos((k - centre + 0.5) / Math.max(1, scale)));
    const sum = weights.reduce((a, b) => a + b, 0);
    return [first, weights.map((weight) => Math.trunc((weight / sum) * 2 ** BITS + (weight < 0 ? -0.5 : 0.5)))];
  });
}

function filtered({ width, height, data }, columns, from) {
  const places = weightsOf(columns, from);
  const small = new Uint8Array(3 * columns * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < columns; column++) {
      const [first, weights] = places[column];
      for (let c = 0; c < 3; c++) {
        let sum = 2 ** (BITS - 1);
        for (let k = 0; k < weights.length; k++) sum += weights[k] * data[3 * (row * width + Math.min(width - 1, first + k)) + c];
        small[3 * (row * columns + column) + c] = Math.max(0, Math.min(255, Math.floor(sum / 2 ** BITS)));
      }
    }
  }
  return { width: columns, height, data: small };
}

function transposed({ width, height, data }) {
  const turned = new Uint8Array(data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let c = 0; c < 3; c++) turned[3 * (column * height + row) + c] = data[3 * (row * width + column) + c];
    }
  }
  return { width: height, height: width, data: turned };
}
