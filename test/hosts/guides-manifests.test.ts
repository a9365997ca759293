import { renameSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Container } from "#cri/container.ts";
import { CONTAINERD_REASON, type ContainerdVersion, containerdVersions } from "../support/containerd.ts";
import { ETCD_REASON, hasEtcd } from "../support/etcd.ts";
import {
  commandsOf,
  type EtcdTlsFiles,
  etcdReady,
  type GuideVariables,
  HostService,
  layFiles,
  linkPrograms,
  makeTlsAssets,
  provideSudo,
  startEtcd,
} from "../support/guide-host.ts";
import { HostContainerd } from "../support/host-containerd.ts";
import { eventually, hasKubectl } from "../support/kubectl.ts";
import { kybernImage } from "../support/kybern-image.ts";
import { isBuilt } from "../support/program.ts";
import { type HostProgram, hasTestHosts, TEST_HOST_REASON, TestHost, TestNetwork } from "../support/test-host.ts";
import { fillIn } from "../support/units.ts";

/** How long a master may take from the kubelet's start to an answer of its API. */
const BOOT_MS = 90_000;
const COMPONENTS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/** A guide, and what its readers put in the places that it leaves to them. */
interface Guide {
  readonly folder: string;
  readonly image: string;
  readonly gateway: string;
  readonly host: string;
  readonly address: string;
  /** The node's name: `--hostname-override`, or else the host's. */
  readonly node: string;
  /** Other addresses of the test host, for members of etcd that the guide has on machines of their own. */
  readonly members: readonly string[];
  readonly tls?: EtcdTlsFiles;
  readonly serviceIp: string;
  readonly variables: GuideVariables;
  /** Where the guide has the kubelet's program. */
  readonly kubelet: string;
  readonly staticPods: readonly string[];
  /** The manifest of the guide whose pod cannot run, or which is none. */
  readonly idle?: string;
}

const COREOS = {
  image: "",
  gateway: "192.168.24.1/24",
  host: "coreos1",
  address: "192.168.24.11",
  node: "192.168.24.11",
  members: ["192.168.24.11"],
  serviceIp: "10.3.0.1",
  variables: {
    ADVERTISE_IP: "192.168.24.11",
    ETCD_ENDPOINTS: "http://192.168.24.11:2379",
    SERVICE_IP_RANGE: "10.3.0.0/24",
    DNS_SERVICE_IP: "10.3.0.10",
    NETWORK_PLUGIN: "cni",
  },
  kubelet: "/usr/lib/coreos/kubelet-wrapper",
  staticPods: [...COMPONENTS, "kube-proxy"],
};
/** What the guide's servers are asked for by. */
const MASTER_NAMES = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "icc-ctrl-1"].map((name) => `DNS:${name}`);
const ICC_MEMBERS = [32, 33, 34, 35, 36].map((last) => `141.22.30.${last}`);

const guides: readonly Guide[] = [
  { ...COREOS, folder: "coreos-v1.5", image: "quay.io/coreos/hyperkube:v1.5.2_coreos.0", idle: "calico.yaml" },
  { ...COREOS, folder: "coreos-v1.4", image: "quay.io/coreos/hyperkube:v1.4.0_coreos.0" },
  {
    ...COREOS,
    folder: "coreos-v1.2",
    image: "quay.io/coreos/hyperkube:v1.2.3_coreos.0",
    kubelet: "/opt/bin/kubelet-wrapper",
    members: [11, 12, 13, 14].map((last) => `192.168.24.${last}`),
    variables: {},
    idle: "policy-agent.yaml",
  },
  {
    folder: "icc-v1.7",
    image: "quay.io/coreos/hyperkube:v1.7.2_coreos.0",
    gateway: "141.22.30.1/24",
    host: "icc-ctrl-1",
    address: "141.22.30.21",
    node: "icc-ctrl-1",
    members: ICC_MEMBERS,
    tls: {
      caFile: "/var/lib/kubernetes/ca.pem",
      certFile: "/var/lib/kubernetes/kubernetes.pem",
      keyFile: "/var/lib/kubernetes/kubernetes-key.pem",
    },
    serviceIp: "10.32.0.1",
    variables: {},
    kubelet: "/usr/bin/kubelet",
    staticPods: COMPONENTS,
  },
];

