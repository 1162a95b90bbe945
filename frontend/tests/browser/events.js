// Writes TensorBoard event files with given steps and values.

/** @param {Buffer} data */
function maskedCrc(data) {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  crc = (crc ^ 0xffffffff) >>> 0;
  const out = Buffer.alloc(4);
  out.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return out;
}

/** @param {number} value */
function varint(value) {
  const bytes = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    const last = rest < 128n;
    bytes.push(Number(rest & 127n) | (last ? 0 : 128));
    if (last) return Buffer.from(bytes);
  }
}

/** A field of bytes. @param {number} number @param {Buffer} data */
const field = (number, data) => Buffer.concat([varint((number << 3) | 2), varint(data.length), data]);

/** @param {Buffer} data */
function record(data) {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, maskedCrc(length), data, maskedCrc(data)]);
}

/** @param {{ [tag: string]: [step: number, value: number][] }} scalars */
export function eventFile(scalars) {
  const records = Object.entries(scalars).flatMap(([tag, points]) =>
    points.map(([step, value], i) => {
      const [time, number] = [Buffer.alloc(9), Buffer.alloc(5)];
      time.writeUInt8(9);
      time.writeDoubleLE(1_700_000_000 + i, 1);
      number.writeUInt8(21);
      number.writeFloatLE(value, 1);
      const summary = field(1, Buffer.concat([field(1, Buffer.from(tag)), number]));
      return record(Buffer.concat([time, varint(16), varint(step), field(5, summary)]));
    }),
  );
  const version = Buffer.concat([Buffer.from([9, 0, 0, 0, 0, 0, 0, 0, 0]), field(3, Buffer.from("brain.Event:2"))]);
  return Buffer.concat([record(version), ...records]);
}
