import { readFileSync } from "node:fs";
import { dump, load, loadAll } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { printedDnsManifest } from "../../src/cmd/cluster-dns/manifest.ts";
import { CONTAINERD_REASON, type ContainerdVersion, containerdVersions } from "../support/containerd.ts";
import { BUSYBOX_IMAGE, HostContainerd } from "../support/host-containerd.ts";
import { eventually, hasKubectl } from "../support/kubectl.ts";
import { kybernImage } from "../support/kybern-image.ts";
import { isBuilt, programPath } from "../support/program.ts";
import { saySkipped } from "../support/say-skipped.ts";
import { type HostProgram, hasTestHosts, TEST_HOST_REASON, TestHost, TestNetwork } from "../support/test-host.ts";

const IMAGE = "docker.io/library/kybern:latest";
const NODE = { IPv4: "192.168.43.10", IPv6: "fd00:43::10" };
const POD_CIDRS = ["10.244.0.0/24", "fd00:244::/64"];
const DATA = "/var/lib/kybern";
const KUBECONFIG = `${DATA}/admin.kubeconfig`;
const PATIENCE = { timeout: 40_000, interval: 200 };
/** Says its name to whoever asks, by either family. */
const SERVE = "mkdir /www && hostname >/www/index.html && exec httpd -f -p [::]:8080 -h /www";

const container = (command: readonly string[]): object => ({ name: "c", image: BUSYBOX_IMAGE, command });
const pod = (name: string, spec: object): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { app: name } },
  spec: { terminationGracePeriodSeconds: 0, ...spec },
});
const SERVICE = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web" },
  spec: {
    type: "NodePort",
    ipFamilyPolicy: "RequireDualStack",
    selector: { app: "web" },
    ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }],
  },
};

/** The manifest that users have, with what it leaves to them filled in. */
function proxyManifest(mode: string): string {
  const text = readFileSync(new URL("../../docs/manifests/kube-proxy.yaml", import.meta.url), "utf8");
  const objects = loadAll(text) as { kind: string; data?: Record<string, string> }[];
  for (const { kind, data } of objects) {
    if (kind !== "ConfigMap" || data === undefined) continue;
    const config = load(data["config.conf"] ?? "") as object;
    data["config.conf"] = dump({ ...config, mode, clusterCIDR: POD_CIDRS.join(",") });
    data["kubeconfig.conf"] = (data["kubeconfig.conf"] ?? "").replace(/server: .*/, `server: https://${NODE.IPv4}:6443`);
  }
  return objects.map((object) => dump(object)).join("---\n");
}

const canRun = hasTestHosts && containerdVersions.length > 0 && isBuilt && hasKubectl;
const TITLE = `kube-proxy and cluster DNS as pods (${TEST_HOST_REASON}; ${CONTAINERD_REASON}; kubectl, and dist/)`;
saySkipped(canRun, TITLE);

