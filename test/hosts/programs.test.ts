import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Deployment } from "#api/generated/apps/v1.ts";
import type { Lease } from "#api/generated/coordination/v1.ts";
import type { ConfigMap, Endpoints, Event, Node, Pod, ServiceAccount } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { createRestClient } from "#client/rest-client.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { renderKubeconfig } from "#pki/kubeconfig.ts";
import { ETCD_REASON, Etcd, hasEtcd } from "../support/etcd.ts";
import { eventually } from "../support/kubectl.ts";
import { freePorts } from "../support/ports.ts";
import { isBuilt, Program, programPath } from "../support/program.ts";
import { execStart } from "../support/units.ts";

const core = (resource: string): ResourceId => ({ group: "", version: "v1", resource });
const deployments: ResourceId = { group: "apps", version: "v1", resource: "deployments" };
const leases: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };

/** Short, so that a test need not wait for a dead leader for long. */
const QUICK_ELECTION = [
  "--leader-elect-lease-duration=3s",
  "--leader-elect-renew-deadline=2s",
  "--leader-elect-retry-period=500ms",
];
const LEASE_DURATION_MS = 3_000;

function pod(name: string): object {
  const spec = { containers: [{ name: "c", image: "i", securityContext: { privileged: true } }] };
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec };
}

