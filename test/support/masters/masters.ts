import { execFile, execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { realClock } from "#base/clock.ts";
import { createRestClient, type RestClient } from "#client/rest-client.ts";
import { createAuthority, issueCertificate, type LeafRequest } from "#pki/certificate.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { renderKubeconfig } from "#pki/kubeconfig.ts";
import { type EtcdVersion, usualEtcd } from "../etcd.ts";
import { eventually } from "../kubectl.ts";
import { programPath } from "../program.ts";
import { AUDIT_POLICY, AuditLogs } from "./audit-logs.ts";
import { MachineClocks } from "./machine-clocks.ts";
import { MachineProcess } from "./machine-process.ts";
import { type Host, Network } from "./network.ts";

const execute = promisify(execFile);

/** What {@link Masters.start} takes. */
export interface MastersOptions {
  readonly members: number;
  readonly tls: boolean;
  /** The usual one when absent. */
  readonly etcd?: EtcdVersion | undefined;
  /** etcd's space for its database; its own default when absent. */
  readonly quotaBytes?: number;
  /** Further flags of every API server. */
  readonly apiServerFlags?: readonly string[];
}

const SERVERS = 3;
const CLIENT_PORT = 2379;
const PEER_PORT = 2380;
const API_PORT = 6443;
/** Shorter than by default, so that a dead leader is followed within a test's time. */
export const LEASE_DURATION_MS = 5_000;
const ELECTION = [
  `--leader-elect-lease-duration=${LEASE_DURATION_MS}ms`,
  "--leader-elect-renew-deadline=3500ms",
  "--leader-elect-retry-period=500ms",
];
/** Longer than any fault may last: no node is silent for as long, unless somebody counts time by a clock that is set. */
const NODE_GRACE = "--node-monitor-grace-period=10m";
/** A server that is to stop goes on for so long: longer than HAProxy needs to see it. */
const SHUTDOWN_DELAY = "--shutdown-delay-duration=6s";
const START_MS = 180_000;
const READY_MS = 10_000;
const CTL_MS = 60_000;
/** Characters of each program's log in a failure's message. */
const TAIL_MAX = 1_500;
/** How long a client waits for an answer: longer than any answer may take, so that one that never comes is seen. */
const CLIENT_TIMEOUT_MS = 60_000;
/** Whether disks can be slow: `strace` is there, and may trace. */
export const hasStrace: boolean = isInstalled("strace", "-o", "/dev/null", "true");
/** Whether HAProxy is installed; `hack/install-test-tools.sh` brings it. */
export const hasHaproxy: boolean = isInstalled("haproxy", "-v");

/**
 * Several masters, each program on a machine of its own: members of etcd, three API servers, three controller managers (that reach the
 * servers through HAProxy), three schedulers (each at a server of its own), and HAProxy with the configuration that the project renders.
 */
export class Masters implements AsyncDisposable {
  readonly network: Network;
  readonly dir: string;
  readonly etcd: MachineProcess[] = [];
  readonly apiServers: MachineProcess[] = [];
  readonly managers: MachineProcess[] = [];
  readonly schedulers: MachineProcess[] = [];
  /** Which program uses a client certificate, by its fingerprint as audit logs show it. */
  readonly users: Map<string, string> = new Map();
  balancer!: MachineProcess;
  readonly #options: MastersOptions;
  readonly #ca: CertificatePair = createAuthority("kubernetes-ca", realClock.now());
  readonly #clients: RestClient[] = [];

  readonly clocks: MachineClocks = new MachineClocks((name) => this.path(`${name}.clock`));
  readonly audit: AuditLogs = new AuditLogs(
    () => this.apiServers,
    (server) => this.path(`${server}-audit.log`),
  );

  private constructor(network: Network, dir: string, options: MastersOptions) {
    this.network = network;
    this.dir = dir;
    this.#options = options;
  }

  /** Resolves when every program runs and every server is ready. */
  static async start(options: MastersOptions): Promise<Masters> {
    const dir = mkdtempSync(join(tmpdir(), "kybern-masters-"));
    const masters = new Masters(await Network.create(), dir, options);
    try {
      await masters.#prepare();
      await masters.startAll();
      return masters;
    } catch (error) {
      await masters[Symbol.asyncDispose]();
      throw error;
    }
  }

  get processes(): readonly MachineProcess[] {
    return [...this.etcd, ...this.apiServers, ...this.managers, ...this.schedulers, this.balancer];
  }

  get hosts(): readonly Host[] {
    return this.processes.map(({ host }) => host);
  }

  /** Starts what does not run, and waits until all servers are ready. */
  async startAll(): Promise<void> {
    for (const process of this.processes) if (!process.wanted) process.start();
    await eventually(() => this.allReady(), START_MS, "every server is ready").catch((error: unknown) => {
      throw new Error(`${error}\n${this.tails()}`);
    });
  }

  /** Whether every server says that it is ready, and the balancer passes requests on. */
  async allReady(): Promise<boolean> {
    for (const at of ["balancer", ...this.apiServers.keys()] as const) if (!(await this.isReady(at))) return false;
    return true;
  }

  /** Whether a server says that it is ready. */
  async isReady(at: number | "balancer"): Promise<boolean> {
    const client = this.client(at, READY_MS);
    try {
      await client.raw("/readyz");
      return true;
    } catch {
      return false;
    } finally {
      client.close();
      this.#clients.splice(this.#clients.indexOf(client), 1);
    }
  }

  /** An administrator's client, at one server or through the balancer. It is closed in the end. */
  client(at: number | "balancer", timeoutMs: number = CLIENT_TIMEOUT_MS): RestClient {
    const ip = at === "balancer" ? this.balancer.host.ip : this.apiServers[at]?.host.ip;
    const client = createRestClient({
      server: `https://${ip}:${API_PORT}`,
      ca: this.#ca.cert,
      ...this.#admin,
      userAgent: "masters-test",
      clock: realClock,
      timeoutMs,
    });
    this.#clients.push(client);
    return client;
  }

  /** Where each member of etcd serves clients. */
  get etcdUrls(): readonly string[] {
    return this.etcd.map(({ host }) => `${this.#scheme}://${host.ip}:${CLIENT_PORT}`);
  }

  get etcdTls(): { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string } {
    if (!this.#options.tls) return {};
    return { caFile: this.path("ca.pem"), certFile: this.path("etcd-client.pem"), keyFile: this.path("etcd-client-key.pem") };
  }

  /** What `etcdctl` prints; it is asked again while it fails, as an administrator would. */
  ctl(...args: readonly string[]): Promise<string> {
    return eventually(() => this.#ctl(args), CTL_MS, `etcdctl ${args.join(" ")}`);
  }

  async #ctl(args: readonly string[]): Promise<string> {
    const { caFile, certFile, keyFile } = this.etcdTls;
    const tls = caFile === undefined ? [] : [`--cacert=${caFile}`, `--cert=${certFile}`, `--key=${keyFile}`];
    const flags = [`--endpoints=${this.etcdUrls.join(",")}`, "--command-timeout=20s", ...tls];
    const env = { ...process.env, ETCDCTL_API: "3" };
    const { stdout } = await execute(join(this.#etcdBin, "etcdctl"), [...flags, ...args], { env, timeout: CTL_MS });
    // Some commands say nothing.
    return stdout === "" ? "done" : stdout;
  }

  /** Lets etcd forget everything before its newest revision. */
  async compact(...flags: readonly string[]): Promise<void> {
    const status = JSON.parse(await this.ctl("endpoint", "status", "--write-out=json")) as {
      readonly Status: { readonly header: { readonly revision: number } };
    }[];
    const revision = Math.max(...status.map(({ Status }) => Status.header.revision));
    const forget = (): Promise<string> =>
      this.#ctl(["compact", ...flags, String(revision)]).catch((error: unknown) => {
        // The first try was heard, though its answer was not.
        if (/has been compacted/.test(String(error))) return "done";
        throw error;
      });
    await eventually(forget, CTL_MS, "etcdctl compact");
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** What every program printed last. */
  tails(): string {
    const tail = ({ name, running, output }: MachineProcess): string =>
      `--- ${name}${running ? "" : " (ended)"}\n${output.slice(-TAIL_MAX)}`;
    return this.processes.map(tail).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all([...this.etcd, ...this.apiServers, ...this.managers, ...this.schedulers].map((process) => process.kill()));
    await (this.balancer as MachineProcess | undefined)?.kill();
    await this.network[Symbol.asyncDispose]();
    // Logs of a failed test are worth a look.
    if (process.env.KEEP_MASTERS === undefined) rmSync(this.dir, { recursive: true, force: true });
  }

  readonly #admin: CertificatePair = issueCertificate(
    this.#ca,
    { commonName: "admin", organizations: ["system:masters"], usages: ["client"] },
    realClock.now(),
  );

  get #etcdBin(): string {
    return (this.#options.etcd ?? usualEtcd)?.bin ?? "";
  }

  get #scheme(): string {
    return this.#options.tls ? "https" : "http";
  }

  async #prepare(): Promise<void> {
    const { members } = this.#options;
    writeFileSync(this.path("ca.pem"), this.#ca.cert);
    writeFileSync(this.path("audit-policy.json"), JSON.stringify(AUDIT_POLICY));
    execFileSync("openssl", ["genrsa", "-out", this.path("sa.key"), "2048"], { stdio: "ignore" });
    const machines = async (kind: string, count: number): Promise<Host[]> => {
      const hosts: Host[] = [];
      for (let i = 0; i < count; i++) hosts.push(await this.network.host(`${kind}-${i}`));
      return hosts;
    };
    const etcd = await machines("etcd", members);
    const servers = await machines("apiserver", SERVERS);
    const managers = await machines("manager", SERVERS);
    const schedulers = await machines("scheduler", SERVERS);
    const balancer = await this.network.host("balancer");
    const all = [...etcd, ...servers, balancer].map(({ ip }) => ip);
    this.#certificate("server", { commonName: "kubernetes", usages: ["server", "client"], hosts: ["kubernetes", ...all] });
    this.#certificate("etcd-client", { commonName: "kube-apiserver-etcd-client", usages: ["client"] });
    for (const host of etcd) this.etcd.push(this.#member(host, etcd));
    for (const host of servers) this.apiServers.push(this.#apiServer(host));
    for (const host of managers) {
      // As in clusters of kubeadm: each controller acts by an account of its own.
      const flags = [
        `--service-account-private-key-file=${this.path("sa.key")}`,
        "--use-service-account-credentials",
        NODE_GRACE,
      ];
      this.managers.push(this.#component("kube-controller-manager", host, balancer, ...flags));
    }
    schedulers.forEach((host, i) => {
      this.schedulers.push(this.#component("kube-scheduler", host, servers[i] ?? host));
    });
    this.balancer = this.#haproxy(balancer, servers);
  }

  #member(host: Host, members: readonly Host[]): MachineProcess {
    const { tls, quotaBytes } = this.#options;
    const client = `${this.#scheme}://${host.ip}:${CLIENT_PORT}`;
    const peerOf = ({ ip }: Host): string => `${this.#scheme}://${ip}:${PEER_PORT}`;
    const secrets = (of: string): string[] => [
      ...[`--${of}trusted-ca-file`, this.path("ca.pem"), `--${of}client-cert-auth`],
      ...[`--${of}cert-file`, this.path("server.pem"), `--${of}key-file`, this.path("server-key.pem")],
    ];
    const args = [
      ...["--name", host.name, "--data-dir", this.path(host.name), "--log-level", "warn"],
      ...["--initial-cluster", members.map((member) => `${member.name}=${peerOf(member)}`).join(",")],
      ...["--listen-client-urls", client, "--advertise-client-urls", client],
      ...["--listen-peer-urls", peerOf(host), "--initial-advertise-peer-urls", peerOf(host)],
      ...(quotaBytes === undefined ? [] : ["--quota-backend-bytes", String(quotaBytes)]),
      ...(tls ? [...secrets(""), ...secrets("peer-")] : []),
    ];
    const env = { ETCD_UNSUPPORTED_ARCH: process.arch };
    return new MachineProcess({
      host,
      name: host.name,
      command: join(this.#etcdBin, "etcd"),
      args,
      env,
      log: this.path(`${host.name}.log`),
    });
  }

  #apiServer(host: Host): MachineProcess {
    const { caFile, certFile, keyFile } = this.etcdTls;
    const tls =
      caFile === undefined ? [] : [`--etcd-cafile=${caFile}`, `--etcd-certfile=${certFile}`, `--etcd-keyfile=${keyFile}`];
    return this.#program("kube-apiserver", host, [
      `--etcd-servers=${this.etcdUrls.join(",")}`,
      ...tls,
      `--bind-address=${host.ip}`,
      `--advertise-address=${host.ip}`,
      `--secure-port=${API_PORT}`,
      `--tls-cert-file=${this.path("server.pem")}`,
      `--tls-private-key-file=${this.path("server-key.pem")}`,
      `--client-ca-file=${this.path("ca.pem")}`,
      `--service-account-key-file=${this.path("sa.key")}`,
      "--authorization-mode=Node,RBAC",
      SHUTDOWN_DELAY,
      `--audit-policy-file=${this.path("audit-policy.json")}`,
      `--audit-log-path=${this.path(`${host.name}-audit.log`)}`,
      // Never put aside.
      "--audit-log-maxsize=0",
      ...(this.#options.apiServerFlags ?? []),
    ]);
  }

  #component(name: string, host: Host, server: Host, ...flags: readonly string[]): MachineProcess {
    const user = `system:${name}`;
    const pair = issueCertificate(this.#ca, { commonName: user, usages: ["client"] }, realClock.now());
    this.users.set(`X509SHA256=${fingerprint(pair.cert)}`, host.name);
    const file = this.path(`${host.name}.kubeconfig`);
    writeFileSync(file, renderKubeconfig({ server: `https://${server.ip}:${API_PORT}`, user, ca: this.#ca.cert, ...pair }));
    return this.#program(name, host, [`--kubeconfig=${file}`, `--bind-address=${host.ip}`, ...ELECTION, ...flags]);
  }

  #haproxy(host: Host, servers: readonly Host[]): MachineProcess {
    const list = servers.map(({ name, ip }) => `${name}=${ip}:${API_PORT}`).join(",");
    const flags = [`--server=${list}`, `--bind=${host.ip}:${API_PORT}`, `--ca-file=${this.path("ca.pem")}`];
    const text = execFileSync(process.execPath, [programPath, "config", "haproxy", ...flags], { encoding: "utf8" });
    writeFileSync(this.path("haproxy.cfg"), text);
    const args = ["-db", "-f", this.path("haproxy.cfg")];
    return new MachineProcess({ host, name: host.name, command: "haproxy", args, log: this.path("haproxy.log") });
  }

  #program(name: string, host: Host, flags: readonly string[]): MachineProcess {
    const certDir = this.path(`${host.name}-run`);
    mkdirSync(certDir);
    const args = [programPath, name, `--cert-dir=${certDir}`, ...flags];
    const log = this.path(`${host.name}.log`);
    return new MachineProcess({
      host,
      name: host.name,
      command: process.execPath,
      args,
      log,
      restart: true,
      env: this.clocks.environment(host.name),
    });
  }

  #certificate(name: string, request: LeafRequest): void {
    const { cert, key } = issueCertificate(this.#ca, request, realClock.now());
    writeFileSync(this.path(`${name}.pem`), cert);
    writeFileSync(this.path(`${name}-key.pem`), key, { mode: 0o600 });
  }
}

function isInstalled(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function fingerprint(pem: string): string {
  return createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
}
