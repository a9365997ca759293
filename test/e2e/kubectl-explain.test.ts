import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually, hasKubectl, Kubectl, kubectlOfVersion } from "../support/kubectl.ts";

/** Clients that may talk to this server, and older ones that people still have; 1.20 is Debian's. */
const VERSIONS = ["1.20", "1.27", "1.28", "1.29", "1.30", "1.31", "1.32", "1.33"];
/** What kubectl says where a document has no text. */
const NO_TEXT = /<empty>|<no description>/;

const DEFINITION = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.explained.example.com}
spec:
  group: explained.example.com
  names: {plural: widgets, singular: widget, kind: Widget}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        description: A thing that turns.
        properties:
          spec:
            type: object
            description: How it turns.
            required: [speed]
            properties:
              speed: {type: integer, description: Turns a minute., minimum: 1}
              parts: {type: array, items: {type: object, properties: {name: {type: string, description: What the part is called.}}}}
`;

const pod = (name: string, more: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec: {containers: [{name: c, image: a}]${more}}
`;

describe.runIf(hasKubectl)(`kubectl explain and validation${hasKubectl ? "" : " (skipped: there is no kubectl)"}`, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0, runtimeConfig: ["api/all=true"] });
    using kubectl = new Kubectl(cluster.kubeconfig);
    await kubectl.ok(["apply", "-f", "-"], DEFINITION);
    await kubectl.ok(["wait", "--for=condition=Established", "crd/widgets.explained.example.com"]);
  });
  afterAll(() => cluster?.stop());

  describe.each(VERSIONS)("kubectl %s", (version) => {
    const program = kubectlOfVersion(version);
    const why = program === undefined ? ` (skipped: there is no kubectl ${version})` : "";
    let kubectl: Kubectl;
    beforeAll(() => {
      if (program !== undefined) kubectl = new Kubectl(cluster.kubeconfig, program);
    });
    afterAll(() => kubectl?.[Symbol.dispose]());

    test.runIf(program !== undefined)(`explains built-in fields${why}`, async () => {
      const probe = await kubectl.ok(["explain", "pods.spec.containers.livenessProbe"]);
      expect(probe.replace(/\s+/g, " ")).toContain("Looks whether a container is well.");
      expect(probe).toContain("periodSeconds");
      expect(probe.replace(/\s+/g, " ")).toContain("Default: 10; at least 1.");
      expect(await kubectl.ok(["explain", "deployments.spec.strategy"])).not.toMatch(NO_TEXT);
      const whole = await kubectl.ok(["explain", "statefulset", "--recursive"]);
      expect(whole).toContain("volumeClaimTemplates");
      expect(whole).toContain("requiredDuringSchedulingIgnoredDuringExecution");
    });

    test.runIf(program !== undefined)(`explains custom resources${why}`, async () => {
      const speed = async (): Promise<string> => (await kubectl.run(["explain", "widgets.spec.speed"])).stdout;
      await eventually(async () => (await speed()).includes("Turns a minute."));
      const recursive = await kubectl.ok(["explain", "widget", "--recursive"]);
      expect(recursive).toContain("A thing that turns.");
      expect(recursive).toMatch(/parts\s+<\[\]Object>\s+name\s+<string>/);
      const older = await kubectl.run(["explain", "widgets.spec", "--output=plaintext-openapiv2"]);
      if (older.code === 0) expect(older.stdout).toContain("How it turns.");
      else expect(older.stderr).toContain("unknown flag");
    });

    // By the documents up to 1.24; later clients leave it to the server.
    test.runIf(program !== undefined)(`validates what it creates${why}`, async () => {
      const namespace = "--namespace=default";
      const unknown = await kubectl.run(["create", "--validate=true", namespace, "-f", "-"], pod(`v${version}`, ", colour: red"));
      expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/unknown field "(spec\.)?colour"/)]);
      const widget = "apiVersion: explained.example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {}\n";
      const missing = await kubectl.run(["create", "--validate=true", namespace, "-f", "-"], widget);
      expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/speed/)]);
      const without = ["create", "--validate=false", "--dry-run=server", namespace, "-f", "-"];
      expect(await kubectl.ok(without, pod(`v${version}`, ", colour: red"))).toContain("created");
    });
  });

  test("every resource is explained, whole", async () => {
    using kubectl = new Kubectl(cluster.kubeconfig);
    const listed = await kubectl.ok(["api-resources", "--no-headers", "-o", "name"]);
    const names = listed.trim().split("\n");
    expect(names.length).toBeGreaterThan(70);
    const bare: string[] = [];
    const next = async (): Promise<void> => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        // kubectl takes the group for fields of the core group's events.
        const told = name === "events.events.k8s.io" ? ["events", "--api-version=events.k8s.io/v1"] : [name];
        const { code, stdout } = await kubectl.run(["explain", ...told]);
        const recursive = await kubectl.run(["explain", ...told, "--recursive"]);
        if (code !== 0 || recursive.code !== 0 || NO_TEXT.test(stdout)) bare.push(name);
      }
    };
    await Promise.all(Array.from({ length: 4 }, next));
    expect(bare).toEqual([]);
  });
});
