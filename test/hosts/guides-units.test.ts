import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ETCD_REASON, hasEtcd } from "../support/etcd.ts";
import {
  type EtcdTlsFiles,
  etcdReady,
  HostService,
  linkPrograms,
  makeTlsAssets,
  provideSudo,
  startEtcd,
} from "../support/guide-host.ts";
import { eventually, hasKubectl } from "../support/kubectl.ts";
import { isBuilt } from "../support/program.ts";
import { hasTestHosts, TEST_HOST_REASON, TestHost, TestNetwork } from "../support/test-host.ts";

const MASTER_IP = "10.64.3.7";
const MEMBERS = [7, 8, 9].map((last) => ({ name: `etcd-host${last}`, address: `10.64.3.${last}` }));
const TLS: EtcdTlsFiles = {
  caFile: "/etc/kubernetes/ssl/ca.pem",
  certFile: "/etc/kubernetes/ssl/kubernetes.pem",
  keyFile: "/etc/kubernetes/ssl/kubernetes-key.pem",
};
const VARIABLES = {
  MASTER_IP,
  SERVICE_CIDR: "10.254.0.0/16",
  CLUSTER_CIDR: "172.30.0.0/16",
  NODE_PORT_RANGE: "8400-9000",
  ETCD_ENDPOINTS: MEMBERS.map(({ address }) => `https://${address}:2379`).join(","),
};
/** Prints what is sent to systemd's socket. */
const NOTIFIED = `
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/notify")
while True: print(s.recv(4096).decode(), flush=True)
`;

