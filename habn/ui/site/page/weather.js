// Changes of light, as habn.data.weather lays them over pixels: the same formulas, in linear light. Pure functions, which
// node can test. `draws` are what seed 0 draws: {uniform: numbers in [0, 1)}.

import { mersenneTwister } from "./knobs.js";
import { roundHalfToEven } from "./reduce.js";

const [GAMMA, TOE] = [2.2, 0.01];
const SPAN = (1 + TOE) ** GAMMA - TOE ** GAMMA;
const [GRAIN_ROWS, HALO_ROWS, WAVES] = [240, 48, 8];

const toLinear = (value) => ((Math.min(1, Math.max(0, value)) + TOE) ** GAMMA - TOE ** GAMMA) / SPAN;
const toDisplay = (light) =>
  Math.min(1, Math.max(0, (Math.min(1, Math.max(0, light)) * SPAN + TOE ** GAMMA) ** (1 / GAMMA) - TOE));
const sigmoid = (value) => 1 / (1 + Math.exp(-value));

// pixels: (3, H, W) in [0, 1]. weather: {name, strength, place: [x, y]}.
export function applyWeather(pixels, { width, height }, { name, strength, place }, draws) {
  const light = Float32Array.from(pixels, toLinear);
  const where = placement(width, height, place, draws);
  return WEATHER[name](light, strength, where).map(toDisplay);
}

// From the place to each pixel's centre, in heights of the picture.
function placement(width, height, [x, y], { uniform }) {
  const right = Float32Array.from({ length: width }, (_, i) => (i + 0.5 - x * width) / height);
  const below = Float32Array.from({ length: height }, (_, i) => (i + 0.5) / height - y);
  const bump = (radius) => (i, j) => Math.exp(-(right[j] ** 2 + below[i] ** 2) / (2 * radius ** 2));
  return { width, height, aspect: width / height, right, below, uniform, bump };
}

// light'[c] = change(light[c], i, j, c) at each pixel.
function each(light, { width, height }, change) {
  const changed = new Float32Array(light.length);
  for (let c = 0, at = 0; c < 3; c++) {
    for (let i = 0; i < height; i++) for (let j = 0; j < width; j++, at++) changed[at] = change(light[at], i, j, c, at);
  }
  return changed;
}

// Smooth patches in (0, 1), flattened as on a road.
function patches({ uniform, right, below }, flatness = 1) {
  const waves = Array.from({ length: WAVES }, (_, k) => {
    const [angle, speed, phase] = [0, 1, 2].map((part) => 2 * Math.PI * uniform[2 + part * WAVES + k]);
    const fast = 0.5 * speed + Math.PI;
    return { across: fast * Math.cos(angle), along: flatness * fast * Math.sin(angle), phase };
  });
  return (i, j) =>
    sigmoid(waves.reduce((sum, { across, along, phase }) => sum + Math.cos(across * right[j] + along * below[i] + phase), 0));
}

const atLeast0 = (value) => Math.max(0, value);

const WEATHER = {
  shadow_edge(light, strength, where) {
    const [angle, width] = [2 * Math.PI * where.uniform[0], 0.004 + 0.03 * where.uniform[1]];
    const colour = [1, 0.97, 0.88];
    return each(light, where, (value, i, j, c) => {
      const shade = sigmoid((where.right[j] * Math.cos(angle) + where.below[i] * Math.sin(angle)) / width);
      return value * 2 ** (-0.7 * strength * colour[c] * shade);
    });
  },

  haze(light, strength, where) {
    const colour = [0.62, 0.66, 0.7];
    return each(light, where, (value, i, j, c) => {
      const depth = 1 / (1 + Math.hypot(atLeast0(where.below[i]) / 0.12, where.right[j] / 0.6));
      const clear = Math.exp(-0.06 * strength ** 2 * depth);
      return value * clear + colour[c] * (1 - clear);
    });
  },

  low_sun(light, strength, where) {
    const colour = [1, 0.86, 0.62];
    return each(light, where, (value, i, j, c) =>
      value + ((0.2 * strength ** 1.7) / (1 + (where.right[j] ** 2 + where.below[i] ** 2) / 0.09 ** 2)) * colour[c]);
  },

  darkness(light, strength, where) {
    const [colour, patch, pool] = [[1.06, 1, 0.9], patches(where), where.bump(0.25)];
    return each(light, where, (value, i, j, c) =>
      value * 2 ** (-strength * colour[c] * (1 - (0.33 * patch(i, j) + 0.65 * pool(i, j)))));
  },

  vignette(light, strength, where) {
    return each(light, where, (value, i, j) => {
      const squared = (4 * (where.right[j] ** 2 + where.below[i] ** 2)) / (1 + where.aspect ** 2);
      return value / (1 + 0.7 * strength * squared) ** 2;
    });
  },

  contrast_loss(light, strength, where) {
    const columns = Math.max(1, roundHalfToEven(HALO_ROWS * where.aspect));
    const small = resized(light, where, HALO_ROWS, columns);
    const blurred = blur(small, { height: HALO_ROWS, width: columns }, 0.12 * HALO_ROWS);
    const halo = resized(blurred, { height: HALO_ROWS, width: columns }, where.height, where.width);
    const [bump, patch] = [where.bump(0.5), patches(where)];
    return each(light, where, (value, i, j, c, at) =>
      value + 0.18 * strength * bump(i, j) * (0.7 + 0.3 * patch(i, j)) * (halo[at] - value));
  },

  wet_glare(light, strength, where) {
    const [sky, lamp, puddles] = [[0.7, 0.74, 0.8], [1, 0.93, 0.8], patches(where, 5)];
    return each(light, where, (value, i, j, c) => {
      const [below, right] = [where.below[i], where.right[j]];
      const [down, puddle] = [atLeast0(below), puddles(i, j)];
      const road = sigmoid(below / 0.008) * sigmoid((0.1 + 2 * down - Math.abs(right)) / (0.02 + 0.2 * down));
      const mirrored = (1 - Math.exp(-0.3 * strength * puddle)) * (1 - down / Math.hypot(down, 1)) ** 5;
      const streak = (0.3 + 0.7 * puddle) * Math.exp(-0.5 * (right / (0.04 + 0.3 * down)) ** 2 - down / 0.4);
      return value + road * (mirrored * (sky[c] - value) + 0.05 * strength ** 1.7 * streak * lamp[c]);
    });
  },

  blur_noise(light, strength, where) {
    const sigma = 0.0025 * strength * where.height;
    const [half, full] = [blur(light, where, sigma / 2), blur(light, where, sigma)];
    const columns = Math.max(1, roundHalfToEven(GRAIN_ROWS * where.aspect));
    const noise = normals(3 * GRAIN_ROWS * columns, 0);
    const grain = resized(noise, { height: GRAIN_ROWS, width: columns }, where.height, where.width);
    const bump = where.bump(0.3);
    return each(light, where, (value, i, j, c, at) => {
      const amount = bump(i, j);
      const blurred = amount < 0.5 ? value + 2 * amount * (half[at] - value)
        : half[at] + (2 * amount - 1) * (full[at] - half[at]);
      return blurred + 0.035 * strength * amount * grain[at] * Math.sqrt(blurred + 0.006);
    });
  },
};

