import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

const NAMESPACE = "/api/v1/namespaces/default";
const CREATORS = 200;
const PODS_MAX = 30;

describe("a quota", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  const createPod = (name: string) =>
    ask("POST", `${NAMESPACE}/pods`, {
      metadata: { name },
      spec: { schedulerName: "none", containers: [{ name: "c", image: "i", resources: { requests: { cpu: "100m" } } }] },
    });
  const used = async (): Promise<string | undefined> =>
    (await ask("GET", `${NAMESPACE}/resourcequotas/q`)).body.status?.used?.pods;

  test("is never exceeded while two hundred make and remove pods at once", async () => {
    await ask("POST", `${NAMESPACE}/resourcequotas`, {
      metadata: { name: "q" },
      spec: { hard: { pods: `${PODS_MAX}`, "requests.cpu": "100" } },
    });
    await vi.waitFor(async () => expect(await used()).toBe("0"), { timeout: 5_000 });
    let most = 0;
    let made = 0;
    let watching = true;
    const watcher = (async () => {
      while (watching) most = Math.max(most, (await ask("GET", `${NAMESPACE}/pods`)).body.items.length);
    })();
    await Promise.all(
      Array.from({ length: CREATORS }, async (_, i) => {
        const answer = await createPod(`p-${i}`);
        if (answer.status === 201) {
          made++;
          await ask("DELETE", `${NAMESPACE}/pods/p-${i}?gracePeriodSeconds=0`);
        } else expect(answer.body.message).toContain("exceeded quota: q, requested: pods=1, used: pods=");
      }),
    );
    watching = false;
    await watcher;
    expect(most).toBeLessThanOrEqual(PODS_MAX);
    expect(made).toBeGreaterThanOrEqual(PODS_MAX);
    await vi.waitFor(async () => expect(await used()).toBe("0"), { timeout: 10_000 });
  }, 60_000);
});