const LDAP_WEBHOOK = `apiVersion: v1
kind: Config
clusters: [{ name: ldap, cluster: { server: "https://127.0.0.1:8087/authenticate", certificate-authority: ca.pem } }]
users: [{ name: apiserver, user: { client-certificate: kubernetes-ldap-client.pem, client-key: kubernetes-ldap-client.key } }]
contexts: [{ name: webhook, context: { cluster: ldap, user: apiserver } }]
current-context: webhook
`;

/** What the guide of three masters takes from elsewhere: a proxy on each node, by the same image. */
const PROXY_SET = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: "kube-proxy", namespace: "kube-system" },
  spec: {
    selector: { matchLabels: { app: "kube-proxy" } },
    template: {
      metadata: { labels: { app: "kube-proxy" } },
      spec: {
        hostNetwork: true,
        tolerations: [{ operator: "Exists" }],
        containers: [
          {
            name: "kube-proxy",
            image: "quay.io/coreos/hyperkube:v1.7.2_coreos.0",
            command: ["/hyperkube", "proxy", "--master=http://127.0.0.1:8080", "--cluster-cidr=10.200.0.0/16"],
            securityContext: { privileged: true },
          },
        ],
      },
    },
  },
};

/** What the guide of three masters has from an earlier one: assets for etcd and for the directory's webhook. */
async function makeIccAssets(host: TestHost): Promise<void> {
  const san = ["127.0.0.1", ...ICC_MEMBERS].map((ip) => `IP:${ip}`).join(",");
  await host.sh(`cd ~/k8s_tls_assets
    pair() {
      openssl genrsa -out $2 2048
      openssl req -new -key $2 -out pair.csr -subj /CN=$3
      echo "subjectAltName=$4" >san
      openssl x509 -req -in pair.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 100 -extfile san -out $1
    }
    pair kubernetes.pem kubernetes-key.pem kubernetes ${san}
    pair apiserver.pem apiserver-key.pem kubernetes ${[...MASTER_NAMES, "IP:10.32.0.1", "IP:127.0.0.1", "IP:141.22.30.21"].join(",")}
    pair kubernetes-ldap-client.pem kubernetes-ldap-client.key kubernetes-ldap-client DNS:client
    pair kube-proxy.pem kube-proxy-key.pem system:kube-proxy DNS:client
    echo '41f7e4ba8b7be874fcff18bf5cf41a7c,kubelet-bootstrap,10001,"system:bootstrappers"' >token.csv
    sudo mkdir -p /var/lib/kubernetes/
    sudo mv token.csv /var/lib/kubernetes/
    sudo cp ca.pem /var/lib/kubernetes/
    sudo mv ca-key.pem apiserver.pem apiserver-key.pem kubernetes.pem kubernetes-key.pem kubernetes-ldap-client.pem \
      kubernetes-ldap-client.key kube-proxy.pem kube-proxy-key.pem /var/lib/kubernetes/`);
  host.write("/var/lib/kubernetes/ldap-webhook-config.yaml", LDAP_WEBHOOK);
}