describe.skipIf(!hasEtcd || !isBuilt)(`separate programs on one etcd (${ETCD_REASON}, and dist/)`, () => {
  let dir: string;
  let etcd: Etcd;
  let ca: CertificatePair;
  const running: AsyncDisposable[] = [];
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "kybern-programs-"));
    etcd = await Etcd.start();
    ca = createAuthority("kubernetes", realClock.now());
    writeFileSync(path("ca.pem"), ca.cert);
    writeFileSync(path("ca-key.pem"), ca.key);
    execFileSync("openssl", ["genrsa", "-out", path("sa.key"), "2048"], { stdio: "ignore" });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((program) => program[Symbol.asyncDispose]()));
    await etcd[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  const path = (name: string): string => join(dir, name);
  const run = (args: readonly string[], options: ConstructorParameters<typeof Program>[1] = {}): Program => {
    const program = new Program(args, options);
    running.push(program);
    return program;
  };
  const identity = (commonName: string, ...organizations: string[]): CertificatePair =>
    issueCertificate(ca, { commonName, organizations, usages: ["client"] }, realClock.now());
  const clientOf = (port: number): Client =>
    createRestClient({
      server: `https://127.0.0.1:${port}`,
      ca: ca.cert,
      ...identity("admin", "system:masters"),
      userAgent: "test",
      clock: realClock,
    });
  const kubeconfig = (port: number, user: string): string => {
    const file = path(`${user.replaceAll(":", "-")}-${port}.kubeconfig`);
    const server = `https://127.0.0.1:${port}`;
    writeFileSync(file, renderKubeconfig({ server, user, ca: ca.cert, ...identity(user) }));
    return file;
  };
  const apiServer = async (port: number, ...flags: string[]): Promise<Program> => {
    const serving = issueCertificate(ca, { commonName: "apiserver", usages: ["server"], hosts: ["127.0.0.1"] }, realClock.now());
    writeFileSync(path("apiserver.pem"), serving.cert);
    writeFileSync(path("apiserver-key.pem"), serving.key);
    const program = run([
      "kube-apiserver",
      `--etcd-servers=${etcd.urls.join(",")}`,
      `--cert-dir=${path("run")}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      `--tls-cert-file=${path("apiserver.pem")}`,
      `--tls-private-key-file=${path("apiserver-key.pem")}`,
      `--client-ca-file=${path("ca.pem")}`,
      `--service-account-key-file=${path("sa.key")}`,
      "--authorization-mode=Node,RBAC",
      ...flags,
    ]);
    await eventually(() => program.stderr.includes("the API server is ready"), 20_000, `an API server: ${program.stderr}`);
    return program;
  };
  const component = (name: string, port: number, securePort: number, ...flags: string[]): Program => {
    const file = kubeconfig(port, `system:${name}`);
    return run([
      name,
      `--kubeconfig=${file}`,
      `--authentication-kubeconfig=${file}`,
      `--authorization-kubeconfig=${file}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${securePort}`,
      ...flags,
    ]);
  };
  const holder = async (client: Client, name: string): Promise<string> =>
    client.get<Lease>(leases, "kube-system", name).then(
      ({ spec }) => spec?.holderIdentity ?? "",
      () => "",
    );

  test("the three bring a cluster up, each controller by an account of its own", { timeout: 120_000 }, async () => {
    const [port = 0, managerPort = 0, schedulerPort = 0] = await freePorts(3);
    await apiServer(port, "--event-ttl=30m", "--enable-bootstrap-token-auth", `--audit-log-path=${path("audit.log")}`);
    const manager = component(
      "kube-controller-manager",
      port,
      managerPort,
      "--use-service-account-credentials",
      `--service-account-private-key-file=${path("sa.key")}`,
      `--root-ca-file=${path("ca.pem")}`,
      `--cluster-signing-cert-file=${path("ca.pem")}`,
      `--cluster-signing-key-file=${path("ca-key.pem")}`,
      "--allocate-node-cidrs",
      "--cluster-cidr=10.200.0.0/16",
      "--concurrent-deployment-syncs=2",
    );
    const scheduler = component("kube-scheduler", port, schedulerPort);
    const client = clientOf(port);
    await client.create<Node>(core("nodes"), "", {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "n1" },
      status: {
        allocatable: { cpu: "4", memory: "8Gi", pods: "110" },
        conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: new Date().toISOString() }],
      },
    } as unknown as Node);
    const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    await client.create<Deployment>(deployments, "default", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: { replicas: 2, selector: { matchLabels: { app: "web" } }, template },
    } as unknown as Deployment);
    const ready = async (): Promise<number> => {
      for (const { metadata, spec, status } of (await client.list<Pod>(core("pods"), "default")).items) {
        if (spec?.nodeName === undefined || status?.phase === "Running") continue;
        const running = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
        const options = { subresource: "status" };
        await client.patch(
          core("pods"),
          "default",
          metadata.name ?? "",
          "application/merge-patch+json",
          { status: running },
          options,
        );
      }
      return (await client.get<Deployment>(deployments, "default", "web")).status?.readyReplicas ?? 0;
    };
    await expect
      .poll(ready, { timeout: 60_000, interval: 200 })
      .toBe(2)
      .catch((error: unknown) => {
        throw new Error(`${error}\n${manager.stderr}\n${scheduler.stderr}`);
      });
    const accounts = (await client.list<ServiceAccount>(core("serviceaccounts"), "kube-system")).items;
    expect(accounts.map(({ metadata }) => metadata.name)).toEqual(
      expect.arrayContaining(["deployment-controller", "replicaset-controller"]),
    );
    expect(readFileSync(path("audit.log"), "utf8")).toContain("system:serviceaccount:kube-system:replicaset-controller");
    await expect
      .poll(async () => (await client.get<Node>(core("nodes"), "", "n1")).spec?.podCIDR, { timeout: 20_000 })
      .toBe("10.200.0.0/24");
    const roots = await client.get<ConfigMap>(core("configmaps"), "default", "kube-root-ca.crt");
    expect(roots.data?.["ca.crt"]).toBe(ca.cert);
    expect((await client.list<Event>(core("events"), "default")).items.length).toBeGreaterThan(0);
    await expect(client.create(core("pods"), "default", pod("p") as never)).rejects.toThrow("disallowed by cluster policy");

    const admin = identity("admin", "system:masters");
    for (const [at, name] of [
      [managerPort, "kubecontrollermanager.config.k8s.io"],
      [schedulerPort, "kubescheduler.config.k8s.io"],
    ] as const) {
      expect(await ask(at, "/healthz")).toEqual([200, "ok"]);
      expect((await ask(at, "/metrics"))[0]).toBe(403);
      expect((await ask(at, "/configz"))[1]).toContain('forbidden: User \\"system:anonymous\\" cannot get path');
      expect((await ask(at, "/metrics", admin))[1]).toContain("leader_election_master_status");
      expect((await ask(at, "/metrics/slis", admin))[1]).toContain('kubernetes_healthcheck{name="running",type="healthz"} 1');
      expect(JSON.parse((await ask(at, "/configz", admin))[1])).toHaveProperty([name]);
      expect((await ask(at, "/debug/pprof/heap", admin))[0]).toBe(200);
      expect((await ask(at, "/debug/pprof/heap"))[0]).toBe(403);
      expect((await ask(at, "/nothing", admin))[0]).toBe(404);
    }
    for (const path of ["/livez", "/readyz", "/metrics", "/debug/pprof/"])
      expect([path, (await ask(port, path, admin))[0]]).toEqual([path, 200]);
  });

  test("leadership passes at once from who stops, and within the lease's duration from who dies", {
    timeout: 60_000,
  }, async () => {
    const [port = 0] = await freePorts(1);
    await apiServer(port);
    const client = clientOf(port);
    for (const name of ["kube-controller-manager", "kube-scheduler"]) {
      const start = (): Program => component(name, port, 0, ...QUICK_ELECTION);
      const leads = (program: Program): Promise<unknown> =>
        eventually(() => program.stderr.includes("this program leads"), 20_000, `${name} leads: ${program.stderr}`);
      const first = start();
      await leads(first);
      const second = start();
      await eventually(() => second.stderr.includes("another leads"), 20_000, `${name} stands by: ${second.stderr}`);
      const before = await holder(client, name);
      let since = performance.now();
      first.kill("SIGTERM");
      await leads(second);
      expect(performance.now() - since).toBeLessThan(2_000);
      expect(await first.exited).toBe(0);
      expect(await holder(client, name)).not.toBe(before);
      const third = start();
      await eventually(() => third.stderr.includes("another leads"), 20_000, `${name} stands by: ${third.stderr}`);
      since = performance.now();
      second.kill("SIGKILL");
      await leads(third);
      // What the standby saw last was renewed at most one retry period before; it looks again every half second.
      expect(performance.now() - since).toBeLessThan(LEASE_DURATION_MS + 1_500);
      third.kill("SIGTERM");
      expect(await third.exited).toBe(0);
      expect(await holder(client, name)).toBe("");
    }
  });

  test("default/kubernetes names every server that lives", { timeout: 90_000 }, async () => {
    const [a = 0, b = 0, c = 0] = await freePorts(3);
    const first = await apiServer(a, "--advertise-address=192.0.2.11");
    const second = await apiServer(b, "--advertise-address=192.0.2.12");
    await apiServer(c, "--advertise-address=192.0.2.13");
    const client = clientOf(c);
    const addresses = async (): Promise<string[]> => {
      const { subsets } = await client.get<Endpoints>(core("endpoints"), "default", "kubernetes");
      return (subsets ?? []).flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
    };
    await expect.poll(addresses, { timeout: 15_000 }).toEqual(["192.0.2.11", "192.0.2.12", "192.0.2.13"]);
    first.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    expect(await addresses()).toEqual(["192.0.2.12", "192.0.2.13"]);
    const own = await client.list<Lease>(leases, "kube-system", {
      labelSelector: "apiserver.kubernetes.io/identity=kube-apiserver",
    });
    expect(own.items.map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^apiserver-[a-z2-7]{26}$/)]);
    second.kill("SIGKILL");
    await expect.poll(addresses, { timeout: 40_000, interval: 500 }).toEqual(["192.0.2.13"]);
  });

  test("a server that is told to stop is unready first, lets what it has begun end, and sends its clients elsewhere", {
    timeout: 60_000,
  }, async () => {
    const [port = 0, other = 0] = await freePorts(2);
    const stopping = await apiServer(port, "--advertise-address=192.0.2.11", "--shutdown-delay-duration=2s");
    await apiServer(other, "--advertise-address=192.0.2.12");
    const survivor = clientOf(other);
    const addresses = async (): Promise<string[]> => {
      const { subsets } = await survivor.get<Endpoints>(core("endpoints"), "default", "kubernetes");
      return (subsets ?? []).flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
    };
    await expect.poll(addresses, { timeout: 15_000 }).toEqual(["192.0.2.11", "192.0.2.12"]);
    const client = { ca: ca.cert, ...identity("admin", "system:masters") };
    const session = connectHttp2(`https://127.0.0.1:${port}`, client);
    const goaway = new Promise<number>((resolve) => session.once("goaway", resolve));
    const open = (path: string): Promise<StreamEnd> => endOf(session.request({ ":path": path }));
    const watched = open("/api/v1/configmaps?watch=true&allowWatchBookmarks=true");
    const status = async (path: string): Promise<number> => (await ask(port, path, client))[0];
    expect(await status("/readyz")).toBe(200);

    stopping.kill("SIGTERM");
    await expect.poll(() => status("/readyz"), { interval: 20 }).toBe(500);
    expect([await status("/livez"), await status("/api/v1/namespaces/default")]).toEqual([200, 200]);
    // Out of default/kubernetes while it still answers.
    await expect.poll(addresses).toEqual(["192.0.2.12"]);
    await clientOf(port).create(core("configmaps"), "default", { metadata: { name: "late" } } as never);
    expect((await open("/api/v1/namespaces/default")).status).toBe(200);

    expect(await goaway).toBe(0);
    const end = await watched;
    expect({ ...end, text: "" }).toEqual({ status: 200, reset: 0, text: "" });
    expect(end.text).toContain('"name":"late"');
    session.close();
    expect(await stopping.exited).toBe(0);
    expect((await survivor.get(core("configmaps"), "default", "late")).metadata.name).toBe("late");
  });

  test("a guide's units start a master, by the programs' own names", { timeout: 60_000 }, async () => {
    const [insecure = 0, secure = 0, managerPort = 0, schedulerPort = 0] = await freePorts(4);
    mkdirSync(path("ssl"));
    const openssl = (...args: string[]): unknown => execFileSync("openssl", args, { stdio: "ignore", cwd: path("ssl") });
    openssl("genrsa", "-out", "ca-key.pem", "2048");
    openssl("req", "-x509", "-new", "-nodes", "-key", "ca-key.pem", "-days", "100", "-out", "ca.pem", "-subj", "/CN=kube-ca");
    openssl("genrsa", "-out", "kubernetes-key.pem", "2048");
    openssl("req", "-new", "-key", "kubernetes-key.pem", "-out", "k.csr", "-subj", "/CN=kubernetes");
    writeFileSync(path("ssl/san"), "subjectAltName=IP:127.0.0.1,DNS:kubernetes");
    const signing = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "100", "-extfile", "san"];
    openssl("x509", "-req", "-in", "k.csr", ...signing, "-out", "kubernetes.pem");
    writeFileSync(path("token.csv"), '0123456789abcdef,kubelet-bootstrap,10001,"system:kubelet-bootstrap"\n');
    writeFileSync(path("systemd-notify"), `#!/bin/sh\necho "$@" >> ${path("notified")}\n`);
    chmodSync(path("systemd-notify"), 0o755);
    const variables = {
      MASTER_IP: "127.0.0.1",
      SERVICE_CIDR: "10.254.0.0/16",
      CLUSTER_CIDR: "172.30.0.0/16",
      NODE_PORT_RANGE: "8400-9000",
      ETCD_ENDPOINTS: etcd.urls.join(","),
    };
    const start = (unit: string, ...more: string[]): Program => {
      const { program, args } = execStart(unit, variables);
      const file = path(program.split("/").at(-1) ?? "");
      if (!existsSync(file)) symlinkSync(programPath, file);
      // Files lie in the test's own folder, and ports are its own.
      const own = args.map((arg) =>
        arg.replace("/etc/kubernetes", dir).replace("/var/lib", dir).replace(":8080", `:${insecure}`),
      );
      const env = { ...process.env, PATH: `${dir}:${process.env.PATH}`, NOTIFY_SOCKET: path("notify") };
      return run([...own, ...more], { file, env });
    };
    // Endpoints take no loopback address, and the machine may have no other.
    const server = start(
      "kube-apiserver",
      "--advertise-address=192.0.2.10",
      `--insecure-port=${insecure}`,
      `--secure-port=${secure}`,
    );
    await eventually(() => existsSync(path("notified")), 20_000, `readiness: ${server.stderr}`);
    expect(readFileSync(path("notified"), "utf8")).toMatch(/^--ready --pid=\d+\n$/);
    expect(server.stderr).toContain("whoever reaches this address may do everything");
    start("kube-controller-manager", `--port=${managerPort}`, "--secure-port=0");
    start("kube-scheduler", `--port=${schedulerPort}`, "--secure-port=0");
    const open = `http://127.0.0.1:${insecure}`;
    const ok = async (url: string): Promise<string> => fetch(url).then((answer) => answer.text(), String);
    for (const port of [insecure, managerPort, schedulerPort]) {
      await expect.poll(() => ok(`http://127.0.0.1:${port}/healthz`), { timeout: 20_000 }).toBe("ok");
    }
    const body = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "calico-system" } });
    const headers = { "content-type": "application/json" };
    const created = await fetch(`${open}/api/v1/namespaces`, { method: "POST", headers, body });
    expect([created.status, await created.json()]).toMatchObject([201, { status: { phase: "Active" } }]);
    const serviceAccount = `${open}/api/v1/namespaces/calico-system/serviceaccounts/default`;
    await expect.poll(async () => (await fetch(serviceAccount)).status, { timeout: 20_000 }).toBe(200);
    const statuses = (await (await fetch(`${open}/api/v1/componentstatuses/etcd-0`)).json()) as { conditions: object[] };
    expect(statuses.conditions).toMatchObject([
      { type: "Healthy", status: "True", message: expect.stringContaining('"health":"true"') },
    ]);
    // By the token file, and by a user who may do nothing.
    expect(await ask(secure, "/api/v1/namespaces", undefined, "0123456789abcdef")).toEqual([
      403,
      expect.stringContaining("kubelet-bootstrap"),
    ]);
    expect(readFileSync(path("audit.log"), "utf8")).toContain('"level":"Metadata"');
  });

  test("hyperkube opens what guides of former years expect, and says so", { timeout: 30_000 }, async () => {
    symlinkSync(programPath, path("hyperkube"));
    const [secure = 0, insecure = 0] = await freePorts(2);
    const etcdServers = `--etcd-servers=${etcd.urls.join(",")}`;
    const named = run(
      ["apiserver", etcdServers, `--secure-port=${secure}`, `--insecure-port=${insecure}`, `--cert-dir=${path("run")}`],
      { file: path("hyperkube") },
    );
    await eventually(() => named.stderr.includes("the API server is ready"), 20_000, `hyperkube apiserver: ${named.stderr}`);
    expect(await (await fetch(`http://127.0.0.1:${insecure}/version`)).json()).toMatchObject({ major: "1" });
    expect(named.stderr).toContain("it has no authentication and no authorization");
    expect(existsSync(path("run/apiserver.pem"))).toBe(true);
  });

  test.each([
    [["kube-apiserver"], 2, "--etcd-servers says where etcd is"],
    [["kube-apiserver", "--etcd-server=http://127.0.0.1:1"], 2, "did you mean --etcd-servers?"],
    [["kube-apiserver", "--etcd-servers=http://127.0.0.1:1", "--cert-dir="], 1, "does not answer"],
    [
      ["kube-apiserver", "--etcd-servers=http://127.0.0.1:1", "--endpoint-reconciler-type=x"],
      2,
      "takes one of lease, master-count, none",
    ],
    [["kube-controller-manager"], 2, "--kubeconfig or --master must say where the API server is"],
    [
      ["kube-controller-manager", "--master=http://127.0.0.1:1", "--controllers=depluyment"],
      2,
      'there is no controller "depluyment"',
    ],
    [["kube-controller-manager", "--master=http://127.0.0.1:1", "--allocate-node-cidrs"], 2, "needs --cluster-cidr"],
    [["kube-scheduler", "--kubeconfig=/nowhere"], 1, "there is no file /nowhere"],
    [["kube-scheduler", "--feature-gates=X"], 2, "takes pairs such as Name=true"],
    [["kubelet", "--no-such-flag"], 2, "unknown flag: --no-such-flag"],
    [["kubelet", "--max-pod=3"], 2, "did you mean --max-pods?"],
    [["kubelet", "--max-pods=-1"], 1, "maxPods (--max-pods) -1 must not be a negative number"],
    [["kubelet", "--config=/nowhere"], 1, "there is no file /nowhere"],
    [["kubelet", "--container-runtime-endpoint=tcp://x"], 1, "only Unix sockets can"],
    [["proxy"], 2, "--kubeconfig or --master must say where the API server is"],
    [["kube-proxy", "--proxy-mod=iptables"], 2, "did you mean --proxy-mode?"],
    [["kube-proxy", "--proxy-mode=ipvs"], 1, "must be iptables,nftables or blank"],
    [["kube-proxy", "--config=/nowhere"], 1, "there is no file /nowhere"],
  ])("%j ends with %i and says why", async (args, code, why) => {
    const program = run(args);
    expect([await program.exited, program.stderr]).toEqual([code, expect.stringContaining(why)]);
  });
});

/** How an answer over HTTP/2 came to its end. */
interface StreamEnd {
  readonly status: number;
  /** The code of the frame that broke it off; 0 for a clean end. */
  readonly reset: number;
  readonly text: string;
}

function endOf(stream: ClientHttp2Stream): Promise<StreamEnd> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let text = "";
    stream.on("response", (headers) => {
      status = headers[":status"] ?? 0;
    });
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    stream.on("error", reject);
    stream.on("close", () => resolve({ status, reset: stream.rstCode ?? 0, text }));
  });
}

/** Asks a port with a self-made certificate. */
function ask(port: number, target: string, own?: CertificatePair, token?: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = { port, host: "127.0.0.1", path: target, rejectUnauthorized: false, agent: false, headers, ...own } as const;
    const sent = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve([response.statusCode ?? 0, text]));
    });
    sent.on("error", reject).end();
  });
}
