import { expect, test } from "vitest";
import { encodeV3Document } from "./protobuf-v3.ts";

/** Fields of a message by number: text where it is printable, else nested fields. */
function read(bytes: Uint8Array): Record<number, unknown[]> {
  const out: Record<number, unknown[]> = {};
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const list = out[tag >> 3] ?? [];
    out[tag >> 3] = list;
    if ((tag & 7) === 0) list.push(varint());
    else if ((tag & 7) === 1) {
      list.push(Buffer.from(bytes.subarray(at, at + 8)).readDoubleLE(0));
      at += 8;
    } else {
      const length = varint();
      list.push(Buffer.from(bytes.subarray(at, at + length)));
      at += length;
    }
  }
  return out;
}

const nested = (message: Record<number, unknown[]>, ...path: number[]): Record<number, unknown[]> =>
  path.reduce((at, number) => read(at[number]?.[0] as Uint8Array), message);
const textOf = (message: Record<number, unknown[]>, number: number): string => String(message[number]?.[0] ?? "");

test("paths, operations and parameters have gnostic's numbers", () => {
  const operation = { operationId: "readX", parameters: [{ name: "p", in: "query", schema: { type: "string" } }] };
  const document = read(encodeV3Document({ openapi: "3.0.0", paths: { "/x": { get: operation } } }));
  expect(textOf(document, 1)).toBe("3.0.0");
  const path = nested(document, 4, 1);
  expect(textOf(path, 1)).toBe("/x");
  const get = nested(path, 2, 4);
  expect(textOf(get, 5)).toBe("readX");
  expect(textOf(nested(get, 6, 1), 1)).toBe("p");
  expect(textOf(nested(get, 6, 1, 10, 1), 25)).toBe("string");
});

test.each([
  { value: "rbd", number: 3, want: Buffer.from("rbd") },
  { value: true, number: 2, want: 1 },
  { value: 100, number: 1, want: 100 },
])("a default of $value", ({ value, number, want }) => {
  const schemas = { X: { type: "object", default: value } };
  const schema = nested(read(encodeV3Document({ components: { schemas } })), 5, 1, 1, 2, 1);
  expect(nested(schema, 33)[number]?.[0]).toEqual(want);
});

test("an object as default is left out, extensions are YAML", () => {
  const schemas = { X: { default: {}, "x-kubernetes-list-type": "atomic" } };
  const schema = nested(read(encodeV3Document({ components: { schemas } })), 5, 1, 1, 2, 1);
  expect(schema[33]).toBeUndefined();
  const extension = nested(schema, 36);
  expect(textOf(extension, 1)).toBe("x-kubernetes-list-type");
  expect(textOf(nested(extension, 2), 2)).toBe('"atomic"\n');
});
