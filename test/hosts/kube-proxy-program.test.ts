import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isBuilt, programPath } from "../support/program.ts";
import { hasProxyLab, PROXY_LAB_REASON, ProxyLab } from "../support/proxy-lab/proxy-lab.ts";
import { saySkipped } from "../support/say-skipped.ts";

const PORT = 8080;
const PATIENCE = { timeout: 30_000, interval: 100 };
const canRun = hasProxyLab && isBuilt;

saySkipped(canRun, `kube-proxy as a program: ${isBuilt ? PROXY_LAB_REASON : "needs the build"}`);

/** One program on the node, with what it said. */
class NodeProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly exited: Promise<number | null>;
  output = "";

  constructor(namespace: string, file: string, args: readonly string[]) {
    const all = [`--net=/run/netns/${namespace}`, process.execPath, file, ...args];
    this.#child = spawn("nsenter", all, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk) => {
        this.output += chunk;
      });
    }
    this.exited = new Promise((resolve) => this.#child.once("close", resolve));
  }

  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM");
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill("SIGKILL");
    await this.exited;
  }
}

describe.runIf(canRun)("kube-proxy as a program", () => {
  let dir: string;
  let lab: ProxyLab;
  const started: NodeProgram[] = [];

  const start = (file: string, args: readonly string[]): NodeProgram => {
    const program = new NodeProgram(lab.namespace("node"), file, args);
    started.push(program);
    return program;
  };
  /** A request from within the node: status and body. */
  const ask = async (
    url: string,
    options: readonly string[] = [],
  ): Promise<{ status: number; headers: string; body: string }> => {
    const { stdout } = await lab.run("curl", ["-s", "-i", ...options, url]);
    const [headers = "", ...rest] = stdout.split("\r\n\r\n");
    return { status: Number(/^\S+ (\d+)/.exec(headers)?.[1] ?? 0), headers: headers.toLowerCase(), body: rest.join("\r\n\r\n") };
  };
  /** A request to the API server, as the administrator. */
  const api = (method: string, path: string, object?: object): ReturnType<typeof ask> => {
    const pki = join(dir, "data/pki");
    const as = ["--cacert", `${pki}/ca.pem`, "--cert", `${pki}/admin.pem`, "--key", `${pki}/admin-key.pem`, "-X", method];
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const body = object === undefined ? [] : ["-H", `content-type: ${type}`, "-d", JSON.stringify(object)];
    return ask(`https://127.0.0.1:6443${path}`, [...as, ...body]);
  };
  const done = async (status: number, ...request: Parameters<typeof api>): Promise<void> => {
    const answer = await api(...request);
    expect([answer.status, answer.body]).toEqual([status, expect.any(String)]);
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "kube-proxy-"));
    lab = await ProxyLab.start([PORT]);
    start(programPath, ["up", `--data-dir=${dir}/data`, "--nodes=0", "--node-runtime=simulated"]);
    const isReady = async (): Promise<void> => expect((await api("GET", "/readyz")).body).toBe("ok");
    await vi.waitFor(isReady, { timeout: 60_000, interval: 200 });
  }, 90_000);
  afterAll(async () => {
    for (const program of started.reverse()) await program[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  const makeService = async (name: string, spec: object): Promise<void> => {
    const service = { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } };
    await done(201, "POST", "/api/v1/namespaces/default/services", service);
    const slice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "", port: PORT, protocol: "TCP" }],
      endpoints: [{ addresses: ["10.244.1.2"], nodeName: "node", conditions: { ready: true } }],
    };
    await done(201, "POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice);
  };

  /** Follows what a load balancer is told of a Service until that is gone. */
  const checkHealthPort = async (name: string, port: number): Promise<void> => {
    const url = `http://192.168.99.1:${port}/`;
    const checked = await ask(url);
    expect(checked.status).toBe(200);
    expect(checked.headers).toContain("x-load-balancing-endpoint-weight: 1");
    expect(checked.body).toBe(
      `{\n\t"service": {\n\t\t"namespace": "default",\n\t\t"name": "${name}"\n\t},\n\t"localEndpoints": 1,\n\t"serviceProxyHealthy": true\n}`,
    );
    // Load balancers are neighbours of the node.
    expect((await lab.runOn("out", "curl", ["-sS", "-o", "/dev/null", "-w", "%{http_code}", url])).stdout).toBe("200");
    await done(200, "DELETE", `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/${name}`);
    await vi.waitFor(async () => expect((await ask(url)).status).toBe(503), PATIENCE);
    await done(200, "DELETE", `/api/v1/namespaces/default/services/${name}`);
    await vi.waitFor(async () => expect((await ask(url)).status).toBe(0), PATIENCE);
  };

  test("by its name in images of former years it serves Services and tells how it is", { timeout: 120_000 }, async () => {
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node" } };
    await done(201, "POST", "/api/v1/nodes", node);
    const addresses = [{ type: "InternalIP", address: "192.168.99.1" }];
    await done(200, "PATCH", "/api/v1/nodes/node/status", { status: { addresses } });
    await makeService("plain", { clusterIP: "10.96.0.100" });
    await makeService("balanced", {
      clusterIP: "10.96.0.101",
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 31_999,
    });
    symlinkSync(programPath, join(dir, "hyperkube"));
    const proxy = start(join(dir, "hyperkube"), [
      "proxy",
      `--kubeconfig=${dir}/data/admin.kubeconfig`,
      "--proxy_mode=iptables",
      "--hostname-override=node",
    ]);
    await vi.waitFor(async () => expect((await lab.tcp("pod2", "10.96.0.100", 80)).by).toBe("pod1"), PATIENCE);
    expect((await ask("http://127.0.0.1:10249/proxyMode")).body).toBe("iptables");
    const health = await ask("http://127.0.0.1:10256/healthz");
    expect([health.status, JSON.parse(health.body)]).toMatchObject([
      200,
      { nodeEligible: true, healthy: true, status: { IPv4: { healthy: true } } },
    ]);
    expect(JSON.parse((await ask("http://127.0.0.1:10256/livez")).body)).not.toHaveProperty("nodeEligible");
    const configz = JSON.parse((await ask("http://127.0.0.1:10249/configz")).body) as object;
    expect(configz).toMatchObject({ "kubeproxy.config.k8s.io": { kind: "KubeProxyConfiguration", mode: "iptables" } });
    await ask("http://127.0.0.1:10249/healthz");
    const { body: slis } = await ask("http://127.0.0.1:10249/metrics/slis");
    expect(slis).toMatch(/^kubernetes_healthcheck{name="ping",type="healthz"} 1$/m);
    const { body: metrics } = await ask("http://127.0.0.1:10249/metrics");
    expect(metrics).toMatch(/^kubeproxy_sync_proxy_rules_duration_seconds_count\{ip_family="IPv4"\} [1-9]/m);
    expect(metrics).toMatch(/^kubeproxy_sync_proxy_rules_iptables_total\{table="nat",ip_family="IPv4"\} [1-9]/m);
    expect(metrics).toMatch(/^kubeproxy_proxy_healthz_total\{code="200"\} [1-9]/m);

    await checkHealthPort("balanced", 31_999);

    // A node that is about to go shall get no more connections; the proxy itself is well.
    const taints = [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }];
    await done(200, "PATCH", "/api/v1/nodes/node", { spec: { taints } });
    await vi.waitFor(async () => expect((await ask("http://127.0.0.1:10256/healthz")).status).toBe(503), PATIENCE);
    expect((await ask("http://127.0.0.1:10256/livez")).status).toBe(200);

    expect(await proxy.stop()).toBe(0);
    // Rules stay while it is away.
    expect((await lab.tcp("pod2", "10.96.0.100", 80)).by).toBe("pod1");
    expect(proxy.output).not.toContain('"level":50');
  });

  test("by a configuration file and a kubeconfig, in the other mode; a changed file ends it", { timeout: 120_000 }, async () => {
    const file = join(dir, "config.yaml");
    expect(await start(programPath, ["kube-proxy", `--write-config-to=${file}`]).exited).toBe(0);
    const written = readFileSync(file, "utf8");
    expect(written).toContain("kind: KubeProxyConfiguration");
    writeFileSync(
      file,
      written
        .replace("mode: ''", "mode: nftables")
        .replace("kubeconfig: ''", `kubeconfig: ${dir}/data/admin.kubeconfig`)
        .replace("clusterCIDR: ''", "clusterCIDR: 10.244.0.0/16"),
    );
    const proxy = start(programPath, ["kube-proxy", `--config=${file}`, "--hostname-override=node"]);
    await vi.waitFor(async () => expect((await ask("http://127.0.0.1:10249/proxyMode")).body).toBe("nftables"), PATIENCE);
    await vi.waitFor(async () => expect((await lab.tcp("pod2", "10.96.0.100", 80)).by).toBe("pod1"), PATIENCE);
    expect((await lab.run("iptables-save", [])).stdout).not.toContain("KUBE-SERVICES");
    const spec = { clusterIP: "10.96.0.102", type: "LoadBalancer", externalTrafficPolicy: "Local" };
    await makeService("also-balanced", { ...spec, healthCheckNodePort: 31_998 });
    await vi.waitFor(async () => expect((await ask("http://192.168.99.1:31998/")).status).toBe(200), PATIENCE);
    await checkHealthPort("also-balanced", 31_998);
    writeFileSync(file, `${readFileSync(file, "utf8")}# changed\n`);
    expect(await proxy.exited).toBe(1);
    expect(proxy.output).toContain("content of the proxy server's configuration file was updated");
  });

  test("--cleanup takes all rules away", { timeout: 60_000 }, async () => {
    expect((await lab.run("nft", ["list", "tables"])).stdout).toContain("kube-proxy");
    const cleanup = start(programPath, ["kube-proxy", "--cleanup"]);
    expect([await cleanup.exited, cleanup.output]).toEqual([0, expect.any(String)]);
    expect((await lab.run("nft", ["list", "tables"])).stdout).not.toContain("kube-proxy");
    expect((await lab.run("iptables-save", [])).stdout).not.toMatch(/KUBE-(SERVICES|SVC|PROXY-CANARY|POSTROUTING)/);
  });

  test("a configuration that makes no sense is refused in upstream's words", { timeout: 60_000 }, async () => {
    const file = join(dir, "wrong.yaml");
    const header = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
    for (const [content, why] of [
      ["mode: userspace", "KubeProxyConfiguration.Mode.ProxyMode: Invalid value"],
      ["nodePortAddresses: [primary, 10.0.0.0/8]", "can't use both 'primary' and CIDRs"],
      ["iptables: {masqueradeBit: 32}", "must be within the range [0, 31]"],
      ["some: thing", 'unknown field "some"'],
    ] as const) {
      writeFileSync(file, `${header}${content}\n`);
      const program = start(programPath, ["kube-proxy", `--config=${file}`]);
      expect([await program.exited, program.output]).toEqual([1, expect.stringContaining(why)]);
    }
  });
});
