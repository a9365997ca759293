import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { sendRefusal } from "#apimachinery/httpstream/refusal.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { AttachRequest, ExecRequest, PortForwardRequest } from "../runtime-service.ts";
import { type CommandStatus, internalErrorStatus } from "./command-status.ts";
import { servePortForward } from "./port-forward.ts";
import { type StreamingLimits, serveRemoteCommand, type UpgradeCall } from "./remote-command.ts";
import { RequestCache } from "./request-cache.ts";
import type { StreamingRuntime } from "./streaming-runtime.ts";

/** How long connections may be silent, and clients may take to make their streams; upstream's `DefaultConfig`. */
const STREAM_IDLE_TIMEOUT_MS: number = 4 * 60 * 60 * 1000;
const STREAM_CREATION_TIMEOUT_MS = 30_000;

/** Options of {@link StreamingServer}. */
export interface StreamingServerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** What URLs begin with: `http://HOST:PORT`. */
  readonly baseUrl: string;
  readonly idleTimeoutMs?: number;
  readonly creationTimeoutMs?: number;
}

type CachedRequest =
  | { readonly method: "exec"; readonly request: ExecRequest }
  | { readonly method: "attach"; readonly request: AttachRequest }
  | { readonly method: "portforward"; readonly request: PortForwardRequest };

/**
 * What a container runtime serves exec, attach and port-forward with: CRI calls give URLs, each good for one connection
 * (upstream's `k8s.io/kubelet/pkg/cri/streaming`). It listens nowhere by itself: connections are handed to it.
 */
export class StreamingServer {
  readonly #options: StreamingServerOptions;
  readonly #runtime: StreamingRuntime;
  readonly #cache: RequestCache<CachedRequest>;
  readonly #limits: StreamingLimits;
  readonly #sockets = new Set<Duplex>();
  #server: Server | undefined;

  constructor(options: StreamingServerOptions, runtime: StreamingRuntime) {
    const { clock, random, idleTimeoutMs = STREAM_IDLE_TIMEOUT_MS, creationTimeoutMs = STREAM_CREATION_TIMEOUT_MS } = options;
    this.#options = options;
    this.#runtime = runtime;
    this.#cache = new RequestCache(clock, random);
    this.#limits = { clock, idleTimeoutMs, creationTimeoutMs };
  }

  /** Throws for what cannot be served. */
  getExec(request: ExecRequest): string {
    checkStreams(request);
    return this.#url("exec", { method: "exec", request });
  }

  getAttach(request: AttachRequest): string {
    checkStreams(request);
    return this.#url("attach", { method: "attach", request });
  }

  getPortForward(request: PortForwardRequest): string {
    if (request.podSandboxId === "") throw new Error(invalidArgument("missing required pod_sandbox_id"));
    return this.#url("portforward", { method: "portforward", request });
  }

  /** Serves a connection. */
  accept(socket: Duplex): void {
    this.#server ??= this.#createServer();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#server.emit("connection", socket);
  }

  /** Ends all connections. */
  close(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #url(method: string, request: CachedRequest): string {
    return `${this.#options.baseUrl}/${method}/${this.#cache.insert(request)}`;
  }

  #createServer(): Server {
    const server = createServer((_request, response) => {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
      response.end("404 page not found\n");
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#serve({ request, socket, head }).catch(() => socket.destroy());
    });
    return server;
  }

  async #serve(call: UpgradeCall): Promise<void> {
    const [, method = "", token = ""] = /^\/([a-z]+)\/([\w-]+)$/.exec((call.request.url ?? "").split("?")[0] ?? "") ?? [];
    const cached = this.#cache.consume(token);
    if (cached === undefined || cached.method !== method) {
      sendRefusal(call.socket, { status: 404, message: "404 page not found", headers: {} });
      return;
    }
    if (cached.method === "portforward") await this.#servePortForward(call, cached.request);
    else await this.#serveCommand(call, cached);
  }

  async #serveCommand(call: UpgradeCall, cached: CachedRequest & { method: "exec" | "attach" }): Promise<void> {
    const runtime = this.#runtime;
    const { method, request } = cached;
    const failed = (error: Error): CommandStatus =>
      internalErrorStatus(
        method === "exec"
          ? `error executing command in container: ${error.message}`
          : `error attaching to container: ${error.message}`,
      );
    const command = method === "exec" ? request.cmd : [];
    await serveRemoteCommand(call, request, this.#limits, { command, describeFailure: failed }, async (streams) => {
      if (method === "exec") return runtime.exec(request.containerId, request.cmd, streams);
      await runtime.attach(request.containerId, streams);
      return undefined;
    });
  }

  async #servePortForward(call: UpgradeCall, { podSandboxId, ports }: PortForwardRequest): Promise<void> {
    await servePortForward(
      call,
      ports,
      this.#limits,
      (port, stream) => this.#runtime.portForward(podSandboxId, port, stream),
      (port, error) => `error forwarding port ${port} to pod ${podSandboxId}, uid : ${error.message}`,
    );
  }
}

function checkStreams(request: ExecRequest | AttachRequest): void {
  const { containerId, stdin, stdout, stderr, tty } = request;
  if (containerId === "") throw new Error(invalidArgument("missing required container_id"));
  if (tty && stderr) throw new Error(invalidArgument("tty and stderr cannot both be true"));
  if (!stdin && !stdout && !stderr) throw new Error(invalidArgument("one of stdin, stdout, or stderr must be set"));
}

function invalidArgument(message: string): string {
  return `rpc error: code = InvalidArgument desc = ${message}`;
}
