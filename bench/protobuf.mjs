// Just enough of protobuf's wire format to write a request: fields of text and of messages, all shorter than 16 KB.

const LENGTH_DELIMITED = 2;
const MAGIC = Buffer.from("k8s\0");

function varint(value) {
  return value < 128 ? Buffer.from([value]) : Buffer.from([(value & 127) | 128, value >> 7]);
}

/** A field that holds a text, a message, or a message given as its fields. */
export function field(number, value) {
  const bytes = Array.isArray(value) ? Buffer.concat(value) : Buffer.from(value);
  return Buffer.concat([varint((number << 3) | LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

/** One entry of a map. */
export function mapField(number, key, value) {
  return field(number, [field(1, key), field(2, value)]);
}

/** A message in `runtime.Unknown`, as `application/vnd.kubernetes.protobuf` wants it. */
export function inEnvelope(apiVersion, kind, message) {
  return Buffer.concat([MAGIC, field(1, [field(1, apiVersion), field(2, kind)]), field(2, message)]);
}
