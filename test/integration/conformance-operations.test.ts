import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { startWatch } from "../support/watch.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

/** A resource that conformance takes through every operation. `status` is written to where it has one of its own. */
interface Case {
  readonly resource: string;
  readonly body: Any;
  readonly status?: Any;
  readonly namespaced?: false;
  /** Writes of the status leave annotations alone, too. */
  readonly statusAlone?: true;
}

const LABELS = { app: "x" };
const TEMPLATE = { metadata: { labels: LABELS }, spec: { containers: [{ name: "c", image: "i" }] } };
const BACKEND = { service: { name: "web", port: { number: 80 } } };
const CONDITION = { lastTransitionTime: "2026-01-01T00:00:00Z", reason: "Tested", message: "set by a test", status: "True" };

const CASES: readonly Case[] = [
  {
    resource: "networking.k8s.io/v1/ingresses",
    body: { spec: { defaultBackend: BACKEND } },
    status: { loadBalancer: { ingress: [{ ip: "169.1.1.1" }] } },
  },
  {
    resource: "networking.k8s.io/v1/ingressclasses",
    namespaced: false,
    body: { spec: { controller: "example.com/controller" } },
  },
  { resource: "networking.k8s.io/v1/networkpolicies", body: { spec: { podSelector: { matchLabels: LABELS } } } },
  {
    resource: "discovery.k8s.io/v1/endpointslices",
    body: { addressType: "IPv4", endpoints: [{ addresses: ["1.2.3.4"] }], ports: [{ name: "a", port: 80, protocol: "TCP" }] },
  },
  { resource: "node.k8s.io/v1/runtimeclasses", namespaced: false, body: { handler: "handler" } },
  { resource: "coordination.k8s.io/v1/leases", body: { spec: { holderIdentity: "holder", leaseDurationSeconds: 30 } } },
  {
    resource: "policy/v1/poddisruptionbudgets",
    body: { spec: { minAvailable: 1, selector: { matchLabels: LABELS } } },
    status: { disruptionsAllowed: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
  },
  {
    resource: "batch/v1/cronjobs",
    body: {
      spec: {
        schedule: "0 0 1 1 *",
        suspend: true,
        jobTemplate: { spec: { template: { spec: { ...TEMPLATE.spec, restartPolicy: "Never" } } } },
      },
    },
    status: { lastScheduleTime: "2026-01-01T00:00:00Z" },
  },
  {
    resource: "flowcontrol.apiserver.k8s.io/v1/flowschemas",
    namespaced: false,
    statusAlone: true,
    body: { spec: { matchingPrecedence: 9999, priorityLevelConfiguration: { name: "global-default" } } },
    status: { conditions: [{ ...CONDITION, type: "Tested" }] },
  },
  {
    resource: "flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
    namespaced: false,
    statusAlone: true,
    body: { spec: { type: "Limited", limited: { nominalConcurrencyShares: 2, limitResponse: { type: "Reject" } } } },
    status: { conditions: [{ ...CONDITION, type: "Tested" }] },
  },
  { resource: "storage.k8s.io/v1/csistoragecapacities", body: { storageClassName: "class", capacity: "10Gi" } },
  { resource: "storage.k8s.io/v1/storageclasses", namespaced: false, body: { provisioner: "example.com/none" } },
  { resource: "storage.k8s.io/v1/csidrivers", namespaced: false, body: { spec: { attachRequired: true } } },
  {
    resource: "storage.k8s.io/v1/volumeattributesclasses",
    namespaced: false,
    body: { driverName: "example.com/none", parameters: { a: "b" } },
  },
  {
    resource: "storage.k8s.io/v1/volumeattachments",
    statusAlone: true,
    namespaced: false,
    body: { spec: { attacher: "example.com", nodeName: "n", source: { persistentVolumeName: "pv" } } },
    status: { attached: true },
  },
  { resource: "scheduling.k8s.io/v1/priorityclasses", namespaced: false, body: { value: 10 } },
  { resource: "apps/v1/controllerrevisions", body: { revision: 1, data: { a: "b" } } },
  { resource: "rbac.authorization.k8s.io/v1/roles", body: { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] } },
  {
    resource: "rbac.authorization.k8s.io/v1/clusterroles",
    namespaced: false,
    body: { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
  },
  { resource: "resource.k8s.io/v1/deviceclasses", namespaced: false, body: { spec: {} } },
  { resource: "v1/podtemplates", body: { template: TEMPLATE } },
  { resource: "v1/configmaps", body: { data: { a: "b" } } },
  { resource: "v1/secrets", body: { stringData: { a: "b" } } },
  { resource: "v1/serviceaccounts", body: { automountServiceAccountToken: false } },
  { resource: "v1/limitranges", body: { spec: { limits: [{ type: "Pod", max: { cpu: "1" } }] } } },
  {
    resource: "v1/persistentvolumes",
    namespaced: false,
    body: { spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/x" } } },
    status: { phase: "Available", reason: "Tested" },
  },
  {
    resource: "v1/persistentvolumeclaims",
    body: { spec: { accessModes: ["ReadWriteOnce"], storageClassName: "none", resources: { requests: { storage: "1Gi" } } } },
    status: { conditions: [{ ...CONDITION, lastTransitionTime: null, type: "Tested" }] },
  },
  {
    resource: "v1/replicationcontrollers",
    body: { spec: { replicas: 0, selector: LABELS, template: TEMPLATE } },
    status: { conditions: [{ ...CONDITION, type: "Tested" }] },
  },
  {
    resource: "apps/v1/replicasets",
    body: { spec: { replicas: 0, selector: { matchLabels: LABELS }, template: TEMPLATE } },
    status: { conditions: [{ ...CONDITION, type: "Tested" }] },
  },
  {
    resource: "apps/v1/daemonsets",
    body: { spec: { selector: { matchLabels: LABELS }, template: TEMPLATE } },
    status: { conditions: [{ ...CONDITION, type: "Tested" }] },
  },
  {
    resource: "apps/v1/statefulsets",
    body: { spec: { replicas: 0, serviceName: "s", selector: { matchLabels: LABELS }, template: TEMPLATE } },
    status: { conditions: [{ ...CONDITION, type: "Tested" }] },
  },
  {
    resource: "autoscaling/v2/horizontalpodautoscalers",
    body: { spec: { maxReplicas: 2, scaleTargetRef: { kind: "Deployment", apiVersion: "apps/v1", name: "none" } } },
    status: { desiredReplicas: 1, currentMetrics: null },
  },
  {
    resource: "v1/services",
    body: { spec: { type: "LoadBalancer", ports: [{ port: 80 }] } },
    status: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } },
  },
];

