import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 40_000 };
const CORE = "/api/v1/namespaces/default";
const APPS = "/apis/apps/v1/namespaces/default";
const JOBS = "/apis/batch/v1/namespaces/default/jobs";

describe("workloads", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  const container = (image = "i") => ({ name: "c", image });
  const template = (app: string, image?: string, more: object = {}) => ({
    metadata: { labels: { app } },
    spec: { terminationGracePeriodSeconds: 0, containers: [container(image)], ...more },
  });
  const pods = async (app: string, more = ""): Promise<Any[]> =>
    (await ask("GET", `${CORE}/pods?labelSelector=app%3D${app}${more}`)).body.items.filter(
      (pod: Any) => pod.metadata.deletionTimestamp === undefined,
    );
  const controllerOf = (pod: Any): Any => pod.metadata.ownerReferences?.find((owner: Any) => owner.controller === true);
  const until = (check: () => Promise<void>) => vi.waitFor(check, SOON);

  test.each([
    ["replicationcontrollers", "ReplicationController", CORE],
    ["replicasets", "ReplicaSet", APPS],
  ])("%s adopt pods that match, and release those that do not any more", async (plural, kind, root) => {
    const app = `adopt-${plural}`;
    await ask("POST", `${CORE}/pods`, { metadata: { name: app, labels: { app } }, spec: template(app).spec });
    const selector = kind === "ReplicaSet" ? { matchLabels: { app } } : { app };
    const made = (
      await ask("POST", `${root}/${plural}`, {
        metadata: { name: app },
        spec: { replicas: 1, selector, template: template(app) },
      })
    ).body;
    await until(async () => expect(controllerOf((await ask("GET", `${CORE}/pods/${app}`)).body)?.uid).toBe(made.metadata.uid));
    expect(await pods(app)).toHaveLength(1);
    await ask("PATCH", `${CORE}/pods/${app}`, { metadata: { labels: { app: `${app}-released` } } });
    await until(async () => expect(controllerOf((await ask("GET", `${CORE}/pods/${app}`)).body)).toBeUndefined());
    await until(async () => expect(await pods(app)).toHaveLength(1));
    await ask("DELETE", `${root}/${plural}/${app}?propagationPolicy=Background`);
  });

  test.each([
    ["replicationcontrollers", CORE],
    ["replicasets", APPS],
  ])("%s tell when a quota keeps them from making pods, and take it back", async (plural, root) => {
    const namespace = `condition-${plural}`;
    await ask("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
    const [own, quotas] = [root, CORE].map((path) => path.replace("default", namespace));
    await ask("POST", `${quotas}/resourcequotas`, { metadata: { name: "q" }, spec: { hard: { pods: "2" } } });
    await until(async () => expect((await ask("GET", `${quotas}/resourcequotas/q`)).body.status.hard).toEqual({ pods: "2" }));
    const labels = { app: "q" };
    const selector = plural === "replicasets" ? { matchLabels: labels } : labels;
    await ask("POST", `${own}/${plural}`, { metadata: { name: "q" }, spec: { replicas: 3, selector, template: template("q") } });
    const failure = async (): Promise<Any> =>
      (await ask("GET", `${own}/${plural}/q`)).body.status.conditions?.find((one: Any) => one.type === "ReplicaFailure");
    await until(async () => expect(await failure()).toMatchObject({ status: "True", reason: "FailedCreate" }));
    expect((await failure()).message).toContain("exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2");
    await ask("PATCH", `${own}/${plural}/q`, { spec: { replicas: 2 } });
    await until(async () => expect(await failure()).toBeUndefined());
    await ask("DELETE", `/api/v1/namespaces/${namespace}`);
  });

  const available = async (name: string, replicas: number): Promise<void> =>
    until(async () => {
      const { status, metadata } = (await ask("GET", `${APPS}/deployments/${name}`)).body;
      expect(status).toMatchObject({
        observedGeneration: metadata.generation,
        updatedReplicas: replicas,
        availableReplicas: replicas,
        replicas,
      });
    });

  test("deployments recreate, roll over, scale by their subresource, and have a status of their own", async () => {
    const spec = { replicas: 2, selector: { matchLabels: { app: "d" } }, template: template("d", "one") };
    await ask("POST", `${APPS}/deployments`, {
      metadata: { name: "d", labels: { app: "d" } },
      spec: { ...spec, strategy: { type: "Recreate" } },
    });
    await available("d", 2);
    const first = (await pods("d")).map((pod) => pod.metadata.uid);
    await ask("PATCH", `${APPS}/deployments/d`, { spec: { template: { spec: { containers: [container("two")] } } } });
    await available("d", 2);
    expect((await pods("d")).map((pod) => pod.spec.containers[0].image)).toEqual(["two", "two"]);
    expect((await pods("d")).some((pod) => first.includes(pod.metadata.uid))).toBe(false);
    const { body: scale } = await ask("GET", `${APPS}/deployments/d/scale`);
    expect(scale).toMatchObject({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      spec: { replicas: 2 },
      status: { selector: "app=d" },
    });
    expect((await ask("PUT", `${APPS}/deployments/d/scale`, { ...scale, spec: { replicas: 4 } })).body.spec.replicas).toBe(4);
    expect((await ask("PATCH", `${APPS}/deployments/d/scale`, { spec: { replicas: 3 } })).body.spec.replicas).toBe(3);
    await available("d", 3);
    await ask("PATCH", `${APPS}/deployments/d`, { spec: { strategy: { type: "RollingUpdate", rollingUpdate: null } } });
    for (const image of ["three", "four"])
      await ask("PATCH", `${APPS}/deployments/d`, { spec: { template: { spec: { containers: [container(image)] } } } });
    await available("d", 3);
    expect((await pods("d")).map((pod) => pod.spec.containers[0].image)).toEqual(["four", "four", "four"]);
    const condition = { type: "StatusPatch", status: "True", reason: "Test", message: "set by a test" };
    const patched = await ask("PATCH", `${APPS}/deployments/d/status`, { status: { conditions: [condition] } });
    expect(patched.body.status.conditions).toMatchObject([condition]);
    expect((await ask("DELETE", `${APPS}/deployments?labelSelector=app%3Dd`)).status).toBe(200);
    await until(async () => expect(await pods("d")).toEqual([]));
  }, 120_000);

  test("a deployment that is scaled while it rolls out scales old and new in proportion", async () => {
    const spec = {
      replicas: 10,
      selector: { matchLabels: { app: "p" } },
      template: template("p"),
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    };
    await ask("POST", `${APPS}/deployments`, { metadata: { name: "p" }, spec });
    await available("p", 10);
    // Nobody can run it.
    const never = { template: { spec: { nodeSelector: { none: "such" }, containers: [container("never")] } } };
    await ask("PATCH", `${APPS}/deployments/p`, { spec: never });
    const sizes = async () =>
      (await ask("GET", `${APPS}/replicasets?labelSelector=app%3Dp`)).body.items
        .map((set: Any) => set.spec.replicas)
        .sort((a: number, b: number) => b - a);
    await until(async () => expect(await sizes()).toEqual([8, 5]));
    await ask("PATCH", `${APPS}/deployments/p/scale`, { spec: { replicas: 30 } });
    await until(async () => expect(await sizes()).toEqual([20, 13]));
    await ask("DELETE", `${APPS}/deployments/p?propagationPolicy=Background`);
    await until(async () => expect(await pods("p")).toEqual([]));
  }, 120_000);

  test("stateful sets come and go in order, keep to a partition, and scale by their subresource", async () => {
    const spec = { replicas: 3, serviceName: "s", selector: { matchLabels: { app: "s" } }, template: template("s", "one") };
    await ask("POST", `${APPS}/statefulsets`, { metadata: { name: "s" }, spec });
    const images = async () => (await pods("s")).map((pod) => `${pod.metadata.name}=${pod.spec.containers[0].image}`).sort();
    const ready = (replicas: number) =>
      until(async () =>
        expect((await ask("GET", `${APPS}/statefulsets/s`)).body.status).toMatchObject({ readyReplicas: replicas, replicas }),
      );
    await ready(3);
    const born = (await pods("s"))
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .map((pod) => Number(pod.metadata.resourceVersion));
    expect(born).toHaveLength(3);
    await ask("PATCH", `${APPS}/statefulsets/s`, {
      spec: {
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } },
        template: { spec: { containers: [container("two")] } },
      },
    });
    await until(async () => expect(await images()).toEqual(["s-0=one", "s-1=one", "s-2=two"]));
    await ready(3);
    // What is removed below the partition comes back as it was.
    await ask("DELETE", `${CORE}/pods/s-1`);
    await until(async () => expect(await images()).toEqual(["s-0=one", "s-1=one", "s-2=two"]));
    await ready(3);
    await ask("PATCH", `${APPS}/statefulsets/s`, { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } });
    await until(async () => expect(await images()).toEqual(["s-0=two", "s-1=two", "s-2=two"]));
    // The controller may write its status in between.
    await until(async () => {
      const { body: scale } = await ask("GET", `${APPS}/statefulsets/s/scale`);
      const { status, body } = await ask("PUT", `${APPS}/statefulsets/s/scale`, { ...scale, spec: { replicas: 1 } });
      expect([status, body.spec?.replicas]).toEqual([200, 1]);
    });
    await until(async () => expect(await images()).toEqual(["s-0=two"]));
    await ask("DELETE", `${APPS}/statefulsets/s?propagationPolicy=Background`);
  }, 180_000);

  test("daemon sets run on each node, make pods anew that failed, and go back", async () => {
    await ask("POST", `${APPS}/daemonsets`, {
      metadata: { name: "n" },
      spec: { selector: { matchLabels: { app: "n" } }, template: template("n", "one") },
    });
    const scheduled = () =>
      until(async () =>
        expect((await ask("GET", `${APPS}/daemonsets/n`)).body.status).toMatchObject({
          numberAvailable: 2,
          updatedNumberScheduled: 2,
        }),
      );
    await scheduled();
    const [failed] = await pods("n");
    await ask("PATCH", `${CORE}/pods/${failed.metadata.name}/status`, { status: { phase: "Failed" } });
    await until(async () =>
      expect(
        (await pods("n")).filter((pod) => pod.metadata.uid !== failed.metadata.uid && pod.status.phase === "Running"),
      ).toHaveLength(2),
    );
    await ask("PATCH", `${APPS}/daemonsets/n`, { spec: { template: { spec: { containers: [container("two")] } } } });
    await until(async () => expect((await pods("n")).map((pod) => pod.spec.containers[0].image)).toEqual(["two", "two"]));
    await scheduled();
    const revisions = (await ask("GET", `${APPS}/controllerrevisions?labelSelector=app%3Dn`)).body.items.map(
      (one: Any) => one.revision,
    );
    expect(revisions.sort()).toEqual([1, 2]);
    expect((await ask("DELETE", `${APPS}/daemonsets?labelSelector=app%3Dn`)).status).toBe(200);
    await ask("DELETE", `${APPS}/daemonsets/n`);
  }, 120_000);

  test("jobs adopt and release pods, wait while suspended, and number their pods", async () => {
    const never = { restartPolicy: "Never", nodeSelector: { none: "such" } };
    const job = (
      await ask("POST", JOBS, {
        metadata: { name: "j" },
        spec: { parallelism: 2, completions: 2, template: template("j", "i", never) },
      })
    ).body;
    await until(async () => expect(await pods("j")).toHaveLength(2));
    const [pod] = await pods("j");
    const path = `${CORE}/pods/${pod.metadata.name}`;
    await ask("PATCH", path, { metadata: { ownerReferences: null } });
    await until(async () => expect(controllerOf((await ask("GET", path)).body)?.uid).toBe(job.metadata.uid));
    const released = Object.fromEntries(Object.keys(pod.metadata.labels).map((label) => [label, null]));
    await ask("PATCH", path, { metadata: { labels: released } });
    await until(async () => expect(controllerOf((await ask("GET", path)).body)).toBeUndefined());
    await ask("DELETE", `${path}?gracePeriodSeconds=0`);
    await ask("PATCH", `${JOBS}/j`, { spec: { suspend: true } });
    await until(async () => expect(await pods("j")).toEqual([]));
    await until(async () =>
      expect((await ask("GET", `${JOBS}/j`)).body.status.conditions).toMatchObject([
        { type: "Suspended", status: "True", reason: "JobSuspended" },
      ]),
    );
    await ask("DELETE", `${JOBS}/j?propagationPolicy=Background`);
    const indexed = { completionMode: "Indexed", completions: 3, parallelism: 3, template: template("i", "i", never) };
    await ask("POST", JOBS, { metadata: { name: "i" }, spec: indexed });
    await until(async () =>
      expect((await pods("i")).map((one) => one.metadata.annotations["batch.kubernetes.io/job-completion-index"]).sort()).toEqual(
        ["0", "1", "2"],
      ),
    );
    for (const one of await pods("i"))
      expect(one.spec.hostname).toBe(`i-${one.metadata.annotations["batch.kubernetes.io/job-completion-index"]}`);
    await ask("DELETE", `${JOBS}/i?propagationPolicy=Background`);
  }, 120_000);

  test("disruption budgets say how many may go, and evictions keep to them", async () => {
    const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    await ask("POST", budgets, { metadata: { name: "b" }, spec: { minAvailable: 2, selector: { matchLabels: { app: "b" } } } });
    for (const name of ["b-0", "b-1", "b-2"])
      await ask("POST", `${CORE}/pods`, { metadata: { name, labels: { app: "b" } }, spec: template("b").spec });
    const allowed = (count: number) =>
      until(async () =>
        expect((await ask("GET", `${budgets}/b`)).body.status).toMatchObject({ disruptionsAllowed: count, desiredHealthy: 2 }),
      );
    await allowed(1);
    const evict = (name: string) =>
      ask("POST", `${CORE}/pods/${name}/eviction`, { apiVersion: "policy/v1", kind: "Eviction", metadata: { name } });
    expect((await evict("b-0")).status).toBe(201);
    await allowed(0);
    const refused = await evict("b-1");
    expect(refused).toMatchObject({ status: 429, body: { details: { causes: [{ reason: "DisruptionBudget" }] } } });
    await ask("PATCH", `${budgets}/b`, { spec: { minAvailable: 1 } });
    await until(async () => expect((await evict("b-1")).status).toBe(201));
    await ask("DELETE", budgets);
  }, 60_000);
});
