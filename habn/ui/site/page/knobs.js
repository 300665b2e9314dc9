// The inputs by which a network's adaptation is turned; see habn.export.graph. Pure functions, which node can test.

const BLEND = ["own", "mean", "inverted", "painted", "shuffled"];

// change: {strength [4], context, painted {data, height, width}, layers (names, or null for all), sizes [[h, w], ...]}
export function knobsOf(asTrained, layers, change = null) {
  const knobs = {};
  for (const [name, value] of Object.entries(asTrained)) knobs[name] = flatten(name, value);
  if (!knobs.strength || !change) return knobs;
  layers.forEach(({ name }, l) => {
    if (change.layers && !change.layers.includes(name)) return;
    knobs.strength.data.set(change.strength, 4 * l);
    knobs.blend.data.set(BLEND.map((context) => Number(context === change.context)), BLEND.length * l);
  });
  if (change.context === "painted") {
    const { data, height, width } = change.painted;
    knobs.painted = { data, dims: [1, 1, height, width] };
  }
  if (change.context === "shuffled") {
    change.sizes.forEach(([height, width], k) => {
      const data = BigInt64Array.from(permutation(height * width, 0), BigInt);
      knobs[`order.${k}`] = { kind: "int64", data, dims: [height, width] };
    });
  }
  return knobs;
}

function flatten(name, value) {
  const dims = [];
  for (let part = value; Array.isArray(part); part = part[0]) dims.push(part.length);
  const numbers = value.flat(Infinity);
  if (name.startsWith("order.")) return { kind: "int64", data: BigInt64Array.from(numbers, BigInt), dims };
  return { data: Float32Array.from(numbers), dims };
}

// torch.randperm of a generator of that seed on a CPU.
export function permutation(count, seed) {
  const random = mersenneTwister(seed);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < count - 1; i++) {
    const other = i + (random() % (count - i));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}

// MT19937 (Matsumoto and Nishimura, 1998): 32 random bits at each call.
export function mersenneTwister(seed) {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  let place = 624;
  return () => {
    if (place === 624) {
      for (let i = 0; i < 624; i++) {
        const bits = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
        state[i] = state[(i + 397) % 624] ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
      }
      place = 0;
    }
    let bits = state[place++];
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return (bits ^ (bits >>> 18)) >>> 0;
  };
}
