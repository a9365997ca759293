import { once } from "node:events";
import { get } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";

const demo = (replicas: number) => ({
  apiVersion: "v1",
  kind: "ReplicationController",
  metadata: { name: "demo" },
  spec: {
    replicas,
    selector: { name: "demo", version: "nautilus" },
    template: {
      metadata: { labels: { name: "demo", version: "nautilus" } },
      spec: { containers: [{ name: "demo", image: "example.com/nautilus:1", ports: [{ containerPort: 80 }] }] },
    },
  },
});

const SPEC = {
  type: "object",
  properties: {
    bars: { type: "array", items: { type: "object", required: ["name"], properties: { name: { type: "string" } } } },
  },
};

/** The text at a URL, over TCP or a unix socket. */
async function fetchText(options: { port?: number; socketPath?: string; path: string }): Promise<string> {
  const [response] = await once(get({ host: "127.0.0.1", ...options }), "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

describe.skipIf(!hasKubectl)("kubectl as conformance drives it (needs kubectl on the PATH)", () => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
    kubectl = new Kubectl(cluster.kubeconfig);
    await kubectl.ok(["wait", "--for=condition=Ready", "node", "--all", "--timeout=60s"]);
  });
  afterAll(async () => {
    kubectl?.[Symbol.dispose]();
    await cluster?.stop();
  });

  const running =
    "{{range .items}}{{.metadata.name}} {{range .status.containerStatuses}}{{if .state.running}}yes {{end}}{{end}}{{end}}";
  const runningPods = async (): Promise<number> =>
    (await kubectl.ok(["get", "pods", "-l", "name=demo", "-o", "template", `--template=${running}`])).split("yes ").length - 1;
  const define = async (kind: string, schema: object): Promise<void> => {
    const plural = `${kind.toLowerCase()}s`;
    const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }];
    const spec = { group: "conformance.example.com", scope: "Namespaced", names: { plural, kind }, versions };
    const definition = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.conformance.example.com` },
      spec,
    };
    await kubectl.ok(["create", "-f", "-"], JSON.stringify(definition));
    await kubectl.ok(["wait", "--for=condition=Established", `crd/${plural}.conformance.example.com`]);
    // What kubectl validates by has to know the kind.
    await eventually(async () => (await kubectl.ok(["get", "--raw", "/openapi/v2"])).includes(`"kind":"${kind}"`));
  };
  const custom = (kind: string, rest: object) =>
    JSON.stringify({ apiVersion: "conformance.example.com/v1", kind, metadata: { name: "cr" }, ...rest });

  test("makes, scales, describes, labels, annotates and exposes a controller, and stops it", async () => {
    await kubectl.ok(["create", "-f", "-"], JSON.stringify(demo(2)));
    await eventually(async () => (await runningPods()) === 2);
    for (const replicas of [1, 2]) {
      await kubectl.ok(["scale", "rc", "demo", `--replicas=${replicas}`, "--timeout=5m"]);
      await eventually(async () => (await runningPods()) === replicas);
    }
    expect(await kubectl.ok(["describe", "rc", "demo"])).toMatch(
      /Name: +demo[\s\S]*Namespace: +default[\s\S]*Selector: +name=demo,version=nautilus[\s\S]*Replicas: +2 current[\s\S]*2 desired[\s\S]*Pods Status: +2 Running[\s\S]*Pod Template:[\s\S]*Image: +example.com\/nautilus:1[\s\S]*Events:/,
    );
    const [pod = ""] = (await kubectl.ok(["get", "pods", "-l", "name=demo", "-o", "name"])).split("\n");
    expect(await kubectl.ok(["describe", pod])).toMatch(
      /Name: [\s\S]*Namespace: +default[\s\S]*Node: +node-\d[\s\S]*Labels: +name=demo[\s\S]*Status: +Running[\s\S]*IP: [\s\S]*Controlled By: +ReplicationController\/demo[\s\S]*Image: +example.com\/nautilus:1[\s\S]*State: +Running[\s\S]*QoS Class: +BestEffort/,
    );
    expect(await kubectl.ok(["describe", "node", "node-0"])).toMatch(
      /Name: +node-0[\s\S]*Labels:[\s\S]*Annotations:[\s\S]*CreationTimestamp:[\s\S]*Conditions:[\s\S]*Type[\s\S]*Status[\s\S]*LastHeartbeatTime[\s\S]*LastTransitionTime[\s\S]*Reason[\s\S]*Message[\s\S]*Addresses:[\s\S]*Capacity:[\s\S]*Version:[\s\S]*Kubelet Version:[\s\S]*Pods:/,
    );
    expect(await kubectl.ok(["describe", "namespace", "default"])).toMatch(
      /Name: +default[\s\S]*Labels:[\s\S]*Status: +Active[\s\S]*No resource quota/,
    );
    await kubectl.ok(["label", pod, "testing-label=testing-label-value"]);
    expect(await kubectl.ok(["get", pod, "-L", "testing-label"])).toContain("testing-label-value");
    await kubectl.ok(["label", pod, "testing-label-"]);
    expect(await kubectl.ok(["get", pod, "-L", "testing-label"])).not.toContain("testing-label-value");
    await kubectl.ok(["patch", pod, "-p", '{"metadata":{"annotations":{"x":"y"}}}']);
    expect(await kubectl.ok(["get", pod, "-o=jsonpath={.metadata.annotations.x}"])).toBe("y");
    await kubectl.ok(["expose", "rc", "demo", "--name=rm2", "--port=1234", "--target-port=80"]);
    await kubectl.ok(["expose", "service", "rm2", "--name=rm3", "--port=2345", "--target-port=80"]);
    for (const [name, port] of [
      ["rm2", 1234],
      ["rm3", 2345],
    ] as const) {
      expect(await kubectl.ok(["get", "service", name, "-o=jsonpath={.spec.ports[0].port}"])).toBe(`${port}`);
      await eventually(
        async () =>
          (await kubectl.ok(["get", "endpoints", name, "-o=jsonpath={.subsets[0].addresses[*].ip}"])).split(" ").length === 2,
      );
    }
    await kubectl.ok(["delete", "--grace-period=0", "--force", "-f", "-"], JSON.stringify(demo(2)));
    await eventually(async () => (await kubectl.ok(["get", "rc,pods", "-l", "name=demo", "--no-headers"])) === "");
    await kubectl.ok(["delete", "service", "rm2", "rm3"]);
  }, 120_000);

  test("applies a change to a controller, keeps the port of a service, and tells what was applied last", async () => {
    await kubectl.ok(["create", "-f", "-"], JSON.stringify(demo(1)));
    expect((await kubectl.run(["apply", "-f", "-"], JSON.stringify(demo(3)))).stderr).toContain(
      "missing the kubectl.kubernetes.io/last-applied-configuration",
    );
    expect(await kubectl.ok(["get", "rc", "demo", "-o=jsonpath={.spec.replicas}"])).toBe("3");
    await kubectl.ok(["apply", "set-last-applied", "-f", "-"], JSON.stringify(demo(7)));
    expect(JSON.parse(await kubectl.ok(["apply", "view-last-applied", "rc/demo", "-o=json"])).spec.replicas).toBe(7);
    await kubectl.ok(["delete", "rc", "demo"]);
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kept" },
      spec: { type: "NodePort", ports: [{ port: 80 }] },
    };
    const port = () => kubectl.ok(["get", "service", "kept", "-o=jsonpath={.spec.ports[0].nodePort}"]);
    await kubectl.ok(["apply", "-f", "-"], JSON.stringify(service));
    const before = await port();
    await kubectl.ok(
      ["apply", "-f", "-"],
      JSON.stringify({ ...service, metadata: { name: "kept", labels: { changed: "yes" } } }),
    );
    expect(await port()).toBe(before);
    await kubectl.ok(["delete", "service", "kept"]);
  });

  test("replaces a pod's image, and changes nothing in a dry run", async () => {
    await kubectl.ok(["run", "imaged", "--image=example.com/httpd:1", "--labels=run=imaged"]);
    await kubectl.ok(["wait", "--for=condition=Ready", "pod/imaged", "--timeout=60s"]);
    const image = () => kubectl.ok(["get", "pod", "imaged", "-o=jsonpath={.spec.containers[0].image}"]);
    const patch = '{"spec":{"containers":[{"name":"imaged","image":"example.com/busybox:1"}]}}';
    await kubectl.ok(["patch", "pod", "imaged", "-p", patch, "--dry-run=server"]);
    expect(await image()).toBe("example.com/httpd:1");
    const pod = await kubectl.ok(["get", "pod", "imaged", "-o", "json"]);
    await kubectl.ok(["replace", "-f", "-"], pod.replaceAll("example.com/httpd:1", "example.com/busybox:1"));
    expect(await image()).toBe("example.com/busybox:1");
    await kubectl.ok(["delete", "pod", "imaged", "--now"]);
  });

  test("finds the difference between a file and the cluster", async () => {
    const deployment = (name: string) => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "diffed" },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "diffed" } },
        template: { metadata: { labels: { app: "diffed" } }, spec: { containers: [{ name: "c", image: name }] } },
      },
    });
    await kubectl.ok(["create", "-f", "-"], JSON.stringify(deployment("example.com/httpd:1")));
    const changed = await kubectl.run(["diff", "-f", "-"], JSON.stringify(deployment("example.com/busybox:1")));
    expect(changed.code).toBe(1);
    expect(changed.stdout).toMatch(/-.*example.com\/httpd:1[\s\S]*\+.*example.com\/busybox:1/);
    await kubectl.ok(["delete", "deployment", "diffed"]);
  });

  test("proxies the API on any port, and on a unix socket", async () => {
    using onPort = kubectl.start(["proxy", "-p", "0", "--disable-filter"]);
    await eventually(() => /127\.0\.0\.1:\d+/.test(onPort.output));
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(onPort.output)?.[1]);
    expect(JSON.parse(await fetchText({ port, path: "/api/" }))).toMatchObject({ kind: "APIVersions", versions: ["v1"] });
    const socketPath = join(kubectl.kubeconfigPath, "..", "proxy.sock");
    using onSocket = kubectl.start(["proxy", `--unix-socket=${socketPath}`]);
    await eventually(() => onSocket.output.includes("Starting to serve"));
    expect(JSON.parse(await fetchText({ socketPath, path: "/api/" }))).toMatchObject({ versions: ["v1"] });
  });

  test("taints a node and takes taints away, one by one and by key", async () => {
    const taints = () =>
      kubectl.ok(["describe", "node", "node-1"]).then((text) => /Taints: +([\s\S]*?)\nUnschedulable/.exec(text)?.[1]);
    await kubectl.ok(["taint", "nodes", "node-1", "example.com/key=one:NoSchedule"]);
    expect(await taints()).toBe("example.com/key=one:NoSchedule");
    await kubectl.ok(["taint", "nodes", "node-1", "example.com/key=two:PreferNoSchedule"]);
    expect(await taints()).toMatch(/one:NoSchedule\s+example.com\/key=two:PreferNoSchedule/);
    await kubectl.ok(["taint", "nodes", "node-1", "example.com/key-"]);
    expect(await taints()).toBe("<none>");
  });

  test("makes quotas, and is told of scopes that there are not", async () => {
    await kubectl.ok(["create", "quota", "million", "--hard=pods=1000000,services=1000000"]);
    expect(await kubectl.ok(["get", "quota", "million", "-o=jsonpath={.spec.hard.pods}"])).toBe("1M");
    await kubectl.ok(["create", "quota", "scopes", "--hard=pods=1000000", "--scopes=BestEffort,NotTerminating"]);
    expect(await kubectl.ok(["get", "quota", "scopes", "-o=jsonpath={.spec.scopes}"])).toBe('["BestEffort","NotTerminating"]');
    expect((await kubectl.run(["create", "quota", "none", "--hard=hard=1000000", "--scopes=Foo"])).code).toBe(1);
    await kubectl.ok(["delete", "quota", "million", "scopes"]);
  });

  test("tells events, waits for what is gone, reads subresources, and dumps all", async () => {
    await kubectl.ok(["run", "seen", "--image=example.com/httpd:1"]);
    await kubectl.ok(["wait", "--for=condition=Ready", "pod/seen", "--timeout=60s"]);
    expect(await kubectl.ok(["events", "-n", "default", "--for=pod/seen"])).toContain("Scheduled");
    await kubectl.ok(["wait", "--for=delete", "pod/doesnotexist", "--timeout=10s"]);
    const bulk = await kubectl.run(["get", "nodes", "--subresource=status"]);
    expect(bulk.stderr).toContain("subresource cannot be used when bulk resources are specified");
    const what = ["get", "nodes", "node-0", "--output=jsonpath={.metadata.name}{.status.nodeInfo.kubeletVersion}"];
    expect(await kubectl.ok([...what, "--subresource=status"])).toBe(await kubectl.ok(what));
    expect(await kubectl.ok(["cluster-info", "dump"])).toContain('"kind": "NodeList"');
    await kubectl.ok(["delete", "pod", "seen", "--now"]);
  });

  test("validates custom resources by their schemas: any, whole, and in part", async () => {
    await define("Anything", { type: "object", "x-kubernetes-preserve-unknown-fields": true });
    const any = custom("Anything", { a: { b: [{ c: "d" }] } });
    for (const verb of ["create", "apply"]) {
      await kubectl.ok([verb, "--validate=true", "-f", "-"], any);
      expect(await kubectl.ok(["get", "anythings", "cr", "-o=jsonpath={.a.b[0].c}"])).toBe("d");
      await kubectl.ok(["delete", "anythings", "cr"]);
    }
    await define("Whole", { type: "object", properties: { spec: SPEC } });
    await kubectl.ok(["create", "--validate=true", "-f", "-"], custom("Whole", { spec: { bars: [{ name: "bar" }] } }));
    await kubectl.ok(["apply", "--validate=true", "-f", "-"], custom("Whole", { spec: { bars: [{ name: "baz" }] } }));
    expect((await kubectl.run(["apply", "-f", "-"], custom("Whole", { spec: { foo: true } }))).stderr).toContain(
      'unknown field "spec.foo"',
    );
    await define("Partly", { type: "object", properties: { spec: { ...SPEC, "x-kubernetes-preserve-unknown-fields": true } } });
    const refused = await kubectl.run(
      ["create", "--validate=true", "-f", "-"],
      custom("Partly", { spec: { bars: [{ feeling: "?" }], extra: 1 } }),
    );
    expect(refused.code).toBe(1);
    await kubectl.ok(
      ["create", "--validate=true", "-f", "-"],
      custom("Partly", { spec: { bars: [{ name: "bar" }], extraProperty: "arbitrary" } }),
    );
    await kubectl.ok(["apply", "-f", "-"], custom("Partly", { spec: { bars: [{ name: "bar" }], extraProperty: "other" } }));
    expect(await kubectl.ok(["get", "partlys", "cr", "-o=jsonpath={.spec.extraProperty}"])).toBe("other");
    await kubectl.ok(
      ["apply", "--server-side", "--force-conflicts", "-f", "-"],
      custom("Partly", { spec: { bars: [{ name: "bar" }], extraProperty: "third" } }),
    );
    expect(await kubectl.ok(["get", "partlys", "cr", "-o=jsonpath={.spec.extraProperty}"])).toBe("third");
  });

  test("detects unknown metadata of custom resources, of what is embedded in them, and of built-in types", async () => {
    const template = { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true };
    await define("Embedding", { type: "object", properties: { spec: { type: "object", properties: { template } } } });
    const embedded = (metadata: object) => ({
      template: { apiVersion: "foo/v1", kind: "Sub", metadata: { name: "sub", namespace: "ns", ...metadata } },
    });
    const root = custom("Embedding", {
      metadata: { name: "cr", namespace: "default", unknownMeta: "unknown" },
      spec: embedded({}),
    });
    const atRoot = await kubectl.run(["create", "--validate=true", "-f", "-"], root);
    expect(atRoot.stderr).toContain('unknown field "metadata.unknownMeta"');
    expect(atRoot.stderr).not.toContain('"metadata.namespace"');
    const within = await kubectl.run(
      ["create", "--validate=true", "-f", "-"],
      custom("Embedding", { spec: embedded({ unknownMetaEmbedded: "bar" }) }),
    );
    expect(within.stderr).toContain('unknown field "spec.template.metadata.unknownMetaEmbedded"');
    expect(within.stderr).not.toContain('metadata.namespace"');
    const typed = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d", unknownMeta: "foo" },
      spec: demoTemplate(),
    };
    const builtIn = await kubectl.run(["create", "-f", "-"], JSON.stringify(typed));
    expect(builtIn.stderr).toContain('unknown field "metadata.unknownMeta"');
  });

  const demoTemplate = () => ({
    selector: { matchLabels: { app: "d" } },
    template: { metadata: { labels: { app: "d" } }, spec: { containers: [{ name: "c", image: "i" }] } },
  });
});
