import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { seededRandom } from "#base/random.ts";
import type { RequestContext } from "../../request/request-info.ts";
import { resolveRequestInfo } from "../../request/resolve-request-info.ts";
import type { WebhookCall, WebhookClient } from "../../webhook/webhook-client.ts";
import { AdmissionChain } from "../admission.ts";
import { compileHooks } from "./hook.ts";
import { mutatingWebhooks } from "./mutating-webhooks.ts";

const RULES = [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }];

interface Sent {
  readonly request: { readonly uid: string; readonly object: ApiObject };
}

/** A chain whose webhooks answer by their URL's path; `called` tells which were asked. */
function chainOf(
  webhooks: readonly object[],
  answers: Readonly<Record<string, (object: ApiObject) => readonly object[] | Error>>,
): { chain: AdmissionChain; called: string[] } {
  const called: string[] = [];
  const post = async ({ address, body }: WebhookCall): Promise<unknown> => {
    const name = address.url ?? "";
    called.push(name);
    const { request } = JSON.parse(body) as Sent;
    const patch = answers[name]?.(request.object) ?? [];
    if (patch instanceof Error) throw patch;
    const encoded =
      patch.length === 0 ? {} : { patch: Buffer.from(JSON.stringify(patch)).toString("base64"), patchType: "JSONPatch" };
    return {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid: request.uid, allowed: true, ...encoded },
    };
  };
  const configuration = {
    metadata: { name: "c" },
    webhooks: webhooks.map((webhook) => ({ rules: RULES, admissionReviewVersions: ["v1"], sideEffects: "None", ...webhook })),
  };
  const hooks = compileHooks([configuration as unknown as ApiObject], () => () => true);
  const client = { post } as unknown as WebhookClient;
  const plugin = mutatingWebhooks({ client, random: seededRandom(1), hooks: () => hooks, namespaceLabels: () => ({}) });
  return { chain: new AdmissionChain([plugin]), called };
}

const hook = (url: string, more: object = {}): object => ({ name: `${url}.example.com`, clientConfig: { url }, ...more });
const set = (key: string) => () => [{ op: "add", path: `/data/${key}`, value: "x" }];

async function admit(chain: AdmissionChain): Promise<{ object: ApiObject; notes: Record<string, string> }> {
  const notes: Record<string, string> = {};
  const context: RequestContext = {
    user: { name: "u", uid: "", groups: [], extra: {} },
    info: resolveRequestInfo("POST", "/api/v1/namespaces/a/configmaps", undefined),
    userAgent: "",
    query: new URLSearchParams(),
    signal: new AbortController().signal,
    warnings: [],
    annotate: (key, value) => {
      notes[key] = value;
    },
  };
  const object: ApiObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data: {} };
  await chain.mutate({
    operation: "CREATE",
    group: "",
    version: "v1",
    resource: "configmaps",
    kind: "ConfigMap",
    subresource: "",
    namespace: "a",
    name: "m",
    object,
    oldObject: undefined,
    dryRun: false,
    context,
  });
  return { object, notes };
}

test.each([
  { name: "nobody asks for it", policies: [{}, {}], called: ["a", "b"] },
  {
    name: "the first asks, and the second changed something",
    policies: [{ reinvocationPolicy: "IfNeeded" }, {}],
    called: ["a", "b", "a"],
  },
  { name: "only the last asks", policies: [{}, { reinvocationPolicy: "IfNeeded" }], called: ["a", "b"] },
])("a webhook is called again as its policy has it: $name", async ({ policies, called: want }) => {
  const { chain, called } = chainOf([hook("a", policies[0]), hook("b", policies[1])], { a: set("a"), b: set("b") });
  const { object } = await admit(chain);
  expect(called).toEqual(want);
  expect(object.data).toEqual({ a: "x", b: "x" });
});

test("nothing is called again when a later webhook changed nothing", async () => {
  const { chain, called } = chainOf([hook("a", { reinvocationPolicy: "IfNeeded" }), hook("b")], { a: set("a"), b: () => [] });
  await admit(chain);
  expect(called).toEqual(["a", "b"]);
});

test("a failure is passed over or ends the request, and what happened is annotated", async () => {
  const broken = () => new Error("no answer");
  const open = chainOf([hook("a", { failurePolicy: "Ignore" }), hook("b")], { a: broken, b: set("b") });
  const { object, notes } = await admit(open.chain);
  expect(object.data).toEqual({ b: "x" });
  expect(notes).toEqual({
    "failed-open.mutation.webhook.admission.k8s.io/round_0_index_0": "a.example.com",
    "mutation.webhook.admission.k8s.io/round_0_index_0": '{"configuration":"c","webhook":"a.example.com","mutated":false}',
    "mutation.webhook.admission.k8s.io/round_0_index_1": '{"configuration":"c","webhook":"b.example.com","mutated":true}',
  });
  const closed = chainOf([hook("a")], { a: broken });
  await expect(admit(closed.chain)).rejects.toThrow(
    'Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: no answer',
  );
});
