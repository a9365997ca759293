import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { encodeMessage } from "#apimachinery/protobuf/encode.ts";
import { inEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { knownForm, type ServedForm, servedForms, toServedForm } from "#apiserver/registry/store/served-form.ts";
import { assert } from "#base/assert.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { startKubeApiServer } from "#kube-apiserver/server.ts";
import type { KubeApiServer } from "#kube-apiserver/server-options.ts";
import { ensureClusterAssets } from "#pki/cluster-assets.ts";
import { openTestStore } from "../support/store.ts";
import { upstreamKey } from "../support/upstream-keys.ts";

const fixtures = fileURLToPath(new URL("../../../shared/upstream/roundtrip", import.meta.url));
const files = existsSync(fixtures) ? readdirSync(fixtures).filter((name) => name.endsWith(".pb")) : [];

/** A filled object of some version of a resource that is stored. */
interface Stored {
  readonly file: string;
  readonly json: ApiObject;
  readonly definition: ResourceDefinition;
  readonly form: ServedForm;
}

/** What upstream's converters do not bring back either. */
const CHANGED: Readonly<Record<string, (object: Fields) => void>> = {
  // The node is told in the topology too.
  "discovery.k8s.io/v1beta1 EndpointSlice": (slice) => {
    for (const { topology, nodeName } of slice.endpoints as { topology: Fields; nodeName: string }[]) {
      topology["kubernetes.io/hostname"] = nodeName;
    }
  },
  // A version without a group says nothing of a subject of an unknown kind.
  "rbac.authorization.k8s.io/v1alpha1 ClusterRoleBinding": (binding) => withoutVersions(binding.subjects as Fields[]),
  "rbac.authorization.k8s.io/v1alpha1 RoleBinding": (binding) => withoutVersions(binding.subjects as Fields[]),
};

type Fields = Record<string, unknown>;

function withoutVersions(subjects: Fields[]): void {
  for (const subject of subjects) delete subject.apiVersion;
}

let server: KubeApiServer;
let client: Client;
let stored: Stored[] = [];
const kv = await openTestStore();

beforeAll(async () => {
  const serviceClusterIpRange = "10.96.0.0/12";
  const assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange });
  const options = { kv, clock: realClock, random: systemRandom, assets, bindAddress: "127.0.0.1", port: 0 };
  server = await startKubeApiServer({ ...options, serviceClusterIpRange });
  await server.ready;
  client = server.inProcessClient({ name: "admin", uid: "", groups: ["system:masters"], extra: {} });
  stored = files.flatMap((file) => {
    const json = JSON.parse(readFileSync(`${fixtures}/${file.replace(/pb$/, "json")}`, "utf8")) as ApiObject;
    const found = findForm(json);
    return found === undefined ? [] : [{ file, json, ...found }];
  });
});
afterAll(async () => {
  await server.stop();
  await kv.close();
});

function findForm({ apiVersion = "", kind }: ApiObject): { definition: ResourceDefinition; form: ServedForm } | undefined {
  for (const { definition } of server.stores.all()) {
    if (definition.kind !== kind) continue;
    const form = servedForms(definition, schemaFor).find((each) => each.apiVersion === apiVersion);
    const found = form ?? knownForm(definition, apiVersion, schemaFor);
    if (found !== undefined) return { definition, form: found };
  }
  return undefined;
}

/** The fixture as its version's decoder leaves it, with the defaults of that version. */
function canonical({ json, definition, form }: Stored): ApiObject {
  const { object } = decodeObject(form.schema, structuredClone(json));
  const defaulted = object as unknown as ApiObject;
  const { other } = form;
  if (other?.setDefaults !== undefined) other.setDefaults(defaulted);
  else if (other?.toStorage === undefined) definition.strategy.setDefaults?.(defaulted as never);
  return normalizeObject(form.schema, defaulted);
}