describe.skipIf(!hasTestHosts || !hasEtcd || !hasKubectl || !isBuilt)(
  `a guide's units start a master of separate programs (${TEST_HOST_REASON}; ${ETCD_REASON}; kubectl and dist/)`,
  () => {
    let network: TestNetwork;
    let host: TestHost;
    const services: Record<string, HostService> = {};
    const kubectl = (...args: readonly string[]): Promise<string> =>
      host.run(["kubectl", "-s", `http://${MASTER_IP}:8080`, ...args]);

    beforeAll(async () => {
      network = await TestNetwork.start("10.64.3.1/24");
      host = await TestHost.start(network, "master", ...MEMBERS.map(({ address }) => address));
      provideSudo(host);
      for (const unit of ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]) {
        const file = new URL(`../support/guides/systemd/${unit}.service`, import.meta.url);
        const text = readFileSync(file, "utf8");
        host.write(`/etc/systemd/system/${unit}.service`, text);
        // The program is where the guide's unit looks for it.
        linkPrograms(host, /^ExecStart=(\S+)/m.exec(text)?.[1] ?? unit);
      }
      await makeTlsAssets(host, {
        K8S_SERVICE_IP: "10.254.0.1",
        MASTER_HOST: MASTER_IP,
        WORKER_FQDN: "w",
        WORKER_IP: "10.64.3.8",
      });
      // The guide's own key pair is for the API server and for etcd's clients and members.
      const addresses = ["127.0.0.1", ...MEMBERS.map(({ address }) => address), "10.254.0.1"].map((ip) => `IP:${ip}`);
      await host.sh(`cd ~/k8s_tls_assets
        openssl genrsa -out kubernetes-key.pem 2048
        openssl req -new -key kubernetes-key.pem -out kubernetes.csr -subj /CN=kubernetes
        echo subjectAltName=${addresses.join(",")},DNS:kubernetes,DNS:kubernetes.default >san
        openssl x509 -req -in kubernetes.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 100 -extfile san -out kubernetes.pem
        echo '41f7e4ba8b7be874fcff18bf5cf41a7c,kubelet-bootstrap,10001,"system:kubelet-bootstrap"' >token.csv
        sudo mkdir -p /etc/kubernetes/ssl
        sudo cp token.csv /etc/kubernetes/
        sudo cp ca.pem ca-key.pem kubernetes-key.pem kubernetes.pem /etc/kubernetes/ssl`);
      await startEtcd(host, MEMBERS, { tls: TLS });
      await etcdReady(host, VARIABLES.ETCD_ENDPOINTS, TLS);
    }, 120_000);
    afterAll(async () => {
      await host?.[Symbol.asyncDispose]();
      await network?.[Symbol.asyncDispose]();
    });

    test("the API server tells systemd that it is ready, at once when it is", async () => {
      const socket = host.start(["/usr/bin/python3", "-c", NOTIFIED]);
      await eventually(() => host.run(["test", "-S", "/run/notify"]).then(() => true));
      const service = new HostService(host, "kube-apiserver", { variables: VARIABLES, env: { NOTIFY_SOCKET: "/run/notify" } });
      services.apiserver = service;
      await service.start();
      await eventually(() => socket.output.includes("READY=1"), 20_000, `readiness: ${service.program.output}`);
      expect(await host.run(["curl", "-s", `http://${MASTER_IP}:8080/healthz`])).toBe("ok");
      await socket.stop();
    });

    test("controllers and scheduler come to it", async () => {
      for (const name of ["kube-controller-manager", "kube-scheduler"]) {
        services[name] = new HostService(host, name, { variables: VARIABLES });
        await services[name].start();
      }
      for (const port of [10251, 10252])
        expect(await eventually(() => host.run(["curl", "-sf", `http://127.0.0.1:${port}/healthz`]))).toBe("ok");
    });

    const statuses = async (): Promise<string[]> => {
      const lines = (await kubectl("get", "componentstatuses", "--no-headers")).trim().split("\n");
      return lines.map((line) => line.trim().replaceAll(/\s+/g, " ")).sort();
    };
    const HEALTHY = [
      "controller-manager Healthy ok",
      'etcd-0 Healthy {"health":"true"}',
      'etcd-1 Healthy {"health":"true"}',
      'etcd-2 Healthy {"health":"true"}',
      "scheduler Healthy ok",
    ];
    test("everything is healthy", async () => {
      await vi.waitFor(async () => expect(await statuses()).toEqual(HEALTHY), 30_000);
    });

    test("the flags do what they say", async () => {
      expect(await host.run(["curl", "-sf", `http://${MASTER_IP}:8080/swagger-ui/`])).toContain("<html");
      expect(await kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")).toBe("10.254.0.1");
      expect(await kubectl("get", "endpoints", "kubernetes", "-o", "jsonpath={.subsets[0].addresses[0].ip}")).toBe(MASTER_IP);
      const port = await kubectl(..."create service nodeport web --tcp=80 -o jsonpath={.spec.ports[0].nodePort}".split(" "));
      expect(Number(port)).toBeGreaterThanOrEqual(8400);
      expect(Number(port)).toBeLessThanOrEqual(9000);
      expect(await kubectl("api-versions")).toContain("rbac.authorization.k8s.io/v1alpha1");
      const secure = `https://${MASTER_IP}:6443/api/v1/nodes`;
      const asked = await host.run([
        "curl",
        "-s",
        "--cacert",
        TLS.caFile,
        "-H",
        "Authorization: Bearer 41f7e4ba8b7be874fcff18bf5cf41a7c",
        secure,
      ]);
      expect(asked).toContain('User \\"kubelet-bootstrap\\" cannot list resource \\"nodes\\"');
      expect(host.read("/var/lib/audit.log")).toContain("kubelet-bootstrap");
      const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n1" } };
      await host.run(["kubectl", "-s", `http://${MASTER_IP}:8080`, "create", "-f", "-"], { input: JSON.stringify(node) });
      expect(await eventually(() => kubectl("get", "node", "n1", "-o", "jsonpath={.spec.podCIDR}"))).toBe("172.30.0.0/24");
      expect(await eventually(() => kubectl("get", "configmap", "kube-root-ca.crt", "-o", "jsonpath={.data.ca\\.crt}"))).toBe(
        host.read(TLS.caFile),
      );
    });

    test("what dies is started again, and goes on", { timeout: 60_000 }, async () => {
      for (const service of Object.values(services)) service.program.kill("SIGKILL");
      await vi.waitFor(async () => expect(await statuses()).toEqual(HEALTHY), 40_000);
      expect(Object.values(services).map(({ restarts }) => restarts)).toEqual([1, 1, 1]);
      for (const service of Object.values(services)) expect(await service.stop()).toBe(0);
    });
  },
);