describe("every operation", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  /** Makes a change as long as somebody else's comes in between. */
  const change = async (path: string, edit: (object: Any) => Any): Promise<Any> => {
    for (;;) {
      const answer = await ask("PUT", path, edit((await ask("GET", path)).body));
      if (answer.status !== 409) return answer.body;
    }
  };

  test.each(CASES.map((one): [string, Case] => [one.resource, one]))(
    "on %s",
    async (resource, { body, status, namespaced = true, statusAlone = false }) => {
      const [plural = "", ...rest] = resource.split("/").reverse();
      const root = rest.length > 1 ? `/apis/${rest.reverse().join("/")}` : `/api/${rest[0]}`;
      const found = (await ask("GET", root)).body.resources.find(({ name }: { name: string }) => name === plural);
      expect(found.verbs).toEqual(
        expect.arrayContaining(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]),
      );
      const all = `${root}/${plural}`;
      const path = namespaced ? `${root}/namespaces/default/${plural}` : all;
      const chosen = "?labelSelector=test%3Doperations";
      const head = { apiVersion: root.replace(/^\/apis?\//, ""), kind: found.kind };
      const made = await Promise.all(
        [1, 2, 3].map(() =>
          ask("POST", path, { ...head, ...body, metadata: { generateName: "operations-", labels: { test: "operations" } } }),
        ),
      );
      expect(made.map((answer) => answer.status)).toEqual([201, 201, 201]);
      const one = `${path}/${made[0]?.body.metadata.name}`;
      expect((await ask("GET", one)).body).toMatchObject({ ...head, metadata: { uid: made[0]?.body.metadata.uid } });
      const list = (await ask("GET", `${path}${chosen}`)).body;
      expect(list.items).toHaveLength(3);
      expect((await ask("GET", `${all}${chosen}`)).body.items).toHaveLength(3);
      const from = `&watch=true&resourceVersion=${list.metadata.resourceVersion}`;
      using watching = await startWatch(cluster, `${path}${chosen}${from}`);
      using everywhere = await startWatch(cluster, `${all}${chosen}${from}`);

      const patched = (await ask("PATCH", one, { metadata: { annotations: { patched: "true" } } })).body;
      expect(patched.metadata.annotations).toMatchObject({ patched: "true" });
      const updated = await change(one, (object) => ({
        ...object,
        metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, updated: "true" } },
      }));
      expect(updated.metadata.annotations).toMatchObject({ patched: "true", updated: "true" });
      const sees = (annotation: string) =>
        vi.waitFor(
          () => {
            for (const { events } of [watching, everywhere]) {
              expect(
                events.some(({ type, object }) => type === "MODIFIED" && object.metadata.annotations?.[annotation] === "true"),
              ).toBe(true);
            }
          },
          { timeout: 20_000 },
        );
      await sees("updated");

      if (status !== undefined) {
        const { spec } = (await ask("GET", one)).body;
        const patchedStatus = await ask("PATCH", `${one}/status`, {
          metadata: { annotations: { "status-patched": "true" } },
          status,
        });
        expect(patchedStatus.status).toBe(200);
        const { annotations } = patchedStatus.body.metadata;
        expect(annotations["status-patched"]).toBe(statusAlone ? undefined : "true");
        expect(patchedStatus.body.status).toMatchObject(withoutNulls(status));
        const updatedStatus = await change(`${one}/status`, (object) => ({
          ...object,
          status: { ...object.status, ...status },
          metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, "status-updated": "true" } },
        }));
        expect(updatedStatus.status).toMatchObject(withoutNulls(status));
        expect(updatedStatus.spec).toEqual(spec);
        if (!statusAlone) await sees("status-updated");
      }

      expect((await ask("DELETE", one)).status).toBe(200);
      const remaining = async () =>
        (await ask("GET", `${path}${chosen}`)).body.items.filter(({ metadata }: Any) => metadata.deletionTimestamp === undefined);
      expect(await remaining()).toHaveLength(2);
      expect((await ask("DELETE", `${path}${chosen}`)).status).toBe(200);
      expect(await remaining()).toEqual([]);
      await vi.waitFor(() => expect(watching.events.filter(({ type }) => type === "DELETED").length).toBeGreaterThanOrEqual(1), {
        timeout: 10_000,
      });
    },
  );

  test("on events of both groups, which are the same", async () => {
    const core = "/api/v1/namespaces/default/events";
    const own = "/apis/events.k8s.io/v1/namespaces/default/events";
    const event = (name: string) => ({
      metadata: { name, labels: { test: "events" } },
      regarding: { kind: "Pod", name: "p", namespace: "default" },
      eventTime: "2026-01-01T00:00:00.000001Z",
      note: "This is an event",
      action: "Do",
      reason: "Test",
      type: "Normal",
      reportingController: "test-controller",
      reportingInstance: "test-node",
    });
    expect((await ask("POST", own, event("one"))).status).toBe(201);
    const seen = (await ask("GET", `${core}/one`)).body;
    expect(seen).toMatchObject({
      message: "This is an event",
      reportingComponent: "test-controller",
      involvedObject: { name: "p" },
    });
    const chosen = encodeURIComponent("reportingController=test-controller");
    expect((await ask("GET", `${own}?fieldSelector=${chosen}`)).body.items).toHaveLength(1);
    expect((await ask("GET", `/apis/events.k8s.io/v1/events?labelSelector=test%3Devents`)).body.items).toHaveLength(1);
    const series = { count: 2, lastObservedTime: "2026-01-01T00:00:01.000002Z" };
    expect((await ask("PATCH", `${own}/one`, { series })).body.series).toEqual(series);
    const { body } = await ask("GET", `${own}/one`);
    expect((await ask("PUT", `${own}/one`, { ...body, series: { ...series, count: 100 } })).body.series.count).toBe(100);
    await ask("POST", core, {
      metadata: { name: "two", labels: { test: "events" } },
      involvedObject: { kind: "Pod", namespace: "default", name: "p" },
      message: "old",
    });
    expect((await ask("GET", `${own}/two`)).body).toMatchObject({ note: "old", regarding: { name: "p" } });
    expect((await ask("DELETE", `${own}/one`)).status).toBe(200);
    expect((await ask("DELETE", `${own}?labelSelector=test%3Devents`)).status).toBe(200);
    expect((await ask("GET", `${core}?labelSelector=test%3Devents`)).body.items).toEqual([]);
  });
});

function withoutNulls(status: Any): Any {
  return JSON.parse(JSON.stringify(status, (_, value) => value ?? undefined));
}