// Before the others: webhooks and policies are among what they store.
test("definitions of custom resources, which upstream stores as v1beta1, are read as v1", async () => {
  const schema = schemaFor("apiextensions.k8s.io", "v1beta1", "CustomResourceDefinition");
  assert(schema !== undefined, "v1beta1 has a type");
  const openAPIV3Schema = {
    type: "object",
    properties: {
      spec: {
        type: "object",
        required: ["size"],
        properties: {
          size: { type: "integer", default: 3, enum: [1, 3, 5], format: "int32" },
          tags: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
          more: { type: "object", additionalProperties: { type: "string" } },
        },
      },
    },
  };
  const column = { name: "Size", type: "integer" };
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1beta1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.org", uid: "u", creationTimestamp: "2026-01-02T03:04:05Z", generation: 1 },
    spec: {
      group: "example.org",
      version: "v1",
      scope: "Namespaced",
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      validation: { openAPIV3Schema },
      subresources: { status: {} },
      additionalPrinterColumns: [{ ...column, JSONPath: ".spec.size" }],
      versions: [{ name: "v1", served: true, storage: true }],
      conversion: { strategy: "None" },
      preserveUnknownFields: false,
    },
    status: { conditions: [], acceptedNames: { plural: "widgets", kind: "Widget" }, storedVersions: ["v1"] },
  };
  const { apiVersion, kind, ...fields } = definition;
  const value = inEnvelope(apiVersion, kind, encodeMessage(schema, fields));
  const key = upstreamKey("customresourcedefinitions", "", definition.metadata.name);
  await kv.txn({ key, expectedModRevision: 0, put: { value } });
  const definitions = { group: "apiextensions.k8s.io", version: "v1", resource: "customresourcedefinitions" };
  const got = await client.get<ApiObject>(definitions, "", definition.metadata.name);
  expect(got).toMatchObject({
    apiVersion: "apiextensions.k8s.io/v1",
    metadata: { uid: "u" },
    spec: {
      group: "example.org",
      versions: [
        {
          name: "v1",
          schema: { openAPIV3Schema },
          subresources: { status: {} },
          additionalPrinterColumns: [{ ...column, jsonPath: ".spec.size" }],
        },
      ],
    },
  });
  const widgets = { group: "example.org", version: "v1", resource: "widgets" };
  const widget = { apiVersion: "example.org/v1", kind: "Widget", metadata: { name: "w", namespace: "default" }, spec: {} };
  await expect
    .poll(() => client.create(widgets, "default", widget).catch(() => undefined), { timeout: 20_000 })
    .toMatchObject({ spec: { size: 3 } });
});

describe.skipIf(files.length === 0)("what upstream stored (needs ../shared/upstream/roundtrip)", () => {
  test("all versions of what is stored are known", () => {
    const kinds = new Set([...server.stores.all()].map(({ definition }) => definition.kind));
    const unknown = files.flatMap((file) => {
      const json = JSON.parse(readFileSync(`${fixtures}/${file.replace(/pb$/, "json")}`, "utf8")) as ApiObject;
      return kinds.has(json.kind ?? "") && findForm(json) === undefined ? [`${json.apiVersion} ${json.kind}`] : [];
    });
    expect(unknown).toEqual([]);
    expect(stored.length).toBeGreaterThan(110);
  });

  test.each([
    { encoding: "protobuf", head: "f", bytesOf: ({ file }: Stored) => readFileSync(`${fixtures}/${file}`) },
    // As upstream's encoder ends it.
    { encoding: "JSON", head: "j", bytesOf: ({ json }: Stored) => Buffer.from(`${JSON.stringify(json)}\n`) },
  ])("is read by the API in today's version, and is the same in its own: $encoding", async ({ head, bytesOf }) => {
    const name = (i: number): string => `${head}${i}`;
    for (const [i, each] of stored.entries()) {
      const { json, definition } = each;
      const namespace = definition.scope === "Namespaced" ? (json.metadata.namespace ?? "") : "";
      const key = upstreamKey(definition.plural, namespace, name(i));
      await kv.txn({ key, expectedModRevision: 0, put: { value: bytesOf(each) } });
    }
    for (const [i, each] of stored.entries()) {
      const { definition, json, form, file } = each;
      const { group, version, plural } = definition;
      const namespace = definition.scope === "Namespaced" ? (json.metadata.namespace ?? "") : "";
      const id = { group, version, resource: plural };
      const got = await client.get<ApiObject>(id, namespace, name(i));
      expect(got.kind, file).toBe(definition.kind);
      const back = form.other === undefined ? got : toServedForm(form, got);
      const want = canonical(each);
      CHANGED[`${json.apiVersion} ${json.kind}`]?.(want as unknown as Fields);
      const { resourceVersion } = got.metadata;
      expect(back, file).toEqual({ ...want, metadata: { ...want.metadata, resourceVersion } });
    }
  });
});
