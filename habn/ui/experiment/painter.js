/* exported Painting, changedMap, paintMap, toBytes, toText */
// Painting a map s: a picture of bytes (255 the highest value), strokes on it, and the way back.

const STROKES_KEPT = 50;

class Painting {
  constructor(map) {
    this.restore(map);
    this.undone = [];
    this.done = []; // the maps as they were before each stroke
  }

  get isTouched() {
    return this.done.length > 0;
  }

  snapshot() {
    return { height: this.height, width: this.width, levels: this.levels };
  }

  restore({ height, width, levels }) {
    Object.assign(this, { height, width, levels });
  }

  // Remember how it is, and change a copy from now on: `map`, or the same map.
  begin(map = this.snapshot()) {
    this.done.push(this.snapshot());
    if (this.done.length > STROKES_KEPT) this.done.splice(1, 1); // the first is what it started from
    this.undone = [];
    this.restore({ ...map, levels: map.levels.slice() });
  }

  // A stroke of discs from one place to another, in [0, 1] of width and height; the radius in heights.
  stroke(from, to, radius, level) {
    const [dx, dy] = [(to[0] - from[0]) * this.width, (to[1] - from[1]) * this.height];
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(dx, dy)));
    for (let i = 0; i <= steps; i++) {
      const share = i / steps;
      this.dab(from[0] * this.width + share * dx, from[1] * this.height + share * dy, radius * this.height, level);
    }
  }

  dab(x, y, radius, level) {
    const [top, bottom] = [Math.max(0, Math.floor(y - radius)), Math.min(this.height - 1, Math.ceil(y + radius))];
    const [left, right] = [Math.max(0, Math.floor(x - radius)), Math.min(this.width - 1, Math.ceil(x + radius))];
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const isInside = Math.hypot(column + 0.5 - x, row + 0.5 - y) <= Math.max(radius, 0.71);
        if (isInside) this.levels[row * this.width + column] = level;
      }
    }
  }

  undo() {
    this.move(this.done, this.undone);
  }

  redo() {
    this.move(this.undone, this.done);
  }

  move(from, to) {
    if (!from.length) return;
    to.push(this.snapshot());
    this.restore(from.pop());
  }
}

const toText = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const toBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// The map over the dimmed photo: the higher, the brighter, so that it can be read without seeing colours.
function paintMap(canvas, { height, width, levels }) {
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  levels.forEach((level, i) => image.data.set([255, 222, 120, Math.round(level * 0.9)], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// What becomes of the map of a layer, as the engine does it; the shuffled one is only alike.
function changedMap({ height, width, levels }, context) {
  const changed = levels.slice();
  if (context === "mean") changed.fill(levels.reduce((sum, level) => sum + level, 0) / levels.length);
  if (context === "inverted") {
    const ends = Math.max(...levels) + Math.min(...levels);
    levels.forEach((level, i) => (changed[i] = ends - level));
  }
  if (context === "shuffled") {
    let seed = 1;
    for (let i = changed.length - 1; i > 0; i--) {
      seed = (seed * 48271) % 2147483647; // Park and Miller's generator: the same at every drawing
      const j = seed % (i + 1);
      [changed[i], changed[j]] = [changed[j], changed[i]];
    }
  }
  return { height, width, levels: changed };
}
