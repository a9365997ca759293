import { expect, test } from "vitest";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import type { Client, PatchType, ResourceId, WriteOptions } from "#client/client.ts";
import { resourcePath, writeQuery } from "#client/resource-path.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import type { AdmissionPlugin } from "../../admission/admission.ts";
import { type Authorizer, attributesOf, refusalOf } from "../../authorization/authorizer.ts";
import type { ResourceDefinition } from "../../registry/resource.ts";
import { createStores } from "../../registry/store/store-registry.ts";
import { resolveRequestInfo } from "../../request/resolve-request-info.ts";
import { DEFAULT_COLUMNS } from "../../table/table.ts";
import { createResourceRequestHandler } from "../handlers/dispatch.ts";
import { jsonOf } from "../response-json.ts";
import { createInProcessClient } from "./client.ts";

type Quota = ApiObject & { spec?: { hard?: Record<string, string> } };

const QUOTAS = { group: "", version: "v1", resource: "resourcequotas" };
const CUSTOM = { group: "example.com", version: "v1", resource: "resourcequotas" };
const STRATEGIC = "application/strategic-merge-patch+json";
const MERGE = "application/merge-patch+json";
const JSON_PATCH = "application/json-patch+json";
const APPLY = "application/apply-patch+yaml";
const USER = { name: "u", uid: "", groups: [], extra: {} };
const USER_AGENT = "tester/1";

/** Kept, made by PUT, defaulted, validated and with a status, as kinds of the API are; and like Namespaces not deleted together. */
const definition: ResourceDefinition<Quota> = {
  ...{ group: "", version: "v1", kind: "ResourceQuota", plural: "resourcequotas", singular: "resourcequota" },
  ...{ scope: "Namespaced", storagePrefix: "resourcequotas", columns: DEFAULT_COLUMNS },
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  subresources: { status: { type: "status" }, finalize: { type: "status", verbs: ["update"] } },
  strategy: {
    allowCreateOnUpdate: true,
    setDefaults: (quota) => {
      quota.spec ??= {};
    },
    validate: ({ spec }) => (spec?.hard?.pods === "13" ? [invalid(FieldPath.of("spec", "hard"), "13", "is unlucky")] : []),
    refuseDelete: (name) => (name === "kept" ? "it is kept" : undefined),
  },
};

/** As a CustomResourceDefinition makes it. */
const custom: ResourceDefinition<Quota> = {
  ...definition,
  group: "example.com",
  storagePrefix: "example.com/resourcequotas",
  custom: true,
};

const quota = (name: string, pods: string, metadata: Partial<ApiObject["metadata"]> = {}): Quota => ({
  ...{ apiVersion: "v1", kind: "ResourceQuota" },
  metadata: { name, namespace: "default", ...metadata },
  spec: { hard: { pods } },
});

type Writes = Pick<Client, "create" | "update" | "patch" | "delete" | "deleteCollection" | "get">;

/**
 * A server whose users may do what `verbs` say, by both ways: with requests as they come over HTTPS, but for the sockets. `meanwhile` is
 * done once while a write is being admitted.
 */
async function serve(verbs: readonly string[], meanwhile: (quotas: Writes) => Promise<unknown>) {
  const clock = new ManualClock(Date.UTC(2030, 0, 1));
  let interrupt: (() => Promise<unknown>) | undefined;
  const plugin: AdmissionPlugin = {
    name: "Test",
    mutate: async ({ object, operation }) => {
      const first = interrupt;
      interrupt = undefined;
      await first?.();
      if (object !== undefined && operation !== "DELETE") object.metadata.annotations = { admitted: operation };
    },
  };
  const stores = await createStores({
    ...{ kv: new MemoryStore({ clock }), clock, random: seededRandom(1), admission: [() => plugin] },
    schemaFor: () => schemaFor("", "v1", "ResourceQuota"),
    resources: { stored: [definition as never, custom as never], virtual: [] },
  });
  const authorizer: Authorizer = {
    authorize: ({ verb }) => ({ decision: verbs.includes(verb) ? "allow" : "no-opinion", reason: "" }),
  };
  const handle = createResourceRequestHandler({
    stores,
    authorize: async ({ user }, info) => refusalOf(authorizer, attributesOf(user, info)),
  });
  const send = async (method: string, path: string, body: unknown, type = "application/json"): Promise<never> => {
    const [name = "", search = ""] = path.split("?");
    const query = new URLSearchParams(search);
    const info = resolveRequestInfo(method, name, query);
    const { signal } = new AbortController();
    const context = { user: USER, info, userAgent: USER_AGENT, query, signal, warnings: [] };
    const refusal = await refusalOf(authorizer, attributesOf(USER, info));
    if (refusal !== undefined) throw refusal;
    const headers = { "content-type": type };
    const sent = body === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(body));
    return (await jsonOf(await handle({ ...context, method, headers, body: sent }))) as never;
  };
  const path = (id: ResourceId, name: string, options: WriteOptions = {}): string =>
    resourcePath(id, "default", name, options.subresource) + writeQuery(options);
  const https: Writes = {
    get: (id, _, name) => send("GET", path(id, name), undefined),
    create: (id, _, object, options) => send("POST", path(id, "", options), object),
    update: (id, _, name, object, options) => send("PUT", path(id, name, options), object),
    patch: (id, _, name, type, patch, options) => send("PATCH", path(id, name, options), patch, type),
    delete: (id, _, name) => send("DELETE", path(id, name), undefined),
    deleteCollection: (id) => send("DELETE", path(id, ""), undefined),
  };
  const options = { userAgent: USER_AGENT };
  const inProcess: Writes = createInProcessClient(stores, USER, authorizer, options);
  const everything: Writes = createInProcessClient(stores, USER);
  return {
    ways: { https, inProcess },
    begin: async () => {
      await everything.create(QUOTAS, "default", quota("q", "1", { labels: { a: "1" } }), { fieldManager: "maker" });
      await everything.create(QUOTAS, "default", quota("kept", "1"), { fieldManager: "maker" });
      await everything.create(CUSTOM, "default", quota("q", "1"), { fieldManager: "maker" });
      clock.advance(60_000);
      interrupt = () => meanwhile(everything);
    },
    [Symbol.asyncDispose]: async () => stores.stop(),
  };
}

