import { request } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeMessage, decodeProtobuf } from "#apimachinery/protobuf/decode.ts";
import { encodeMessage } from "#apimachinery/protobuf/encode.ts";
import { inEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { schemaByName, schemaFor } from "#apimachinery/schema/registry.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const PATH = "/api/v1/namespaces/default/configmaps";
const CONFIG_MAP = schemaFor("", "v1", "ConfigMap") as StructSchema;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ nodes: 0 });
});
afterAll(() => cluster.stop());

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly bytes: Buffer;
}

function send(method: string, path: string, headers: Record<string, string>, body?: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(body.byteLength) };
    const options = { method, headers: { ...headers, ...length }, ...cluster.credentials };
    const sent = request(`${cluster.url}${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const type = response.headers["content-type"] ?? "";
        resolve({ status: response.statusCode ?? 0, type, bytes: Buffer.concat(chunks) });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function read({ type, bytes }: Answer): { [key: string]: unknown; kind?: string; items?: { metadata: { name?: string } }[] } {
  expect(type, bytes.toString()).toBe(PROTOBUF);
  return decodeProtobuf(bytes, (group, version, kind) => schemaFor(group, version, kind) ?? schemaByName(`${META}.${kind}`));
}

function frames(bytes: Buffer): { type: string; object: unknown }[] {
  const schema = schemaByName(`${META}.WatchEvent`) as StructSchema;
  // The object is enveloped, which the field of free JSON cannot tell.
  const raw = schema.fields.get("object") as NonNullable<ReturnType<StructSchema["fields"]["get"]>>;
  const text = {
    ...raw,
    type: { kind: "list", element: { kind: "scalar", format: "bytes", name: "", enum: [] }, message: true },
  };
  const event: StructSchema = { ...schema, fields: new Map([...schema.fields, ["object", text as typeof raw]]) };
  const events: { type: string; object: unknown }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const { type, object } = decodeMessage(event, bytes.subarray(at + 4, at + 4 + length));
    events.push({
      type: type as string,
      object: decodeProtobuf(Buffer.from((object as string[])[0] ?? "", "base64"), schemaFor),
    });
    at += 4 + length;
  }
  return events;
}

test("objects travel in protobuf both ways, alone, in lists and in watches", async () => {
  const object = { metadata: { name: "pb", labels: { l: "v" } }, data: { k: "ü" }, binaryData: { b: "AAE=" } };
  const body = inEnvelope("v1", "ConfigMap", encodeMessage(CONFIG_MAP, object));
  const created = read(await send("POST", PATH, { accept: PROTOBUF, "content-type": PROTOBUF }, body));
  expect(created).toMatchObject({ ...object, kind: "ConfigMap", apiVersion: "v1" });

  const got = await send("GET", `${PATH}/pb`, { accept: `${PROTOBUF},application/json` });
  expect(read(got)).toEqual(created);
  const json = JSON.parse((await send("GET", `${PATH}/pb`, {})).bytes.toString());
  expect(read(got)).toMatchObject(json);

  const listed = read(await send("GET", `${PATH}?labelSelector=l`, { accept: PROTOBUF }));
  expect(listed.kind).toBe("ConfigMapList");
  expect(listed.items).toMatchObject([{ ...object }]);

  const watched = await send("GET", `${PATH}?labelSelector=l&watch=1&timeoutSeconds=1`, { accept: PROTOBUF });
  expect(watched.type).toBe(`${PROTOBUF};stream=watch`);
  expect(frames(watched.bytes)).toEqual([{ type: "ADDED", object: created }]);
});

test.each([
  {
    name: "a table has no protobuf form",
    accept: `${PROTOBUF};as=Table;v=v1;g=meta.k8s.io`,
    status: 406,
    type: "application/json",
  },
  {
    name: "the next clause counts then",
    accept: `${PROTOBUF};as=Table;v=v1;g=meta.k8s.io,application/json`,
    status: 200,
    type: "application/json",
  },
  { name: "metadata alone", accept: `${PROTOBUF};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io`, status: 200, type: PROTOBUF },
])("$name", async ({ accept, status, type }) => {
  expect(await send("GET", PATH, { accept })).toMatchObject({ status, type });
});

test("metadata alone, in a list of the beta version too", async () => {
  const answer = await send("GET", "/api/v1/namespaces", {
    accept: `${PROTOBUF};as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io`,
  });
  expect(read(answer).items?.map(({ metadata }) => metadata.name)).toContain("default");
});

test("failures and deletions are told in protobuf", async () => {
  expect(read(await send("GET", `${PATH}/absent`, { accept: PROTOBUF }))).toMatchObject({ kind: "Status", code: 404 });
  expect(read(await send("DELETE", `${PATH}/pb`, { accept: PROTOBUF }))).toMatchObject({ kind: "Status", status: "Success" });
});

/** An object as clients send it. */
function enveloped(apiVersion: string, kind: string, object: object): Uint8Array {
  const [group = "", version = ""] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  return inEnvelope(apiVersion, kind, encodeMessage(schemaFor(group, version, kind) as StructSchema, object));
}

const both = { accept: PROTOBUF, "content-type": PROTOBUF };

test("options of a deletion are read, in the version of the group too", async () => {
  const path = "/apis/apps/v1/namespaces/default/deployments";
  const spec = { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: {} } };
  const containers = [{ name: "c", image: "i" }];
  const template = { ...spec.template, spec: { containers } };
  const object = { metadata: { name: "gone", finalizers: [] }, spec: { ...spec, replicas: 0, template } };
  const made = await send("POST", path, both, enveloped("apps/v1", "Deployment", object));
  expect(read(made)).toMatchObject({ kind: "Deployment", spec: { replicas: 0 } });
  const options = enveloped("apps/v1", "DeleteOptions", { propagationPolicy: "Foreground" });
  const deleted = read(await send("DELETE", `${path}/gone`, both, options)) as { metadata?: { finalizers?: unknown } };
  expect(deleted.metadata?.finalizers).toEqual(["foregroundDeletion"]);
});

test("reviews and tokens", async () => {
  const attributes = { verb: "get", resource: "pods" };
  const review = enveloped("authorization.k8s.io/v1", "SelfSubjectAccessReview", { spec: { resourceAttributes: attributes } });
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  expect(read(await send("POST", path, both, review))).toMatchObject({ status: { allowed: true } });
  const request = enveloped("authentication.k8s.io/v1", "TokenRequest", { spec: { expirationSeconds: 3600 } });
  const tokens = "/api/v1/namespaces/default/serviceaccounts/default/token";
  expect(read(await send("POST", tokens, both, request))).toMatchObject({
    kind: "TokenRequest",
    status: { token: expect.any(String) },
  });
});

test("a definition of custom resources keeps its schema, and its resources have none of this form", async () => {
  const group = "proto.example.com";
  const openAPIV3Schema = {
    type: "object",
    properties: { spec: { type: "object", additionalProperties: { type: "string", default: "x" } } },
  };
  const names = { plural: "things", singular: "thing", kind: "Thing", listKind: "ThingList" };
  const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }];
  const definition = { metadata: { name: `things.${group}` }, spec: { group, names, scope: "Cluster", versions } };
  const body = enveloped("apiextensions.k8s.io/v1", "CustomResourceDefinition", definition);
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  expect(read(await send("POST", path, both, body))).toMatchObject({ spec: { versions } });
  const things = `/apis/${group}/v1/things`;
  for (let i = 0; i < 100 && (await send("GET", things, {})).status !== 200; i++)
    await new Promise((done) => setTimeout(done, 50));
  expect(await send("GET", things, { accept: PROTOBUF })).toMatchObject({ status: 406 });
  expect(await send("GET", things, { accept: `${PROTOBUF},application/json` })).toMatchObject({
    status: 200,
    type: "application/json",
  });
  const partial = `${PROTOBUF};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io`;
  expect(await send("GET", things, { accept: partial })).toMatchObject({ status: 200, type: PROTOBUF });
});

test("every kind that is served can be listed in protobuf", async () => {
  const groups = read(await send("GET", "/apis", { accept: PROTOBUF })) as {
    groups?: { versions: { groupVersion: string }[] }[];
  };
  const versions = (groups.groups ?? []).flatMap((group) => group.versions.map(({ groupVersion }) => `/apis/${groupVersion}`));
  expect(versions.length).toBeGreaterThan(20);
  for (const root of ["/api/v1", ...versions]) {
    const document = read(await send("GET", root, { accept: PROTOBUF })) as { resources?: { name: string; verbs: string[] }[] };
    for (const { name, verbs } of document.resources ?? []) {
      if (!verbs.includes("list") || name === "things") continue;
      const answer = await send("GET", `${root}/${name}`, { accept: PROTOBUF });
      expect(answer, `${root}/${name}`).toMatchObject({ status: 200, type: PROTOBUF });
      const json = JSON.parse((await send("GET", `${root}/${name}`, {})).bytes.toString());
      expect(read(answer).items?.length ?? 0, `${root}/${name}`).toBe(json.items.length);
    }
  }
});
