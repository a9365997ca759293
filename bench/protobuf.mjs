// Just enough of protobuf's wire format to write requests, and to change what was read: fields of texts and messages.

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const MAGIC = Buffer.from("k8s\0");

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
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

/** The message in a `runtime.Unknown`. */
export function outOfEnvelope(bytes) {
  const found = fieldsOf(bytes.subarray(MAGIC.length)).find(({ number }) => number === 2);
  if (found === undefined) throw new Error("an answer that is no protobuf");
  return found.value;
}

/** The fields of a message; `whole` is a field with its tag, `value` what it holds. */
export function fieldsOf(message) {
  const fields = [];
  for (let at = 0; at < message.length; ) {
    const begin = at;
    const read = () => {
      let value = 0;
      for (let shift = 1; ; shift *= 128) {
        const byte = message[at++];
        value += (byte & 127) * shift;
        if (byte < 128) return value;
      }
    };
    const tag = read();
    let value;
    if ((tag & 7) === LENGTH_DELIMITED) {
      const length = read();
      value = message.subarray(at, at + length);
      at += length;
    } else if ((tag & 7) === VARINT) read();
    else at += (tag & 7) === FIXED64 ? 8 : 4;
    fields.push({ number: tag >>> 3, value, whole: message.subarray(begin, at) });
  }
  return fields;
}
