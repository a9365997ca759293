import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { seededRandom } from "#base/random.ts";
import { ProtobufError } from "#base/wire-reader.ts";
import { parseGroupVersion } from "../meta/api-object.ts";
import { decodeObject } from "../schema/decode.ts";
import { normalizeObject } from "../schema/normalize.ts";
import { schemaByName, schemaFor } from "../schema/registry.ts";
import { parseYaml } from "../schema/yaml.ts";
import { decodeMessage, decodeProtobuf } from "./decode.ts";
import { encodeMessage, writeMessage } from "./encode.ts";
import { envelopeHead, inEnvelope, listInEnvelope, watchFrame, writtenInEnvelope } from "./envelope.ts";

const fixtures = fileURLToPath(new URL("../../../../shared/upstream/roundtrip", import.meta.url));
const names = existsSync(fixtures) ? readdirSync(fixtures).filter((name) => name.endsWith(".pb")) : [];

const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const known = names.map((file) => {
  const json = JSON.parse(readFileSync(`${fixtures}/${file.replace(/pb$/, "json")}`, "utf8"));
  const { group, version } = parseGroupVersion(json.apiVersion ?? "");
  // An event of a watch has no kind of its own.
  const schema = json.kind === undefined ? schemaByName(`${META}.WatchEvent`) : schemaFor(group, version, json.kind);
  return { file, json, schema: schema ?? expect.unreachable(`no type for ${file}`) };
});

test.each([
  { given: "{}", want: "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]" },
  { given: "", want: "empty data" },
  { given: "k8s\0", want: "empty body" },
])("$given is refused with upstream's words", ({ given, want }) => {
  expect(() => decodeProtobuf(Buffer.from(given), schemaFor)).toThrow(want);
});

