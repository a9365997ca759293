import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { programPath } from "./program.ts";
import type { HostProgram, TestHost } from "./test-host.ts";
import { fillIn, type ServiceUnit, serviceUnit } from "./units.ts";

/** What readers of guides put in the places that guides leave to them. */
export type GuideVariables = Readonly<Record<string, string>>;

const folder = (guide: string): string => fileURLToPath(new URL(`guides/${guide}`, import.meta.url));

/** How long a member of etcd may take to answer, in milliseconds. */
const ETCD_PATIENCE_MS = 20_000;

/** Lays a guide's files on a machine, at the paths that the guide gives them. `skip` names paths that are left out. */
export function layFiles(host: TestHost, guide: string, variables: GuideVariables, skip: RegExp = /^$/): void {
  const root = folder(guide);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const at = path.slice(root.length);
    if (entry.isFile() && !skip.test(at)) host.write(at, fillIn(readFileSync(path, "utf8"), variables));
  }
}

/** A text of a guide that is no file of it: commands that it says are to be typed. */
export function commandsOf(guide: string, path: string): string {
  return readFileSync(join(folder(guide), path), "utf8");
}

/** Puts links to the built program where guides have programs. */
export function linkPrograms(host: TestHost, ...paths: readonly string[]): void {
  for (const path of paths) {
    host.write(`${path}.tmp`, "");
    symlinkSync(programPath, host.path(path));
  }
}

/** `sudo`, for commands of guides: everybody is root. */
export function provideSudo(host: TestHost): void {
  host.write("/usr/local/bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755);
}

/** TLS assets by the commands of the guide `coreos-v1.2`, in `~/k8s_tls_assets`. */
export async function makeTlsAssets(host: TestHost, variables: GuideVariables): Promise<void> {
  layFiles(host, "coreos-v1.2", variables, /^(?!\/root\/k8s_tls_assets\/)/);
  await host.sh("cd ~/k8s_tls_assets && . ./make.sh", { env: variables });
}

/** What a {@link HostService} takes beside its unit. */
export interface ServiceOptions {
  /** What is filled into the unit. */
  readonly variables?: GuideVariables;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments behind those of the unit. */
  readonly more?: readonly string[];
}

/** A service of a machine's systemd, which the machines of tests do not have: what its unit says is done here. */
export class HostService {
  readonly #host: TestHost;
  readonly unit: ServiceUnit;
  readonly #options: ServiceOptions;
  readonly #stopped = new AbortController();
  #program: HostProgram | undefined;
  /** How often it was started again. */
  restarts = 0;

  constructor(host: TestHost, name: string, options: ServiceOptions = {}) {
    this.#host = host;
    this.unit = serviceUnit(host.read(`/etc/systemd/system/${name}.service`), options.variables);
    this.#options = options;
  }

  /** `systemctl start`. */
  async start(): Promise<HostProgram> {
    for (const { command, mayFail } of this.unit.startPre) {
      const { code, stderr } = await this.#host.tryRun(command);
      if (code !== 0 && !mayFail) throw new Error(`${command.join(" ")}: ${stderr}`);
    }
    const { env, more = [] } = this.#options;
    const program = this.#host.start([...this.unit.start, ...more], { env: { ...this.unit.environment, ...env } });
    this.#program = program;
    void program.exited.then((code) => this.#ended(code));
    return program;
  }

  async #ended(code: number | null): Promise<void> {
    const { restart, restartMs } = this.unit;
    if (restart === "no" || (restart === "on-failure" && code === 0)) return;
    try {
      await setTimeout(restartMs, undefined, { signal: this.#stopped.signal, ref: false });
    } catch {
      return;
    }
    this.restarts++;
    await this.start().catch(() => undefined);
  }

  /** `systemctl stop`. */
  async stop(): Promise<number | null> {
    this.#stopped.abort();
    return await this.program.stop();
  }

  get program(): HostProgram {
    if (this.#program === undefined) throw new Error("the service was not started");
    return this.#program;
  }
}

/** One member of a cluster of etcd. */
export interface EtcdMemberOptions {
  readonly name: string;
  readonly address: string;
}

/** Files of PEM, on the machine, for `https`: who connects needs a certificate too. */
export interface EtcdTlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Starts the members that run on this machine of a cluster, with etcd's ports of always; each answers when its promise resolves. */
export async function startEtcd(
  host: TestHost,
  own: readonly EtcdMemberOptions[],
  { all = own, tls }: { readonly all?: readonly EtcdMemberOptions[]; readonly tls?: EtcdTlsFiles } = {},
): Promise<readonly HostProgram[]> {
  const scheme = tls === undefined ? "http" : "https";
  const cluster = all.map(({ name, address }) => `${name}=http://${address}:2380`).join(",");
  const secured = tls && [
    ...[`--cert-file=${tls.certFile}`, `--key-file=${tls.keyFile}`],
    ...[`--trusted-ca-file=${tls.caFile}`, "--client-cert-auth"],
  ];
  const start = ({ name, address }: EtcdMemberOptions): HostProgram =>
    host.start(
      [
        "etcd",
        ...["--name", name, "--data-dir", `/var/lib/etcd/${name}`, "--initial-cluster", cluster, "--enable-v2"],
        ...["--listen-client-urls", `${scheme}://${address}:2379`, "--advertise-client-urls", `${scheme}://${address}:2379`],
        ...["--listen-peer-urls", `http://${address}:2380`, "--initial-advertise-peer-urls", `http://${address}:2380`],
        ...["--heartbeat-interval", "100", "--election-timeout", "1000", "--log-level", "warn"],
        ...(secured ?? []),
      ],
      { env: { ETCD_UNSUPPORTED_ARCH: process.arch } },
    );
  return own.map(start);
}

/** Waits until a cluster of etcd takes writes. */
export async function etcdReady(host: TestHost, endpoints: string, tls?: EtcdTlsFiles): Promise<void> {
  const secured = tls && ["--cacert", tls.caFile, "--cert", tls.certFile, "--key", tls.keyFile];
  const end = performance.now() + ETCD_PATIENCE_MS;
  for (;;) {
    const { code, stderr } = await host.tryRun(
      ["etcdctl", "--endpoints", endpoints, ...(secured ?? []), "--command-timeout=2s", "put", "ready", "yes"],
      { env: { ETCDCTL_API: "3" } },
    );
    if (code === 0) return;
    if (performance.now() > end) throw new Error(`etcd is not ready: ${stderr}`);
    await setTimeout(100);
  }
}
