// Arrays as NPY files (NumPy's format, version 1.0), and files in a ZIP, stored as they are. Pure functions, which node can
// test.

export function npy(array, shape) {
  const kind = { Float32Array: "<f4", Uint8Array: "|u1" }[array.constructor.name];
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = new TextEncoder().encode(`\x00NUMPY\x01\x00\x00\x00${text.padEnd(length - 1)}\n`);
  head[0] = 0x93;
  new DataView(head.buffer).setUint16(8, length, true);
  return joined([head, new Uint8Array(array.buffer, array.byteOffset, array.byteLength)]);
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let value = i;
  for (let k = 0; k < 8; k++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function checksum(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

// {name: Uint8Array} as the bytes of one file.
export function zip(files) {
  const [parts, entries] = [[], []];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const title = new TextEncoder().encode(name);
    const shared = new DataView(new ArrayBuffer(26)); // what both of the file's headers hold
    shared.setUint16(0, 20, true);
    shared.setUint16(2, 0x800, true); // names are UTF-8
    shared.setUint16(8, 0x21, true); // 1 January 1980: the same content is the same file
    shared.setUint32(10, checksum(content), true);
    shared.setUint32(14, content.length, true);
    shared.setUint32(18, content.length, true);
    shared.setUint16(22, title.length, true);
    const both = new Uint8Array(shared.buffer);
    parts.push(Uint8Array.of(0x50, 0x4b, 3, 4), both, title, content);
    const place = new DataView(new ArrayBuffer(14));
    place.setUint32(10, at, true);
    entries.push(Uint8Array.of(0x50, 0x4b, 1, 2, 20, 0), both, new Uint8Array(place.buffer), title);
    at += 30 + title.length + content.length;
  }
  const directory = joined(entries);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, Object.keys(files).length, true);
  end.setUint16(10, Object.keys(files).length, true);
  end.setUint32(12, directory.length, true);
  end.setUint32(16, at, true);
  return joined([...parts, directory, new Uint8Array(end.buffer)]);
}
