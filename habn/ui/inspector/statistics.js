/* exported figuresAlike, histogram */
/* global at */
// Values counted into bins, and figures that rounding lets two values share: pure functions, which node can test.

// Share of the finite values of a map in each of `bins` equal steps from low to high, at the pixels that are chosen.
function histogram(map, isChosen, [low, high], bins) {
  const counts = new Array(bins).fill(0);
  let total = 0;
  for (let i = 0; i < isChosen.length; i++) {
    const value = at(map, i);
    if (!isChosen[i] || !Number.isFinite(value)) continue;
    const bin = high > low ? Math.floor(((value - low) / (high - low)) * bins) : bins >> 1;
    counts[Math.min(bins - 1, Math.max(0, bin))]++;
    total++;
  }
  return counts.map((count) => (total === 0 ? 0 : count / total));
}

// A computed and a recorded value, with as many figures as float32 arithmetic lets them share: where terms of the size
// `magnitude` nearly cancel, the last figures of either are rounding. A larger disagreement stays visible.
function figuresAlike(computed, recorded, magnitude) {
  const isRounding = Math.abs(computed - recorded) <= 1e-6 * Math.max(magnitude, Math.abs(recorded));
  for (let digits = 4; isRounding && digits > 0; digits--) {
    const texts = [computed, recorded].map((value) => figure(value, digits));
    if (texts[0] === texts[1]) return texts;
  }
  return isRounding ? ["0", "0"] : [figure(computed), figure(recorded)];
}
