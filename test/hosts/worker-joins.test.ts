import { readdirSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CONTAINERD_REASON, type ContainerdVersion, containerdVersions } from "../support/containerd.ts";
import { ETCD_REASON, hasEtcd } from "../support/etcd.ts";
import { etcdReady, linkPrograms, makeTlsAssets, startEtcd } from "../support/guide-host.ts";
import { BUSYBOX_IMAGE, HostContainerd } from "../support/host-containerd.ts";
import { eventually, hasKubectl } from "../support/kubectl.ts";
import { isBuilt } from "../support/program.ts";
import { type HostProgram, hasTestHosts, PROGRAM_DIR, TEST_HOST_REASON, TestHost, TestNetwork } from "../support/test-host.ts";

const MASTER = "192.168.40.11";
const WORKER = "192.168.40.12";
const SERVER = `https://${MASTER}:6443`;
const SSL = "/etc/kubernetes/ssl";
const TOKEN = "abcdef.0123456789abcdef";
const JOIN_MS = 60_000;
/** Says its name to whoever asks. */
const SERVE = "mkdir /www && hostname >/www/index.html && exec httpd -f -p 8080 -h /www";

const config = (user: string): string => `apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: "${SERVER}", certificate-authority: ${SSL}/ca.pem } }]
users: [{ name: u, user: ${user} }]
contexts: [{ name: c, context: { cluster: c, user: u } }]
current-context: c
`;
const BINDINGS: readonly (readonly [role: string, group: string])[] = [
  ["system:node-bootstrapper", "system:bootstrappers"],
  ["system:certificates.k8s.io:certificatesigningrequests:nodeclient", "system:bootstrappers"],
  ["system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", "system:nodes"],
];
const DEPLOYMENT = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: "web",
            image: BUSYBOX_IMAGE,
            command: ["sh", "-c", SERVE],
            ports: [{ containerPort: 8080 }],
            readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
};
const SERVICE = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web" },
  spec: {
    type: "NodePort",
    clusterIP: "10.32.0.80",
    selector: { app: "web" },
    ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }],
  },
};

