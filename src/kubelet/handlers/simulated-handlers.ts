import { request } from "node:http";
import type { Duplex } from "node:stream";
import type { HTTPGetAction } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { type Action, type ActionResult, type ActionTarget, type Handlers, portOf } from "./handlers.ts";

/** What {@link SimulatedHandlers} use of their node. */
export interface SimulatedHandlersModules {
  readonly runtime: Pick<RuntimeService, "execSync">;
  readonly clock: Clock;
  /** A connection to a port of a sandbox. Undefined when nobody but the simulation itself answers for ports. */
  readonly connect: ((sandboxId: string, port: number) => Duplex | undefined) | undefined;
}

const SUCCESS: ActionResult = { succeeded: true, message: "" };
/** What the simulated shell and runtime say of programs that are not simulated. */
const EXIT_NOT_FOUND = 127;
const NOT_FOUND = "executable file not found in $PATH";
/** How much of a command's output is told, in bytes (upstream's `maxReadLength`). */
const OUTPUT_BYTES_MAX: number = 10 * 1024;

/**
 * Commands run in the simulated shell; HTTP and TCP go to where a test answers for the ports of pods. What is not simulated
 * succeeds: programs that only the image has, ports that no test answers for, gRPC.
 */
export class SimulatedHandlers implements Handlers {
  readonly #modules: SimulatedHandlersModules;

  constructor(modules: SimulatedHandlersModules) {
    this.#modules = modules;
  }

  canFail({ exec, httpGet, tcpSocket }: Action): boolean {
    return exec !== undefined || ((httpGet ?? tcpSocket) !== undefined && this.#modules.connect !== undefined);
  }

  async run(action: Action, target: ActionTarget, timeoutSeconds: number): Promise<ActionResult> {
    const { exec, httpGet, tcpSocket, sleep } = action;
    try {
      if (exec !== undefined) return await this.#exec(exec.command ?? [], target, timeoutSeconds);
      if (httpGet !== undefined) return await this.#get(httpGet, target, timeoutSeconds);
      if (tcpSocket !== undefined) return this.#dial(tcpSocket.port, target);
      if (sleep !== undefined) await this.#modules.clock.sleep(sleep.seconds * 1000);
      return SUCCESS;
    } catch (error) {
      return { succeeded: false, message: error instanceof Error ? error.message : String(error) };
    }
  }

  async #exec(command: readonly string[], { containerId }: ActionTarget, timeoutSeconds: number): Promise<ActionResult> {
    try {
      const { exitCode, stdout, stderr } = await this.#modules.runtime.execSync(containerId, command, timeoutSeconds);
      const message = Buffer.concat([stdout, stderr]).toString("utf8", 0, OUTPUT_BYTES_MAX);
      return { succeeded: exitCode === 0 || exitCode === EXIT_NOT_FOUND, message };
    } catch (error) {
      if (error instanceof Error && error.message.includes(NOT_FOUND)) return SUCCESS;
      throw error;
    }
  }

  #dial(port: string | number, { container, sandboxId }: ActionTarget): ActionResult {
    this.#modules.connect?.(sandboxId, portOf(container, port) ?? 0)?.destroy();
    return SUCCESS;
  }

  async #get(action: HTTPGetAction, target: ActionTarget, timeoutSeconds: number): Promise<ActionResult> {
    const port = portOf(target.container, action.port) ?? 0;
    const connection = this.#modules.connect?.(target.sandboxId, port);
    // Nobody in the simulation speaks TLS.
    if (connection === undefined || action.scheme === "HTTPS") {
      connection?.destroy();
      return SUCCESS;
    }
    const host = action.host === undefined || action.host === "" ? target.ip : action.host;
    const path = action.path ?? "/";
    const url = `http://${host}:${port}${path.startsWith("/") ? path : `/${path}`}`;
    const own = (action.httpHeaders ?? []).map(({ name, value }) => [name, value] as const);
    const headers = {
      host: `${host}:${port}`,
      "user-agent": timeoutSeconds === 0 ? "kube-lifecycle/1.36" : "kube-probe/1.36",
      accept: "*/*",
      ...Object.fromEntries(own),
    };
    const statusCode = await this.#ask(url, headers, connection, timeoutSeconds);
    const succeeded = statusCode >= 200 && statusCode < 400;
    return { succeeded, message: succeeded ? "" : `HTTP probe failed with statuscode: ${statusCode}` };
  }

  #ask(url: string, headers: Record<string, string>, connection: Duplex, timeoutSeconds: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        connection.destroy();
        reject(new Error(`Get "${url}": ${reason}`));
      };
      const late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
      const timer =
        timeoutSeconds === 0
          ? undefined
          : this.#modules.clock.setTimeout(() => fail(late), timeoutSeconds * 1000, { unref: true });
      const sent = request(url, { headers, createConnection: () => connection as never }, (response) => {
        timer?.clear();
        response.resume();
        resolve(response.statusCode ?? 0);
        connection.destroy();
      });
      sent.on("error", () => {
        timer?.clear();
        fail("EOF");
      });
      sent.end();
    });
  }
}
