import { Agent, request } from "node:https";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { servedForms } from "#apiserver/registry/store/served-form.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { ensureClusterAssets } from "#pki/cluster-assets.ts";
import type { KVStore } from "#storage/kv.ts";
import { openTestStore } from "../support/store.ts";
import { pureResources } from "./built-in-resources.ts";
import { objectsOf } from "./objects.ts";
import { runs } from "./runs.ts";

const serviceClusterIpRange = "10.96.0.0/12";
const forms = (pureResources().stored as readonly ResourceDefinition[])
  .filter(({ verbs }) => verbs === undefined || verbs.includes("create"))
  .flatMap((definition) =>
    servedForms(definition, schemaFor).map((form) => ({ definition, form, name: `${form.apiVersion} ${form.kind}` })),
  );

let plane: ControlPlane;
let kv: KVStore;
let agent: Agent;
beforeAll(async () => {
  kv = await openTestStore();
  const assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange });
  plane = await startControlPlane({
    kv,
    clock: realClock,
    random: systemRandom,
    logger: silentLogger,
    assets,
    bindAddress: "127.0.0.1",
    port: 0,
    serviceClusterIpRange,
    authentication: { anonymousAuth: false },
    components: [],
    nodes: 0,
  });
  agent = new Agent({ keepAlive: true, ca: assets.ca.cert, cert: assets.admin.cert, key: assets.admin.key });
});
afterAll(async () => {
  agent?.destroy();
  await plane?.stop();
  await kv?.close();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: { readonly message?: string; readonly metadata?: { readonly name?: string } };
}

function ask(
  method: string,
  path: string,
  body?: object,
  type = "application/json",
  accept = "application/json",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? "" : JSON.stringify(body);
    const headers = { "content-type": type, accept, "content-length": Buffer.byteLength(text) };
    const sent = request(`${plane.apiServer.url}${path}`, { method, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const answer = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, text: answer, body: parsed(answer) });
      });
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

/** The server's own fault, or what upstream takes for its own fault: a patch that cannot be merged, a version that is none. */
function isFault({ status, body }: Answer): boolean {
  return (
    status >= 500 &&
    !/^(?:unable to find api field|map: map\[|list element types|The order in patch list|no elements in|failed to create typed patch object|unknown patch type|cannot merge lists|expected (?:slice|a )|merging|strconv\.ParseUint)/.test(
      body.message ?? "",
    )
  );
}

/** What the router itself answers is a text. */
function parsed(answer: string): Answer["body"] {
  try {
    return JSON.parse(answer) as Answer["body"];
  } catch {
    return { message: answer };
  }
}

const APPLY = "application/apply-patch+yaml";
const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";

describe("no object of the right types is more than the server can take", () => {
  test.each(forms)("$name", async ({ definition, form }) => {
    const base = form.group === "" ? `/api/${form.version}` : `/apis/${form.group}/${form.version}`;
    const path = `${base}${definition.scope === "Namespaced" ? "/namespaces/default" : ""}/${definition.plural}`;
    await fc.assert(
      fc.asyncProperty(objectsOf(form), objectsOf(form), async (given, other) => {
        const own = { apiVersion: form.apiVersion, kind: form.kind };
        const metadata = { labels: { a: "b" }, annotations: { c: "d" } };
        const object = { ...given, ...own, metadata: { ...metadata, generateName: "a-" } };
        const name = `p${systemRandom.int(1e9)}.b`;
        const answers = [
          await ask("POST", path, object),
          await ask("POST", `${path}?dryRun=All`, { ...object, metadata: { ...(given.metadata as object), name } }),
          await ask("PATCH", `${path}/${name}?fieldManager=m&force=true`, { ...object, metadata: { ...metadata, name } }, APPLY),
        ];
        const made = answers.find(({ status }) => status === 201)?.body.metadata?.name ?? name;
        const at = `${path}/${made}`;
        answers.push(
          await ask("PUT", at, { ...other, ...own, metadata: { ...metadata, name: made } }),
          await ask("PATCH", at, other, MERGE),
          await ask("PATCH", at, other, STRATEGIC),
          await ask("PATCH", `${at}/status`, { status: other.status ?? {} }, MERGE),
          await ask("GET", path, undefined, "", "application/json;as=Table;v=v1;g=meta.k8s.io"),
          await ask("DELETE", at),
        );
        expect(answers.filter(isFault).map(({ text }) => text)).toEqual([]);
      }),
      runs(2),
    );
  });
});
