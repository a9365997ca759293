import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

const TEMPLATES = "/api/v1/namespaces/default/podtemplates";
const COUNT = 60;
const nameOf = (i: number): string => `template-${String(i).padStart(4, "0")}`;
const TABLE = { accept: "application/json;as=Table;v=v1beta1;g=meta.k8s.io" };

describe("lists", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    ask = asker(cluster);
    const template = { spec: { containers: [{ name: "test", image: "test2" }] } };
    await Promise.all(
      Array.from({ length: COUNT }, (_, i) => ask("POST", TEMPLATES, { metadata: { name: nameOf(i) }, template })),
    );
  });
  afterAll(() => cluster?.stop());

  test.each([1, 7, 20, COUNT, COUNT + 1])("in pages of %d are whole, of one version, and say what is left", async (limit) => {
    const names: string[] = [];
    const versions = new Set<string>();
    for (let next = ""; ; ) {
      const page = (await ask("GET", `${TEMPLATES}?limit=${limit}&continue=${encodeURIComponent(next)}`)).body;
      versions.add(page.metadata.resourceVersion);
      for (const item of page.items) names.push(item.metadata.name);
      next = page.metadata.continue ?? "";
      if (next === "") {
        expect(page.metadata.remainingItemCount).toBeUndefined();
        break;
      }
      expect(page.items).toHaveLength(limit);
      expect(page.metadata.remainingItemCount).toBe(COUNT - names.length);
    }
    expect(names).toEqual(Array.from({ length: COUNT }, (_, i) => nameOf(i)));
    expect(versions.size).toBe(1);
  });

  test("go on as they began while objects change", async () => {
    const first = (await ask("GET", `${TEMPLATES}?limit=30`)).body;
    await ask("POST", TEMPLATES, {
      metadata: { name: `${nameOf(40)}-new` },
      template: { spec: { containers: [{ name: "c", image: "i" }] } },
    });
    const rest = (await ask("GET", `${TEMPLATES}?continue=${encodeURIComponent(first.metadata.continue)}`)).body;
    await ask("DELETE", `${TEMPLATES}/${nameOf(40)}-new`);
    expect(rest.items).toHaveLength(COUNT - 30);
    expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test("as tables come in pages too", async () => {
    const page = (await ask("GET", `${TEMPLATES}?limit=2`, undefined, TABLE)).body;
    expect(page.apiVersion).toBe("meta.k8s.io/v1beta1");
    expect(page.rows.map(({ cells }: { cells: unknown[] }) => cells[0])).toEqual([nameOf(0), nameOf(1)]);
    expect(page.metadata.resourceVersion).not.toBe("");
    const rest = (await ask("GET", `${TEMPLATES}?continue=${encodeURIComponent(page.metadata.continue)}`, undefined, TABLE)).body;
    expect(rest.rows[0].cells[0]).toBe(nameOf(2));
    expect(rest.rows).toHaveLength(COUNT - 2);
  });

  test("of nodes and a single pod are tables with a cell for each column", async () => {
    const nodes = (await ask("GET", "/api/v1/nodes", undefined, TABLE)).body;
    expect(nodes.columnDefinitions[0].name).toBe("Name");
    expect(nodes.rows[0].cells).toHaveLength(nodes.columnDefinitions.length);
    expect(nodes.metadata.resourceVersion).toMatch(/^[0-9]+$/);
    await ask("POST", "/api/v1/namespaces/default/pods", {
      metadata: { name: "pod-1" },
      spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] },
    });
    const pod = (await ask("GET", "/api/v1/namespaces/default/pods/pod-1", undefined, TABLE)).body;
    expect(pod.rows).toHaveLength(1);
    expect(pod.rows[0].cells[0]).toBe("pod-1");
    expect(pod.columnDefinitions.length).toBeGreaterThan(2);
  });

  test("what has no metadata has no table", async () => {
    const review = { spec: { nonResourceAttributes: { path: "/", verb: "get" } } };
    const answer = await ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review, {
      accept: "application/json;as=Table;v=v1;g=meta.k8s.io",
    });
    expect(answer.status).toBe(406);
    expect(answer.body).toMatchObject({ kind: "Status", reason: "NotAcceptable", code: 406 });
  });

  test.each(["curl/8.5.0", "Wget/1.21", "Mozilla/5.0 (X11)"])("are set out in lines for %s", async (agent) => {
    const agentHeader = { "user-agent": agent };
    const path = `${TEMPLATES}?limit=1`;
    expect((await ask("GET", path, undefined, agentHeader)).text).toContain('\n  "kind": "PodTemplateList",\n');
    expect((await ask("GET", `${path}&pretty=false`, undefined, agentHeader)).text).toMatch(/^\{"kind":"PodTemplateList",.*\n$/s);
    expect((await ask("GET", `${TEMPLATES}/none`, undefined, agentHeader)).text).toContain('\n  "code": 404\n}');
    expect((await ask("GET", "/apis", undefined, agentHeader)).text).toContain('\n  "groups": [\n');
  });
});