describe.runIf(canRun)(TITLE, () => {
  let network: TestNetwork;
  let host: TestHost;
  let plane: HostProgram;
  let kubelet: HostProgram;

  const tryKubectl = (...args: readonly string[]) => host.tryRun(["kubectl", `--kubeconfig=${KUBECONFIG}`, ...args]);
  const kubectl = (...args: readonly string[]): Promise<string> =>
    host.run(["kubectl", `--kubeconfig=${KUBECONFIG}`, ...args]).catch((error: unknown) => {
      throw new Error(`${error}\n${kubelet?.output.slice(-3000)}`);
    });
  const apply = (manifest: string): Promise<string> =>
    host.run(["kubectl", `--kubeconfig=${KUBECONFIG}`, "apply", "-f", "-"], { input: manifest });
  const clusterIps = async (): Promise<readonly string[]> =>
    (await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIPs[*]}")).split(" ");
  const inPod = (script: string) => tryKubectl("exec", "client", "--", "sh", "-c", script);
  const get = (to: string, port: number): string => `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${to} ${port}`;
  /** By name, and by the address of each family, from a pod; by the node's port from the machine. */
  const reached = async (): Promise<void> => {
    for (const to of ["web", ...(await clusterIps())]) expect((await inPod(get(to, 80))).stdout, to).toMatch(/\nweb\n$/);
    for (const to of [NODE.IPv4, `[${NODE.IPv6}]`]) {
      expect((await host.tryRun(["curl", "-sS", "--max-time", "5", `http://${to}:30080/`])).stdout, to).toBe("web\n");
    }
  };
  const nftTables = (): Promise<string> => host.run(["nft", "list", "tables"]);
  const iptablesChains = async (): Promise<string> =>
    `${await host.run(["iptables-save", "-t", "nat"])}${await host.run(["ip6tables-save", "-t", "nat"])}`;

  const startMachine = async (): Promise<void> => {
    plane = host.start([
      ...[process.execPath, programPath, "up", "--nodes=0", "--node-runtime=simulated", `--data-dir=${DATA}`],
      ...[`--bind-address=${NODE.IPv4}`, "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112"],
    ]);
    await eventually(() => plane.output.includes("Ctrl-C") || !plane.isRunning, 30_000, "kybern up");
    kubelet = host.start([
      ...[process.execPath, programPath, "kubelet", `--kubeconfig=${KUBECONFIG}`, `--client-ca-file=${DATA}/pki/ca.pem`],
      ...[`--node-ip=${NODE.IPv4},${NODE.IPv6}`, "--network-plugin=kubenet", "--fail-swap-on=false"],
      ...["--cluster-dns=10.96.0.10", "--cluster-domain=cluster.local"],
    ]);
    // What a controller manager with --allocate-node-cidrs does.
    const spec = { podCIDR: POD_CIDRS[0], podCIDRs: POD_CIDRS };
    await eventually(() => kubectl("patch", "node", "node-1", "-p", JSON.stringify({ spec })), 30_000, "the node");
    await kubectl("wait", "--for=condition=Ready", "node/node-1", "--timeout=40s");
  };

  beforeAll(async () => {
    network = await TestNetwork.start("192.168.43.1/24");
    host = await TestHost.start(network, "node-1", NODE.IPv4, NODE.IPv6);
    const containerd = await HostContainerd.start(host, containerdVersions.at(-1) as ContainerdVersion);
    await Promise.all([containerd.importImage(kybernImage(IMAGE)), startMachine()]);
  }, 120_000);
  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  });

  test("a Service is reached, and names are resolved, by what the manifests start", async () => {
    const dns = printedDnsManifest([`--image=${IMAGE}`, "--cluster-ip=10.96.0.10", "--replicas=1"]);
    const pods = [
      pod("web", { containers: [container(["sh", "-c", SERVE])] }),
      pod("client", { containers: [container(["sleep", "1000000"])] }),
    ];
    await apply([proxyManifest("nftables"), dns, ...pods.map((one) => dump(one)), dump(SERVICE)].join("---\n"));
    await kubectl("-n", "kube-system", "rollout", "status", "daemonset/kube-proxy", "--timeout=60s");
    // It finds the API server by the Service's address, which is the proxy's work.
    await kubectl("-n", "kube-system", "rollout", "status", "deployment/cluster-dns", "--timeout=60s");
    await kubectl("wait", "--for=condition=Ready", "pod/web", "pod/client", "--timeout=60s");
    await vi.waitFor(reached, PATIENCE);
    const names = (await inPod("nslookup web.default.svc.cluster.local")).stdout;
    for (const ip of await clusterIps()) expect(names).toContain(ip);
    expect((await nftTables()).match(/^table ip6? kube-proxy$/gm)).toHaveLength(2);
    expect(await host.run(["curl", "-sS", "http://127.0.0.1:10249/proxyMode"])).toBe("nftables");
  }, 120_000);

  test("rules stay when the DaemonSet is deleted, so that connections go on", async () => {
    await kubectl("-n", "kube-system", "delete", "daemonset", "kube-proxy", "--wait=true", "--timeout=60s");
    await eventually(
      async () => (await kubectl("-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-proxy", "-o", "name")) === "",
      60_000,
      "the proxy's pod is gone",
    );
    expect((await nftTables()).match(/^table ip6? kube-proxy$/gm)).toHaveLength(2);
    await reached();
  }, 120_000);

  test("in the other mode the rules of the first one go", async () => {
    await apply(proxyManifest("iptables"));
    await kubectl("-n", "kube-system", "rollout", "status", "daemonset/kube-proxy", "--timeout=60s");
    await vi.waitFor(async () => {
      expect(await nftTables()).not.toContain("kube-proxy");
      expect((await iptablesChains()).match(/^:KUBE-SERVICES /gm)).toHaveLength(2);
      await reached();
    }, PATIENCE);
  }, 120_000);

  test("nothing is left after --cleanup, as a pod", async () => {
    await kubectl("-n", "kube-system", "delete", "daemonset", "kube-proxy", "--wait=true", "--timeout=60s");
    const clean = {
      ...container([]),
      image: IMAGE,
      imagePullPolicy: "Never",
      command: ["/usr/local/bin/kube-proxy", "--cleanup"],
    };
    const privileged = { ...clean, securityContext: { privileged: true } };
    await apply(dump(pod("clean", { hostNetwork: true, restartPolicy: "Never", containers: [privileged] })));
    const phase = await vi.waitFor(async () => {
      const { stdout } = await tryKubectl("get", "pod", "clean", "-o", "jsonpath={.status.phase}");
      expect(["Succeeded", "Failed"]).toContain(stdout);
      return stdout;
    }, PATIENCE);
    expect(phase, (await tryKubectl("logs", "clean")).stdout).toBe("Succeeded");
    expect(await iptablesChains()).not.toContain("KUBE-S");
    expect(await nftTables()).not.toContain("kube-proxy");
  }, 120_000);
});
