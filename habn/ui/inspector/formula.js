/* exported ROWS, at, attribute, combine, effective, indexOfLargest, normalize, rowsOf, summarize, termsAt */
/* global PARAMETERS */
// What a pixel gets, how a map is summed up, and what made a gap: pure functions without a document, which node can test.

// A map is a Float32Array, row by row, or one number where it is the same everywhere.
const at = (map, i) => (typeof map === "number" ? map : map[i]);
const ROWS = ["first", "static", "second", "difference"];

// effective = static + s * slope; the variance has a floor.
function effective(factors, k, s) {
  const value = factors.fixed[k] + s * factors.slope[k];
  return k === 3 ? Math.max(value, factors.floor) : value;
}

// The four numbers that the formula takes for a value s of the context: scale', bias', mean' and var' + eps.
function termsAt(factors, s) {
  const [scale, bias, mean, variance] = PARAMETERS.map((_, k) => effective(factors, k, s));
  return [scale, bias, mean, variance + factors.eps];
}

// y = (x - mean') / sqrt(var' + eps) * scale' + bias'
const evaluate = (x, [scale, bias, mean, spread]) => ((x - mean) / Math.sqrt(spread)) * scale + bias;

const normalize = (factors, x, s) => evaluate(x, termsAt(factors, s));

function combine(a, b, f) {
  if (typeof a === "number" && typeof b === "number") return f(a, b);
  const result = new Float32Array(a.length ?? b.length);
  for (let i = 0; i < result.length; i++) result[i] = f(at(a, i), at(b, i));
  return result;
}

// The maps QUANTITIES of a network; without its context when held at its static values.
function mapsOf(network, isStatic = false) {
  const context = isStatic ? 0 : network.context;
  const y = isStatic ? combine(network.x, 0, (x) => normalize(network, x, 0)) : network.y;
  const parameters = PARAMETERS.map((_, k) => combine(context, 0, (s) => effective(network, k, s)));
  return [context, ...parameters, network.x, y];
}

// The maps of all ROWS: first network, second held static, second, and second minus first.
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

// Where a map is largest; null where it is one value, or has no finite one.
function indexOfLargest(map) {
  const { low, high } = summarize(map);
  return low < high ? map.indexOf(high) : null;
}

// Shapley values of a game with `count` players; worth(coalition) has bit k set where player k takes part. Each player gets
// what its joining adds, averaged over all orders in which they can join; together they get worth(all) - worth(none).
function shapley(count, worth) {
  const worths = Array.from({ length: 2 ** count }, (_, coalition) => worth(coalition));
  const factorial = (n) => (n < 2 ? 1 : n * factorial(n - 1));
  const sizeOf = (coalition) => coalition.toString(2).replaceAll("0", "").length;
  const values = new Array(count).fill(0);
  worths.forEach((before, coalition) => {
    const size = sizeOf(coalition);
    const weight = (factorial(size) * factorial(count - 1 - size)) / factorial(count);
    for (let k = 0; k < count; k++) {
      if (!(coalition & (1 << k))) values[k] += weight * (worths[coalition | (1 << k)] - before);
    }
  });
  return values;
}

// Why the second network's y at pixel i is not the first's. `input`: the first network's layer on the second's x, less the
// same layer on its own x. `parameters`: for that x of the second network, Shapley values of exchanging the first's scale,
// bias, mean and variance (with its eps) for the second's. These five sum to `gap`.
function attribute(first, second, i) {
  const [a, b] = [first, second].map((network) => termsAt(network, at(network.context, i)));
  const [before, after] = [at(first.x, i), at(second.x, i)];
  const parameters = shapley(4, (chosen) => evaluate(after, a.map((term, k) => (chosen & (1 << k) ? b[k] : term))));
  const own = evaluate(before, a);
  return { parameters, input: evaluate(after, a) - own, gap: evaluate(after, b) - own };
}