describe.skipIf(!hasTestHosts || !hasEtcd || !hasKubectl || !isBuilt || containerdVersions.length === 0)(
  `a worker on a machine of its own (${TEST_HOST_REASON}; ${CONTAINERD_REASON}; ${ETCD_REASON}; kubectl and dist/)`,
  () => {
    let network: TestNetwork;
    let master: TestHost;
    let worker: TestHost;
    let containerd: HostContainerd;
    const programs: Record<string, HostProgram> = {};

    const start = (host: TestHost, name: string, ...args: readonly string[]): void => {
      programs[name] = host.start([`${PROGRAM_DIR}/${name}`, ...args]);
    };
    const kubectl = (...args: readonly string[]): Promise<string> => master.run(["kubectl", ...args]);
    const create = (object: object): Promise<string> =>
      master.run(["kubectl", "create", "-f", "-"], { input: JSON.stringify(object) });
    const node = (path: string): Promise<string> => kubectl("get", "node", "worker-1", "-o", `jsonpath=${path}`);
    const ready = (): Promise<string> => node("{.status.conditions[?(@.type=='Ready')].status}");
    /** Whoever answers at an address, once each. */
    const answers = async (host: TestHost, url: string): Promise<ReadonlySet<string>> => {
      const asked = Array.from({ length: 30 }, () => host.run(["curl", "-sSf", "--max-time", "5", url]));
      return new Set((await Promise.all(asked)).map((text) => text.trim()));
    };
    const podNames = async (): Promise<readonly string[]> =>
      (await kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}")).split(" ").sort();

    const startMaster = async (): Promise<void> => {
      await startEtcd(master, [{ name: "etcd", address: MASTER }]);
      await etcdReady(master, `http://${MASTER}:2379`);
      start(
        master,
        "kube-apiserver",
        ...[`--etcd-servers=http://${MASTER}:2379`, `--advertise-address=${MASTER}`, "--secure-port=6443"],
        ...["--service-cluster-ip-range=10.32.0.0/24", "--authorization-mode=Node,RBAC", "--enable-bootstrap-token-auth"],
        ...["--enable-admission-plugins=NodeRestriction", "--allow-privileged=true", "--insecure-port=8080"],
        ...[`--client-ca-file=${SSL}/ca.pem`, `--tls-cert-file=${SSL}/apiserver.pem`],
        ...[`--tls-private-key-file=${SSL}/apiserver-key.pem`, `--service-account-key-file=${SSL}/ca-key.pem`],
        ...[`--kubelet-certificate-authority=${SSL}/ca.pem`, `--kubelet-client-certificate=${SSL}/kubelet-client.pem`],
        ...[`--kubelet-client-key=${SSL}/kubelet-client-key.pem`, "--kubelet-preferred-address-types=InternalIP"],
      );
      start(
        master,
        "kube-controller-manager",
        ...["--master=http://127.0.0.1:8080", "--allocate-node-cidrs", "--cluster-cidr=10.200.0.0/16"],
        ...[`--cluster-signing-cert-file=${SSL}/ca.pem`, `--cluster-signing-key-file=${SSL}/ca-key.pem`],
        ...[`--service-account-private-key-file=${SSL}/ca-key.pem`, `--root-ca-file=${SSL}/ca.pem`],
      );
      start(master, "kube-scheduler", "--master=http://127.0.0.1:8080");
      await eventually(() => kubectl("get", "--raw", "/readyz"), 30_000, "the API server");
      for (const [i, [role, group]] of BINDINGS.entries())
        await kubectl("create", "clusterrolebinding", `nodes-${i}`, `--clusterrole=${role}`, `--group=${group}`);
      await kubectl(
        ...["create", "clusterrolebinding", "kubelet-client", "--clusterrole=system:kubelet-api-admin", "--user=kubelet-client"],
      );
      const [id, secret] = TOKEN.split(".");
      await create({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
        type: "bootstrap.kubernetes.io/token",
        stringData: { "token-id": id, "token-secret": secret, "usage-bootstrap-authentication": "true" },
      });
    };
    const startWorker = async (): Promise<void> => {
      start(
        worker,
        "kubelet",
        ...["--bootstrap-kubeconfig=/etc/kubernetes/bootstrap.kubeconfig", "--kubeconfig=/var/lib/kubelet/kubeconfig"],
        ...["--rotate-certificates", "--rotate-server-certificates", `--client-ca-file=${SSL}/ca.pem`],
        ...["--authentication-token-webhook", "--authorization-mode=Webhook", "--anonymous-auth=false"],
        ...["--network-plugin=kubenet", "--cluster-dns=10.32.0.10", "--cluster-domain=cluster.local"],
      );
      start(worker, "kube-proxy", "--kubeconfig=/etc/kubernetes/proxy.kubeconfig", "--cluster-cidr=10.200.0.0/16");
    };
    /** Resolves when the node is ready, by a client certificate that it asked for, with a server's that an administrator approved. */
    const joined = async (): Promise<void> => {
      const end = performance.now() + JOIN_MS;
      await eventually(async () => (await ready()) === "True", JOIN_MS, "the node is ready").catch((error: unknown) => {
        throw new Error(`${error}\n${programs.kubelet?.output}`);
      });
      await eventually(
        async () => {
          const waiting = "{range .items[?(@.spec.signerName=='kubernetes.io/kubelet-serving')]}{.metadata.name}{'\\n'}{end}";
          const names = (await kubectl("get", "csr", "-o", `jsonpath=${waiting}`)).split("\n").filter(Boolean);
          for (const name of names) await kubectl("certificate", "approve", name);
          return (await worker.tryRun(["test", "-e", "/var/lib/kubelet/pki/kubelet-server-current.pem"])).code === 0;
        },
        end - performance.now(),
        "a certificate for the kubelet's server",
      );
    };

    beforeAll(async () => {
      network = await TestNetwork.start("192.168.40.1/24");
      master = await TestHost.start(network, "master-1", MASTER);
      worker = await TestHost.start(network, "worker-1", WORKER);
      const names = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];
      for (const host of [master, worker]) linkPrograms(host, ...names.map((name) => `${PROGRAM_DIR}/${name}`));
      await makeTlsAssets(master, {
        K8S_SERVICE_IP: "10.32.0.1",
        MASTER_HOST: MASTER,
        WORKER_FQDN: "worker-1",
        WORKER_IP: WORKER,
      });
      await master.sh(`cp -r ~/k8s_tls_assets ${SSL} && cd ${SSL}
        for name in kubelet-client system:kube-proxy; do
          openssl genrsa -out "$name-key.pem" 2048
          openssl req -new -key "$name-key.pem" -out pair.csr -subj "/CN=$name"
          openssl x509 -req -in pair.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 100 -out "$name.pem"
        done`);
      for (const name of ["ca.pem", "system:kube-proxy.pem", "system:kube-proxy-key.pem"])
        worker.write(`${SSL}/${name}`, master.read(`${SSL}/${name}`));
      worker.write("/etc/kubernetes/bootstrap.kubeconfig", config(`{ token: ${TOKEN} }`));
      const pair = `{ client-certificate: "${SSL}/system:kube-proxy.pem", client-key: "${SSL}/system:kube-proxy-key.pem" }`;
      worker.write("/etc/kubernetes/proxy.kubeconfig", config(pair));
      containerd = await HostContainerd.start(worker, containerdVersions.at(-1) as ContainerdVersion);
      await startMaster();
    }, 120_000);
    afterAll(async () => {
      await worker?.[Symbol.asyncDispose]();
      await master?.[Symbol.asyncDispose]();
      await network?.[Symbol.asyncDispose]();
    });

    test("joins by a bootstrap token, and gets certificates and addresses for its pods", { timeout: 2 * JOIN_MS }, async () => {
      await startWorker();
      await joined();
      expect(await node("{.status.addresses[?(@.type=='InternalIP')].address}")).toBe(WORKER);
      expect(await node("{.spec.podCIDR}")).toBe("10.200.0.0/24");
      expect(readdirSync(worker.path("/var/lib/kubelet/pki")).join(" ")).toContain("kubelet-client-current.pem");
      expect(worker.read("/var/lib/kubelet/kubeconfig")).not.toContain(TOKEN);
    });

    test("runs a Deployment's pods, which a Service leads to", { timeout: 90_000 }, async () => {
      await create(DEPLOYMENT);
      await create(SERVICE);
      await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
      const names = new Set(await podNames());
      expect(names.size).toBe(3);
      await vi.waitFor(async () => expect(await answers(worker, "http://10.32.0.80/")).toEqual(names), 30_000);
      await vi.waitFor(async () => expect(await answers(master, `http://${WORKER}:30080/`)).toEqual(names), 30_000);
    });

    test("its pods are reached by kubectl", async () => {
      const [name = ""] = await podNames();
      expect(await kubectl("exec", name, "--", "hostname")).toBe(`${name}\n`);
      expect(await kubectl("exec", name, "--", "cat", "/etc/resolv.conf")).toContain("nameserver 10.32.0.10");
      await kubectl("exec", name, "--", "sh", "-c", "echo told >/proc/1/fd/1");
      await vi.waitFor(async () => expect(await kubectl("logs", name)).toContain("told"));
    });

    test("is drained, and takes pods again", { timeout: 120_000 }, async () => {
      await kubectl("drain", "worker-1", "--ignore-daemonsets", "--timeout=60s");
      expect(await kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.phase}")).toBe(
        "Pending Pending Pending",
      );
      const { channel, runtime } = containerd.connect();
      await vi.waitFor(async () => expect(await runtime.listPodSandbox()).toEqual([]), 30_000);
      channel.close();
      await kubectl("uncordon", "worker-1");
      await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
      await vi.waitFor(
        async () => expect(await answers(worker, "http://10.32.0.80/")).toEqual(new Set(await podNames())),
        30_000,
      );
    });

    test("comes back after it was off, with its pods", { timeout: 180_000 }, async () => {
      const before = await podNames();
      await worker.reboot();
      await eventually(async () => (await ready()) !== "True", 90_000, "the node is missed");
      await containerd.launch();
      await startWorker();
      await joined();
      await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
      expect(await podNames()).toEqual(before);
      const restarts = await kubectl(
        "get",
        "pods",
        "-l",
        "app=web",
        "-o",
        "jsonpath={.items[*].status.containerStatuses[0].restartCount}",
      );
      expect(restarts).toBe("1 1 1");
      await vi.waitFor(async () => expect(await answers(worker, "http://10.32.0.80/")).toEqual(new Set(before)), 30_000);
    });

    test("joins anew after it was taken out and had forgotten everything", { timeout: 180_000 }, async () => {
      await programs.kubelet?.stop();
      await kubectl(
        "drain",
        "worker-1",
        "--ignore-daemonsets",
        "--force",
        "--disable-eviction",
        "--grace-period=0",
        "--timeout=30s",
      ).catch(() => undefined);
      await kubectl("delete", "node", "worker-1");
      for (const name of ["kubeconfig", "pki"]) rmSync(worker.path(`/var/lib/kubelet/${name}`), { recursive: true });
      await startWorker();
      await joined();
      await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
      await vi.waitFor(
        async () => expect(await answers(worker, "http://10.32.0.80/")).toEqual(new Set(await podNames())),
        30_000,
      );
    });
  },
);
