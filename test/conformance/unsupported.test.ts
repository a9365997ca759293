import { readFileSync } from "node:fs";
import { request } from "node:https";
import { load } from "js-yaml";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";

interface Probe {
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  readonly accept?: string;
  readonly body?: string;
  readonly status: number;
}

interface Entry {
  readonly what: string;
  readonly reason: string;
  readonly probe?: Probe;
}

const entries = load(readFileSync(new URL("unsupported.yaml", import.meta.url), "utf8")) as readonly Entry[];

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ nodes: 0 });
});
afterAll(async () => {
  await cluster?.stop();
});

test("every entry says what and why", () => {
  expect(entries.filter(({ what, reason }) => !what || !reason)).toEqual([]);
});

const probes = entries.flatMap(({ what, probe }) => (probe ? [{ what, probe }] : []));

test.each(probes)("$what is still answered with a clear error", async ({ probe }) => {
  const { ca, cert, key } = cluster.credentials;
  const headers = {
    ...(probe.contentType ? { "content-type": probe.contentType } : {}),
    ...(probe.accept ? { accept: probe.accept } : {}),
  };
  const status = await new Promise<number>((resolve, reject) => {
    const req = request(`${cluster.url}${probe.path}`, { method: probe.method, ca, cert, key, headers, agent: false }, (res) => {
      res.resume();
      resolve(res.statusCode ?? 0);
    });
    req.on("error", reject);
    req.end(probe.body);
  });
  expect(status).toBe(probe.status);
});
