import { describe, expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { type EncodedObject, encodeObject, metadataLength, writeMetadata } from "./serializer.ts";

const metadata = { name: "web", namespace: "default", resourceVersion: "7", labels: { app: "web" } };
const head = '{"apiVersion":"v1","kind":"Thing","metadata":{"name":"web","namespace":"default","labels":{"app":"web"}}';

function thing(members: object): ApiObject {
  return { apiVersion: "v1", kind: "Thing", metadata, ...members } as ApiObject;
}

function textOf({ bytes }: EncodedObject): string {
  return Buffer.from(bytes).toString("utf8");
}

/** The metadata alone, as lists of metadata have it. */
function metadataOf(encoded: EncodedObject): unknown {
  const target = Buffer.alloc(metadataLength(encoded, 9));
  writeMetadata(target, 0, encoded, 9);
  return JSON.parse(target.toString("utf8"));
}

describe("what is stored of an object", () => {
  const long = "x".repeat(200_000);
  test.each([
    { name: "nothing but metadata", members: {}, want: "}" },
    { name: "a spec alone", members: { spec: { replicas: 1 } }, want: ',"spec":{"replicas":1}}' },
    { name: "spec and status", members: { spec: { a: 1 }, status: { b: [] } }, want: ',"spec":{"a":1},"status":{"b":[]}}' },
    { name: "a spec behind others", members: { data: { k: "v" }, spec: {} }, want: ',"data":{"k":"v"},"spec":{}}' },
    { name: "a spec that is null", members: { spec: null }, want: ',"spec":null}' },
    { name: "absent members", members: { spec: undefined, data: undefined, type: "T" }, want: ',"type":"T"}' },
    { name: "letters beyond ASCII", members: { spec: { text: "größer 東京 🎈" } }, want: ',"spec":{"text":"größer 東京 🎈"}}' },
    {
      name: "more than there is room for",
      members: { spec: { long }, data: long },
      want: `,"spec":{"long":"${long}"},"data":"${long}"}`,
    },
    {
      name: "a name that JavaScript gives a meaning",
      members: JSON.parse('{"__proto__":{"a":1}}'),
      want: ',"__proto__":{"a":1}}',
    },
  ])("$name", ({ members, want }) => {
    const object = Object.defineProperties(thing({}), Object.getOwnPropertyDescriptors(members));
    const encoded = encodeObject(object);
    expect(textOf(encoded)).toBe(head + want);
    expect(metadataOf(encoded)).toEqual({ ...metadata, resourceVersion: "9" });
  });

  test("metadata beyond ASCII ends where it ends", () => {
    const encoded = encodeObject({
      apiVersion: "v1",
      kind: "Thing",
      metadata: { name: "a", annotations: { k: "ü" } },
      data: 1,
    } as never);
    expect(metadataOf(encoded)).toEqual({ name: "a", annotations: { k: "ü" }, resourceVersion: "9" });
  });
});

describe("a spec that is the very one of a known state", () => {
  const spec = { containers: [{ name: "größer" }] };
  const old = thing({ spec, status: { phase: "Pending" } });
  const known = { encoded: encodeObject(old), object: old };

  test("is written as before beside a new status", () => {
    const changed = {
      ...thing({ spec, status: { phase: "Running" } }),
      metadata: { ...metadata, name: "longer than before" },
    } as ApiObject;
    expect(textOf(encodeObject(changed, known))).toBe(textOf(encodeObject(changed)));
    expect(encodeObject(changed, known)).toEqual(encodeObject(changed));
  });

  test("is taken from the bytes, not written out again", () => {
    const marked = {
      ...known,
      encoded: { ...known.encoded, bytes: Buffer.from(textOf(known.encoded).replace("größer", "gröszer")) },
    };
    expect(textOf(encodeObject(thing({ spec }), marked))).toBe(`${head},"spec":{"containers":[{"name":"gröszer"}]}}`);
  });

  test("is written anew where it is another one", () => {
    const other = thing({ spec: { containers: [] } });
    expect(textOf(encodeObject(other, known))).toBe(`${head},"spec":{"containers":[]}}`);
  });

  test("is written anew where it holds a number that JSON would round", () => {
    const exact = { spec: { big: 9_007_199_254_740_993n } };
    const object = thing(exact);
    const again = encodeObject(thing(exact), { encoded: encodeObject(object), object });
    expect(textOf(again)).toBe(`${head},"spec":{"big":9007199254740993}}`);
    expect(again.exact).toBe(true);
  });
});