describe.skipIf(known.length === 0)("upstream's filled objects (needs ../shared/upstream/roundtrip)", () => {
  test("there are all of them", () => {
    expect(known.length).toBeGreaterThanOrEqual(184);
  });

  test.each(known)("$file reads as its JSON, and its JSON is written as its bytes", ({ file, json, schema }) => {
    const bytes = readFileSync(`${fixtures}/${file}`);
    const canonical = (value: unknown) => {
      const { object } = decodeObject(schema, structuredClone(value));
      normalizeObject(schema, object as never);
      return object;
    };
    const fromJson = canonical(json);
    const yaml = parseYaml(readFileSync(`${fixtures}/${file.replace(/pb$/, "yaml")}`, "utf8")).value;
    expect(canonical(yaml)).toEqual(fromJson);
    expect(canonical(decodeProtobuf(bytes, () => schema))).toEqual(fromJson);
    const written = inEnvelope(json.apiVersion ?? "", json.kind ?? "", encodeMessage(schema, fromJson));
    const head = envelopeHead(json.apiVersion ?? "", json.kind ?? "");
    expect(writtenInEnvelope(head, 100, (writer) => writeMessage(writer, schema, fromJson)).equals(written)).toBe(true);
    expect(written.equals(bytes), "the same bytes").toBe(true);
  });
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const meta = (name: string) => schemaByName(`io.k8s.apimachinery.pkg.apis.meta.v1.${name}`) ?? expect.unreachable();

test("what Go holds by value is written even when it is zero", () => {
  expect(hex(encodeMessage(meta("ListMeta"), {}))).toBe("0a0012001a00");
});

test("a list is written as its metadata and the messages of its items", () => {
  const schema = schemaFor("", "v1", "ConfigMap") ?? expect.unreachable();
  const listSchema = schemaFor("", "v1", "ConfigMapList") ?? expect.unreachable();
  const items = ["a", "b"].map((name) => ({ metadata: { name }, data: { "\u{10000}": "4", "\uffff": "3", k: "ü", "": "" } }));
  const metadata = { resourceVersion: "300", remainingItemCount: 4294967296 };
  const whole = inEnvelope("v1", "ConfigMapList", encodeMessage(listSchema, { metadata, items }));
  const parts = items.map((item) => encodeMessage(schema, item));
  const joined = listInEnvelope("v1", "ConfigMapList", encodeMessage(meta("ListMeta"), metadata), parts);
  expect(hex(joined)).toBe(hex(whole));
  const read = decodeProtobuf(joined, schemaFor) as { items: { data: object }[] };
  expect(Object.keys(read.items[0]?.data ?? {}), "sorted by their bytes").toEqual(["", "k", "\uffff", "\u{10000}"]);
});

test("a frame of a watch has its length before it", () => {
  const object = inEnvelope("v1", "Status", encodeMessage(meta("Status"), { code: 410 }));
  const frame = watchFrame("ERROR", object);
  expect(frame.readUInt32BE(0)).toBe(frame.length - 4);
  const head = Buffer.concat([Buffer.from([0x0a, 5]), Buffer.from("ERROR")]);
  const body = Buffer.concat([Buffer.from([0x12, object.length + 2, 0x0a, object.length]), object]);
  expect(hex(frame.subarray(4))).toBe(hex(Buffer.concat([head, body])));
});

test.each([
  { name: "named lists are messages", type: "APIResource", value: { name: "pods", verbs: ["get", "list"], kind: "Pod" } },
  { name: "negative numbers", type: "Status", value: { code: -1, message: "x".repeat(300) } },
])("$name", ({ type, value }) => {
  expect(decodeMessage(meta(type), encodeMessage(meta(type), value))).toMatchObject(value);
});

test.each([
  {
    name: "a number where a text belongs",
    type: "ListMeta",
    bytes: "0805",
    want: "proto: wrong wireType = 0 for field SelfLink",
  },
  { name: "the end within a text", type: "ListMeta", bytes: "0a0561", want: "unexpected EOF" },
  { name: "a message longer than what holds it", type: "Status", bytes: "0a0a0a01", want: "unexpected EOF" },
  { name: "a number without end", type: "Status", bytes: "30ffffffffffffffffffff01", want: "proto: integer overflow" },
  { name: "groups", type: "Status", bytes: "fb01", want: "proto: illegal wireType 3" },
])("refused: $name", ({ type, bytes, want }) => {
  expect(() => decodeMessage(meta(type), Buffer.from(bytes, "hex"))).toThrow(want);
});

test("numbers may come packed", () => {
  const schema = schemaByName("io.k8s.api.core.v1.PodSecurityContext") ?? expect.unreachable();
  expect(decodeMessage(schema, Buffer.from("2203018002", "hex"))).toEqual({ supplementalGroups: [1, 256] });
});

test("messages within messages have a limit", () => {
  const schema = schemaByName("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps") ?? expect.unreachable();
  let object: object = { type: "object" };
  for (let i = 0; i < 1200; i++) object = { not: object };
  expect(() => decodeMessage(schema, encodeMessage(schema, object))).toThrow("nested too deeply");
});

test("whatever is done to bytes, decoding ends with an object or in a ProtobufError", () => {
  const schema = schemaFor("", "v1", "Pod") ?? expect.unreachable();
  const spec = {
    containers: [{ name: "c", image: "i", ports: [{ containerPort: 80 }] }],
    nodeSelector: { a: "b" },
    volumes: [{}],
  };
  const whole = inEnvelope("v1", "Pod", encodeMessage(schema, { metadata: { name: "p", labels: { l: "v" } }, spec }));
  const random = seededRandom(3);
  const pick = (count: number): number => Math.floor(random.float() * count);
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.from(whole.subarray(0, 4 + pick(whole.length)));
    for (let changes = pick(4); changes > 0; changes--) bytes[4 + pick(bytes.length)] = pick(256);
    try {
      expect(decodeProtobuf(bytes, schemaFor)).toBeTypeOf("object");
    } catch (error) {
      expect(error).toBeInstanceOf(ProtobufError);
    }
  }
});

test("types of several shapes keep theirs", () => {
  const schema = schemaByName("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps") ?? expect.unreachable();
  const value = {
    additionalProperties: { type: "string" },
    additionalItems: false,
    items: [{ type: "integer" }, { type: "boolean" }],
    dependencies: { a: ["b"], c: { type: "object" } },
    default: { deep: [1, null] },
    maximum: 1.5,
    "x-kubernetes-validations": [{ rule: "self > 1" }],
  };
  expect(decodeMessage(schema, encodeMessage(schema, value))).toMatchObject(value);
});