// Convolves with a Gaussian of `sigma` pixels, first down, then across; the border is repeated outward.
function blur(light, { width, height }, sigma) {
  const radius = Math.ceil(3 * sigma);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, k) => Math.exp(-0.5 * ((k - radius) / sigma) ** 2));
  const sum = weights.reduce((a, b) => a + b, 0);
  const along = (from, count, step, length) => {
    const made = new Float32Array(from.length);
    for (let at = 0; at < from.length; at++) {
      const place = Math.floor(at / step) % count;
      let value = 0;
      for (let k = -radius; k <= radius; k++) {
        const other = Math.min(length - 1, Math.max(0, place + k));
        value += (weights[k + radius] / sum) * from[at + (other - place) * step];
      }
      made[at] = value;
    }
    return made;
  };
  return along(along(light, height, width, height), width, 1, width);
}

// (3, H, W) at another size, bilinear; made smaller, each pixel is a triangle's mean, as torch's antialias does it.
function resized(light, { width, height }, rows, columns) {
  const weights = (count, from) => Array.from({ length: count }, (_, i) => {
    const scale = from / count;
    const reach = Math.max(1, scale);
    const centre = (i + 0.5) * scale;
    const [first, last] = [Math.max(0, Math.trunc(centre - reach + 0.5)), Math.min(from, Math.trunc(centre + reach + 0.5))];
    const own = [];
    for (let k = first; k < last; k++) own.push(Math.max(0, 1 - Math.abs((k - centre + 0.5) / reach)));
    const sum = own.reduce((a, b) => a + b, 0);
    return [first, own.map((weight) => weight / sum)];
  });
  const [across, down] = [weights(columns, width), weights(rows, height)];
  const wide = new Float32Array(3 * height * columns);
  for (let line = 0; line < 3 * height; line++) {
    across.forEach(([first, own], j) => {
      let value = 0;
      for (let k = 0; k < own.length; k++) value += own[k] * light[line * width + first + k];
      wide[line * columns + j] = value;
    });
  }
  const made = new Float32Array(3 * rows * columns);
  for (let c = 0; c < 3; c++) {
    down.forEach(([first, own], i) => {
      for (let j = 0; j < columns; j++) {
        let value = 0;
        for (let k = 0; k < own.length; k++) value += own[k] * wide[(c * height + first + k) * columns + j];
        made[(c * rows + i) * columns + j] = value;
      }
    });
  }
  return made;
}

// torch.randn of a generator of that seed on a CPU, for 16 numbers or more: Box and Muller's, in rows of sixteen.
export function normals(count, seed) {
  const random = mersenneTwister(seed);
  const uniform = () => (random() & 0xffffff) / 2 ** 24;
  const values = Float32Array.from({ length: count }, uniform);
  const turn = (from) => {
    for (let k = from; k < from + 8; k++) {
      const radius = Math.sqrt(-2 * Math.log(1 - values[k]));
      const angle = 2 * Math.PI * values[k + 8];
      [values[k], values[k + 8]] = [radius * Math.cos(angle), radius * Math.sin(angle)];
    }
  };
  for (let from = 0; from + 16 <= count; from += 16) turn(from);
  if (count % 16) {
    for (let k = count - 16; k < count; k++) values[k] = uniform();
    turn(count - 16);
  }
  return values;
}