/** What a call ends with, and what is stored then. */
async function outcome(way: "https" | "inProcess", { call, verbs, meanwhile }: Case): Promise<unknown> {
  const allowed = ["get", "update", "patch", "delete", "deletecollection", ...(verbs ?? ["create"])];
  await using server = await serve(allowed, meanwhile ?? (async () => {}));
  const quotas = server.ways[way];
  await server.begin();
  const told = (error: unknown): object => (error instanceof StatusError ? error.status : { error: String(error) });
  const answer = await call(quotas).catch(told);
  const stored = await Promise.all(["q", "kept", "new"].map((name) => quotas.get(QUOTAS, "default", name).catch(told)));
  return JSON.parse(JSON.stringify({ answer, stored }));
}

interface Case {
  readonly name: string;
  readonly call: (quotas: Writes) => Promise<unknown>;
  readonly want: object;
  /** What the user may do beside changing what is there; `create` when absent. */
  readonly verbs?: readonly string[];
  readonly meanwhile?: (quotas: Writes) => Promise<unknown>;
}

const put = (object: Quota, options?: WriteOptions) => (quotas: Writes) =>
  quotas.update<ApiObject>(QUOTAS, "default", object.metadata.name ?? "", object, options);
const patch = (type: PatchType, body: unknown, options?: WriteOptions, name = "q", id = QUOTAS) => {
  return (quotas: Writes) => quotas.patch(id, "default", name, type, body, options);
};
const merge = { metadata: { labels: { b: "2" } } };
const others = (quotas: Writes) => patch(MERGE, { metadata: { labels: { c: "3" } } }, { fieldManager: "other" })(quotas);
const applied = (name: string) => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name },
  spec: { hard: { pods: "3" } },
});
const APPLIES = { fieldManager: "applier", force: true };