describe.skipIf(!hasTestHosts || !hasEtcd || !hasKubectl || !isBuilt || containerdVersions.length === 0)(
  `a master from manifests (${TEST_HOST_REASON}; ${CONTAINERD_REASON}; ${ETCD_REASON}; kubectl and dist/)`,
  () => {
    describe.each(guides)("of the guide $folder", (guide) => {
      const { address, node, members, tls, serviceIp, folder } = guide;
      const endpoints = members.map((member) => `${tls === undefined ? "http" : "https"}://${member}:2379`).join(",");
      const variables: GuideVariables = { ...guide.variables, K8S_SERVICE_IP: serviceIp, MASTER_HOST: address };
      let network: TestNetwork;
      let host: TestHost;
      let containerd: HostContainerd;
      let kubelet: HostService;
      let etcd: readonly HostProgram[];

      /** What runs on the machine before the kubelet. */
      const startServices = async (): Promise<void> => {
        const all = members.map((member, i) => ({ name: `etcd${i}`, address: member }));
        etcd = await startEtcd(host, all, tls === undefined ? {} : { tls });
        await etcdReady(host, endpoints, tls);
      };
      const startKubelet = async (): Promise<void> => {
        kubelet = new HostService(host, "kubelet", { variables });
        await kubelet.start();
      };
      const curl = (...args: readonly string[]): Promise<string> => host.run(["curl", "-sS", "--max-time", "10", ...args]);
      const kubectl = (...args: readonly string[]): Promise<string> => host.run(["kubectl", ...args]);
      const version = (): Promise<string> =>
        eventually(() => curl("-f", "http://127.0.0.1:8080/version"), BOOT_MS, "the API").catch((error: unknown) => {
          throw new Error(`${error}\n${kubelet.program.output}`);
        });
      /** Containers that run, by name. */
      const containers = async (): Promise<ReadonlyMap<string, Container>> => {
        const { channel, runtime } = containerd.connect();
        try {
          const running = await runtime.listContainers({ state: "CONTAINER_RUNNING" });
          return new Map(running.map((container) => [container.metadata.name, container]));
        } finally {
          channel.close();
        }
      };

      beforeAll(async () => {
        network = await TestNetwork.start(guide.gateway);
        host = await TestHost.start(network, guide.host, ...new Set([address, ...members]));
        containerd = await HostContainerd.start(host, containerdVersions.at(-1) as ContainerdVersion);
        await containerd.importImage(kybernImage(guide.image));
        linkPrograms(host, guide.kubelet);
        provideSudo(host);
        layFiles(host, folder, variables, /^\/root\//);
        await makeTlsAssets(host, { ...variables, WORKER_FQDN: "worker", WORKER_IP: address });
        if (tls === undefined) await host.sh(commandsOf("coreos-v1.2", "root/k8s_tls_assets/install.sh"));
        else await makeIccAssets(host);
        await startServices();
        await startKubelet();
      }, 120_000);
      afterAll(async () => {
        await host?.[Symbol.asyncDispose]();
        await network?.[Symbol.asyncDispose]();
      });

      test("the API answers", { timeout: 2 * BOOT_MS }, async () => {
        expect(JSON.parse(await version())).toMatchObject({
          major: "1",
          minor: expect.any(String),
          gitVersion: expect.stringMatching(/^v1\./),
          gitCommit: expect.any(String),
          gitTreeState: "clean",
          buildDate: expect.any(String),
          goVersion: expect.any(String),
          compiler: expect.any(String),
          platform: expect.stringMatching(/^linux\//),
        });
      });

      if (guide.kubelet.endsWith("kubelet-wrapper"))
        test("the kubelet's port tells which pods it runs", async () => {
          const names = await host.sh("curl -s localhost:10255/pods | jq -r '.items[].metadata.name'");
          const wanted = guide.staticPods.map((name) => `${name}-${node}`);
          expect(names.trim().split("\n").sort()).toEqual(
            [...wanted, ...(guide.idle === "policy-agent.yaml" ? [`calico-policy-agent-${node}`] : [])].sort(),
          );
        });

      test("every component is healthy", async () => {
        for (const port of [8080, 10251, 10252])
          expect(await eventually(() => curl("-f", `http://127.0.0.1:${port}/healthz`))).toBe("ok");
        const wanted = [
          "controller-manager Healthy ok",
          ...members.map((_, i) => `etcd-${i} Healthy {"health":"true"}`),
          "scheduler Healthy ok",
        ];
        const statuses = async (): Promise<string[]> => {
          const lines = (await kubectl("get", "componentstatuses", "--no-headers")).trim().split("\n");
          return lines.map((line) => line.trim().replaceAll(/\s+/g, " ")).sort();
        };
        await vi.waitFor(async () => expect(await statuses()).toEqual(wanted), 20_000);
      });

      test("its pods are in the API, and run", async () => {
        const states = async (): Promise<string[]> => {
          const columns =
            "jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].ready} {.status.hostIP}\n{end}";
          const lines = (await kubectl("get", "pods", "--namespace=kube-system", "-o", columns)).trim().split("\n");
          return lines.filter((line) => !line.startsWith("calico")).sort();
        };
        const wanted = guide.staticPods.map((name) => `${name}-${node} true ${address}`).sort();
        await vi.waitFor(async () => expect(await states()).toEqual(wanted), 40_000);
      });

      test("logs of its pods are read, and commands run in them, by way of the API", async () => {
        const scheduler = ["--namespace=kube-system", `kube-scheduler-${node}`];
        expect(await eventually(() => kubectl("logs", ...scheduler))).toContain("kube-scheduler runs");
        expect(await kubectl("exec", ...scheduler, "--", "/hyperkube", "scheduler", "--version")).toContain("Kubernetes v1.");
      });

      test("pods of users do not come to the master", async () => {
        expect(await eventually(() => kubectl("get", "node", node, "-o", "jsonpath={.spec.unschedulable}"), 30_000)).toBe("true");
        await vi.waitFor(async () => expect(await kubectl("get", "serviceaccount", "default")).toContain("default"), 20_000);
        await kubectl("run", "user", "--image=busybox");
        const reason = "jsonpath={.status.conditions[?(@.type=='PodScheduled')].reason}";
        expect(await eventually(() => kubectl("get", "pod", "user", "-o", reason))).toBe("Unschedulable");
        await kubectl("delete", "pod", "user", "--now");
      });

      if (tls === undefined)
        test("flannel's configuration is kept by etcd's former API", async () => {
          const network = { POD_NETWORK: "10.2.0.0/16", ETCD_SERVER: `http://${address}:2379` };
          await host.sh(
            fillIn(
              'curl -X PUT -d "value={\\"Network\\":\\"$POD_NETWORK\\",\\"Backend\\":{\\"Type\\":\\"vxlan\\"}}" "$ETCD_SERVER/v2/keys/coreos.com/network/config"',
              network,
            ),
          );
          const get = ["etcdctl", "--endpoints", network.ETCD_SERVER, "get", "/coreos.com/network/config"];
          expect(await host.run(get, { env: { ETCDCTL_API: "2" } })).toBe(
            '{"Network":"10.2.0.0/16","Backend":{"Type":"vxlan"}}\n',
          );
        });

      test("Services are reached by their addresses", async () => {
        if (!guide.staticPods.includes("kube-proxy"))
          await host.run(["kubectl", "create", "-f", "-"], { input: JSON.stringify(PROXY_SET) });
        const ca = tls?.caFile ?? "/etc/kubernetes/ssl/ca.pem";
        const ask = ["-o", "/dev/null", "-w", "%{http_code}", "--cacert", ca, `https://${serviceIp}/version`];
        // Some of the servers answer only to those who say who they are.
        expect(await eventually(() => curl(...ask), 30_000)).toMatch(/^(200|401)$/);
      });

      if (["coreos-v1.2", "coreos-v1.4"].includes(folder))
        test("namespaces are made", async () => {
          const answers = await host.sh(`${commandsOf("coreos-v1.2", "root/namespaces.sh")}`);
          // The first is there today before anybody asks for it.
          expect(answers).toContain('"reason": "AlreadyExists"');
          expect(JSON.parse(answers.slice(answers.indexOf("}{") + 1))).toMatchObject({
            kind: "Namespace",
            metadata: { name: "calico-system", uid: expect.stringMatching(/./), resourceVersion: expect.stringMatching(/^\d+$/) },
            spec: { finalizers: ["kubernetes"] },
            status: { phase: "Active" },
          });
        });

      if (folder === "coreos-v1.2")
        test("a third-party resource is made, and served", async () => {
          const text = await host.sh(commandsOf("coreos-v1.2", "root/third-party-resource.sh"));
          expect(JSON.parse(text)).toMatchObject({
            kind: "ThirdPartyResource",
            metadata: { name: "network-policy.net.alpha.kubernetes.io", namespace: "default", uid: expect.stringMatching(/./) },
            versions: [{ name: "v1alpha1" }],
          });
          const path = "/apis/net.alpha.kubernetes.io/v1alpha1";
          const served = await eventually(() => curl("-f", `http://127.0.0.1:8080${path}`));
          expect(JSON.parse(served).resources).toContainEqual(
            expect.objectContaining({ name: "networkpolicies", kind: "NetworkPolicy" }),
          );
        });

      if (folder === "icc-v1.7")
        test("the page that shows the API is there", async () => {
          expect(await curl("-f", "http://127.0.0.1:8080/swagger-ui/")).toContain("<html");
        });

      if (guide.idle !== undefined)
        test("a file that is no pod is told of, and a pod without its image waits", async () => {
          if (guide.idle === "calico.yaml") {
            expect(kubelet.program.output).toContain("calico.yaml");
            expect(await kubectl("create", "-f", "/etc/kubernetes/manifests/calico.yaml")).toContain("calico-node created");
            return;
          }
          const state = "jsonpath={.status.containerStatuses[*].state.waiting.reason}";
          const waiting = (): Promise<string> =>
            kubectl("get", "pod", `calico-policy-agent-${node}`, "-n", "calico-system", "-o", state);
          await vi.waitFor(async () => expect(await waiting()).toMatch(/ErrImagePull|ImagePullBackOff/), 60_000);
        });

      if (folder === "coreos-v1.5")
        test("a manifest that goes away takes its pod with it, and brings it again", async () => {
          const path = "/etc/kubernetes/manifests/kube-scheduler.yaml";
          renameSync(host.path(path), host.path("/etc/kubernetes/kept.yaml"));
          await vi.waitFor(async () => expect([...(await containers()).keys()]).not.toContain("kube-scheduler"), 60_000);
          renameSync(host.path("/etc/kubernetes/kept.yaml"), host.path(path));
          await vi.waitFor(async () => expect([...(await containers()).keys()]).toContain("kube-scheduler"), 60_000);
        });

      if (folder === "coreos-v1.5")
        test("containers go on while the kubelet is away", { timeout: 90_000 }, async () => {
          const before = await containers();
          kubelet.program.kill("SIGKILL");
          await vi.waitFor(() => expect(kubelet.restarts).toBe(1), 20_000);
          await eventually(() => curl("-f", "http://127.0.0.1:10255/healthz"), 30_000);
          const after = await containers();
          for (const name of guide.staticPods) expect(after.get(name)?.id, name).toBe(before.get(name)?.id);
        });

      if (folder === "icc-v1.7")
        test("an API server that dies is started again, and the others go on", { timeout: 60_000 }, async () => {
          const before = await containers();
          await host.sh("kill -KILL $(pgrep -f '[h]yperkube apiserver')");
          await vi.waitFor(async () => {
            const server = (await containers()).get("kube-apiserver");
            expect(server?.metadata.attempt).toBe(1);
          }, 40_000);
          await version();
          const after = await containers();
          for (const name of COMPONENTS.slice(1)) expect(after.get(name)?.id, name).toBe(before.get(name)?.id);
        });

      if (folder === "coreos-v1.2")
        test("a member of etcd that is gone is told of, and the others keep the cluster", async () => {
          await etcd.at(-1)?.stop();
          const statuses = (): Promise<string> => kubectl("get", "componentstatuses", "etcd-3", "--no-headers");
          await vi.waitFor(async () => expect(await statuses()).toMatch(/^etcd-3\s+Unhealthy\s+.*connect/), 20_000);
          await kubectl("create", "configmap", "after", "--from-literal=a=b");
        });

      if (folder === "coreos-v1.2")
        test("a component that hangs is started again", { timeout: 120_000 }, async () => {
          const before = (await containers()).get("kube-scheduler");
          await host.sh("kill -STOP $(pgrep -f '[h]yperkube scheduler')");
          await vi.waitFor(async () => {
            const now = (await containers()).get("kube-scheduler");
            expect(now?.metadata.attempt).toBe((before?.metadata.attempt ?? 0) + 1);
          }, 90_000);
        });

      if (folder === "coreos-v1.4")
        test("after the machine was off, all comes up again", { timeout: 3 * BOOT_MS }, async () => {
          await kubectl("create", "configmap", "kept", "--from-literal=a=b");
          await host.reboot();
          await containerd.launch();
          await startServices();
          await startKubelet();
          await version();
          expect(await kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}")).toBe("b");
          await vi.waitFor(
            async () => expect([...(await containers()).keys()].sort()).toEqual([...guide.staticPods].sort()),
            60_000,
          );
        });
    });
  },
);
