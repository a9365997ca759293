import { connect } from "node:net";
import type { ExecAction } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import { DEADLINE_EXCEEDED, GrpcError } from "#base/grpc/grpc-error.ts";
import { rpcText } from "#cri/cri-error.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { expand } from "../environment.ts";
import { connectProblem } from "./connect-problem.ts";
import { checkGrpcHealth } from "./grpc-health.ts";
import { type Action, type ActionResult, type ActionTarget, type Handlers, portOf } from "./handlers.ts";
import { getForHook, getForProbe } from "./http-get.ts";

/** What {@link RealHandlers} use of their node. */
export interface RealHandlersModules {
  readonly runtime: Pick<RuntimeService, "execSync">;
  readonly clock: Clock;
}

const SUCCESS: ActionResult = { succeeded: true, message: "" };
/** How much of a command's output is told, in bytes (upstream's `maxReadLength`). */
const OUTPUT_BYTES_MAX: number = 10 * 1024;

/** Carries out probes and hooks in containers and over the node's network, in the words of upstream's probers. */
export class RealHandlers implements Handlers {
  readonly #modules: RealHandlersModules;

  constructor(modules: RealHandlersModules) {
    this.#modules = modules;
  }

  /** All can. */
  canFail(): boolean {
    return true;
  }

  async run(action: Action, target: ActionTarget, timeoutSeconds: number): Promise<ActionResult> {
    const { exec, httpGet, tcpSocket, grpc, sleep } = action;
    const { clock } = this.#modules;
    try {
      if (exec !== undefined) return await this.#exec(exec, target, timeoutSeconds);
      if (httpGet !== undefined) {
        return await (timeoutSeconds === 0
          ? getForHook(httpGet, target, clock)
          : getForProbe(httpGet, target, timeoutSeconds, clock));
      }
      if (tcpSocket !== undefined) return await this.#dial(tcpSocket, target, timeoutSeconds);
      if (grpc !== undefined) return await checkGrpcHealth(grpc, target.ip, timeoutSeconds, clock);
      if (sleep !== undefined) await clock.sleep(sleep.seconds * 1000);
      return SUCCESS;
    } catch (error) {
      return { succeeded: false, isUnknown: true, message: rpcText(error) };
    }
  }

  async #exec({ command = [] }: ExecAction, target: ActionTarget, timeoutSeconds: number): Promise<ActionResult> {
    // Only values that stand in the spec itself are known here, as upstream's.
    const known = new Map(
      (target.container.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    );
    const words = command.map((word) => expand(word, known));
    try {
      const { exitCode, stdout, stderr } = await this.#modules.runtime.execSync(target.containerId, words, timeoutSeconds);
      const message = Buffer.concat([stdout, stderr]).toString("utf8", 0, OUTPUT_BYTES_MAX);
      return { succeeded: exitCode === 0, message };
    } catch (error) {
      if (!(error instanceof GrpcError) || error.code !== DEADLINE_EXCEEDED) throw error;
      return { succeeded: false, message: `command ${JSON.stringify(words.join(" "))} timed out` };
    }
  }

  #dial(
    { host = "", port }: { readonly host?: string; readonly port: string | number },
    { container, ip }: ActionTarget,
    timeoutSeconds: number,
  ): Promise<ActionResult> {
    const number = portOf(container, port);
    if (number === undefined) throw new Error(`invalid port: ${port}`);
    const to = host === "" ? ip : host;
    const address = to.includes(":") ? `[${to}]:${number}` : `${to}:${number}`;
    return new Promise((resolve) => {
      const socket = connect({ host: to, port: number });
      const end = (result: ActionResult): void => {
        timer.clear();
        socket.destroy();
        resolve(result);
      };
      const late: ActionResult = { succeeded: false, message: `dial tcp ${address}: i/o timeout` };
      const timer = this.#modules.clock.setTimeout(() => end(late), Math.max(1, timeoutSeconds) * 1000, { unref: true });
      socket.once("connect", () => end(SUCCESS));
      socket.once("error", (error) => end({ succeeded: false, message: `dial tcp ${address}: ${connectProblem(error)}` }));
    });
  }
}