const cases: readonly Case[] = [
  { name: "a PUT", call: put(quota("q", "2")), want: { spec: { hard: { pods: "2" } } } },
  { name: "a PUT for a manager", call: put(quota("q", "2"), { fieldManager: "me" }), want: { spec: { hard: { pods: "2" } } } },
  { name: "a PUT for a manager without a name", call: put(quota("q", "2"), { fieldManager: "" }), want: {} },
  { name: "a PUT that nobody stores", call: put(quota("q", "2"), { dryRun: true }), want: { spec: { hard: { pods: "2" } } } },
  { name: "a PUT of a status", call: put(quota("q", "2"), { subresource: "status" }), want: { spec: { hard: { pods: "1" } } } },
  { name: "a PUT without a spec", call: put({ ...quota("q", "2"), spec: {} }), want: {} },
  { name: "a PUT of an old state", call: put(quota("q", "2", { resourceVersion: "1" })), want: { code: 409 } },
  { name: "a PUT of another object", call: put(quota("q", "2", { uid: "another" })), want: { code: 409 } },
  { name: "a PUT in another namespace", call: put(quota("q", "2", { namespace: "other" })), want: { code: 400 } },
  {
    name: "a PUT of another name",
    call: (quotas) => quotas.update<ApiObject>(QUOTAS, "default", "q", quota("r", "2")),
    want: { code: 400 },
  },
  { name: "a PUT that is invalid", call: put(quota("q", "13")), want: { code: 422 } },
  { name: "a PUT while others write", call: put(quota("q", "2")), meanwhile: others, want: { spec: { hard: { pods: "2" } } } },
  {
    name: "a PUT of an old state while others write",
    call: async (quotas) => {
      const { metadata } = await quotas.get(QUOTAS, "default", "q");
      return put(quota("q", "2", { resourceVersion: metadata.resourceVersion ?? "" }))(quotas);
    },
    meanwhile: others,
    want: { code: 409 },
  },
  { name: "a PUT that makes", call: put(quota("new", "2")), want: { metadata: { annotations: { admitted: "CREATE" } } } },
  { name: "a PUT that may not make", call: put(quota("new", "2")), verbs: [], want: { code: 403 } },
  { name: "a merge patch", call: patch(MERGE, merge), want: { metadata: { labels: { a: "1", b: "2" } } } },
  { name: "a strategic merge patch", call: patch(STRATEGIC, merge), want: { metadata: { labels: { a: "1", b: "2" } } } },
  { name: "a JSON patch", call: patch(JSON_PATCH, [{ op: "remove", path: "/spec/hard" }]), want: { spec: {} } },
  { name: "a JSON patch that fails", call: patch(JSON_PATCH, [{ op: "test", path: "/spec", value: 1 }]), want: { code: 422 } },
  { name: "a patch that nobody stores", call: patch(MERGE, merge, { dryRun: true }), want: { metadata: { labels: { b: "2" } } } },
  { name: "a patch for a manager without a name", call: patch(MERGE, merge, { fieldManager: "" }), want: {} },
  {
    name: "a patch of a status",
    call: patch(MERGE, { spec: { hard: { pods: "9" } }, status: { used: { pods: "4" } } }, { subresource: "status" }),
    want: { spec: { hard: { pods: "1" } }, status: { used: { pods: "4" } } },
  },
  { name: "a patch of a name", call: patch(MERGE, { metadata: { name: "r" } }), want: { code: 400 } },
  { name: "a patch of an old state", call: patch(MERGE, { metadata: { resourceVersion: "1" } }), want: { code: 409 } },
  { name: "a patch of another object", call: patch(MERGE, { metadata: { uid: "another" } }), want: { code: 422 } },
  { name: "a patch that is invalid", call: patch(MERGE, { spec: { hard: { pods: "13" } } }), want: { code: 422 } },
  { name: "a patch of nothing", call: patch(MERGE, merge, {}, "new"), want: { code: 404 } },
  { name: "a patch of what is not served", call: patch(MERGE, merge, { subresource: "none" }), want: { code: 404 } },
  {
    name: "a patch while others write",
    call: patch(MERGE, merge),
    meanwhile: others,
    want: { metadata: { labels: { c: "3" } } },
  },
  { name: "an apply", call: patch(APPLY, applied("q"), APPLIES), want: { spec: { hard: { pods: "3" } } } },
  { name: "an apply that makes", call: patch(APPLY, applied("new"), APPLIES, "new"), want: { spec: { hard: { pods: "3" } } } },
  { name: "an apply that may not make", call: patch(APPLY, applied("new"), APPLIES, "new"), verbs: [], want: { code: 403 } },
  { name: "a POST", call: (quotas) => quotas.create(QUOTAS, "default", quota("new", "2") as ApiObject), want: {} },
  {
    name: "a POST of what is there",
    call: (quotas) => quotas.create(QUOTAS, "default", quota("q", "2") as ApiObject),
    want: { code: 409 },
  },
  { name: "a patch where there is only PUT", call: patch(MERGE, merge, { subresource: "finalize" }), want: { code: 405 } },
  {
    name: "a merge patch of a custom resource",
    call: patch(MERGE, merge, {}, "q", CUSTOM),
    want: { metadata: { labels: { b: "2" } } },
  },
  { name: "a strategic merge patch of a custom resource", call: patch(STRATEGIC, merge, {}, "q", CUSTOM), want: { code: 415 } },
  { name: "a DELETE of all", call: (quotas) => quotas.deleteCollection(QUOTAS, "default"), want: { code: 405 } },
];

test.each(cases)("$name ends the same over HTTPS and in process", async (given) => {
  const https = await outcome("https", given);
  expect(https).toMatchObject({ answer: given.want });
  expect(await outcome("inProcess", given)).toEqual(https);
});

test.each(["https", "inProcess"] as const)("what a kind keeps is not deleted, %s", async (way) => {
  const call = (quotas: Writes) => quotas.delete(QUOTAS, "default", "kept");
  const want = { code: 403, message: 'resourcequotas "kept" is forbidden: it is kept' };
  expect(await outcome(way, { name: "", call, want })).toMatchObject({ answer: want, stored: [{}, { spec: {} }, {}] });
});
