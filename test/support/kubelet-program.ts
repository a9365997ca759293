import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request as requestPlain } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realHostFiles } from "#base/host-files.ts";
import { realProcessRunner } from "#base/process-runner.ts";
import { CommandMounter } from "#kubelet/volumes/mounter.ts";
import type { Containerd } from "./containerd.ts";
import { cgroupRoots } from "./namespaces.ts";
import { freePorts } from "./ports.ts";
import { Program } from "./program.ts";

/** What a port of a kubelet answered. */
export interface PortAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** How long an answer may take, in milliseconds. */
const PATIENCE_MS = 20_000;

/** `kybern kubelet` as a process of its own, on a containerd, with all its files in one folder and ports that nobody else has. */
export class KubeletProgram implements AsyncDisposable {
  readonly dir: string = mkdtempSync(join(tmpdir(), "kybern-kubelet-"));
  readonly manifests: string = join(this.dir, "manifests");
  readonly pki: string = join(this.dir, "pki");
  readonly port: number;
  readonly readOnlyPort: number;
  readonly healthzPort: number;
  readonly #containerd: Containerd;
  #program: Program | undefined;

  private constructor(containerd: Containerd, [port = 0, readOnlyPort = 0, healthzPort = 0]: readonly number[]) {
    this.#containerd = containerd;
    this.port = port;
    this.readOnlyPort = readOnlyPort;
    this.healthzPort = healthzPort;
    mkdirSync(this.manifests);
  }

  static async prepare(containerd: Containerd): Promise<KubeletProgram> {
    return new KubeletProgram(containerd, await freePorts(3));
  }

  /** What it logged, and why it ended. */
  get said(): string {
    return this.#program?.stderr ?? "";
  }

  get program(): Program {
    if (this.#program === undefined) throw new Error("it was not started");
    return this.#program;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text, { mode: 0o600 });
    return this.path(name);
  }

  /** Starts it, and waits until it answers for its health. */
  async start(flags: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
    for (const root of cgroupRoots()) mkdirSync(join(root, this.#containerd.cgroupParent), { recursive: true });
    const all = [
      "kubelet",
      `--cgroup-root=${this.#containerd.cgroupParent}`,
      `--container-runtime-endpoint=unix://${this.#containerd.socketPath}`,
      `--root-dir=${this.path("root")}`,
      `--cert-dir=${this.pki}`,
      `--port=${this.port}`,
      `--healthz-port=${this.healthzPort}`,
      "--fail-swap-on=false",
      ...flags,
    ];
    const program = new Program(all, { env: { ...process.env, ...env } });
    this.#program = program;
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const ended = await Promise.race([program.exited.then(() => true), pause(50)]);
      if (ended === true || performance.now() > end) throw new Error(`kubelet: ${program.stderr}`);
      if ((await this.plain(this.healthzPort, "/healthz").catch(() => undefined))?.status === 200) return;
    }
  }

  /** Ends it as systemd does; its containers go on. Gives its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#program?.kill(signal);
    return (await this.#program?.exited) ?? null;
  }

  /** Asks a port without TLS. */
  plain(port: number, path: string, method = "GET"): Promise<PortAnswer> {
    return answerOf(requestPlain({ host: "127.0.0.1", port, path, method, agent: false }));
  }

  /** Asks the kubelet's own API. */
  secure(
    path: string,
    who: { cert?: string; key?: string; token?: string; method?: string; host?: string } = {},
  ): Promise<PortAnswer> {
    const { token, method = "GET", host = "127.0.0.1", ...pair } = who;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return answerOf(request({ host, port: this.port, path, method, headers, rejectUnauthorized: false, agent: false, ...pair }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
    const mounter = new CommandMounter({ files: realHostFiles, runner: realProcessRunner });
    const mounts = (await mounter.list()).map(({ path }) => path).filter((path) => path.startsWith(this.dir));
    for (const path of mounts.reverse()) await mounter.unmount(path);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function answerOf(sent: ReturnType<typeof request>): Promise<PortAnswer> {
  return new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    sent.end();
  });
}

function pause(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}
