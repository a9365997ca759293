import { isRefusal, type Refusal } from "#apimachinery/httpstream/refusal.ts";
import { SpdyConnection } from "#apimachinery/httpstream/spdy/spdy-connection.ts";
import type { SpdyStream } from "#apimachinery/httpstream/spdy/spdy-stream.ts";
import { acceptSpdy } from "#apimachinery/httpstream/spdy/upgrade.ts";
import type { Timer } from "#base/clock.ts";
import type { DescribeForwardError, Forward } from "./port-forward.ts";
import type { StreamingLimits, UpgradeCall } from "./remote-command.ts";
import { finished } from "./remote-command.ts";
import { ConnectionBrokenError } from "./streaming-runtime.ts";

/** What a client asks for in `X-Stream-Protocol-Version`. */
const PROTOCOL = "portforward.k8s.io";

/** The two streams of one connection to a port. */
interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
  readonly timer: Timer;
}

/**
 * Serves port-forward over SPDY: a pair of streams for each connection to a port, found by their request id. Resolves
 * when the connection is closed. Gives a refusal when there is none. `upgraded`: the socket speaks SPDY already.
 */
export async function forwardOverSpdy(
  { request, socket, head }: UpgradeCall,
  { clock, idleTimeoutMs, creationTimeoutMs }: StreamingLimits,
  forward: Forward,
  describe: DescribeForwardError,
  upgraded = false,
): Promise<Refusal | undefined> {
  const pairs = new Map<string, Pair>();
  const run = async ({ data, error }: Required<Omit<Pair, "timer">>): Promise<void> => {
    const port = Number(data.headers.get("port"));
    const failure = await forward(port, data).then(
      () => undefined,
      (reason: Error) => reason,
    );
    if (failure !== undefined && !error.destroyed) {
      // Clients close the whole connection when they are told to, not when one of many broke off.
      const closeConnection = failure instanceof ConnectionBrokenError ? {} : { closeConnection: true };
      error.write(`${JSON.stringify({ ...closeConnection, message: describe(port, failure) })}\n`);
    }
    await Promise.all([finished(data), finished(error)]);
  };
  const onStream = (stream: SpdyStream): void => {
    checkHeaders(stream);
    const id = requestId(stream);
    const pair = pairs.get(id) ?? { timer: clock.setTimeout(() => expire(id), creationTimeoutMs, { unref: true }) };
    pairs.set(id, pair);
    const type = stream.headers.get("streamtype") === "error" ? "error" : "data";
    if (pair[type] !== undefined) {
      pair.error?.write(`error processing stream for request ${id}: ${type} stream already assigned`);
      return;
    }
    pair[type] = stream;
    if (pair.data === undefined || pair.error === undefined) return;
    pair.timer.clear();
    pairs.delete(id);
    void run({ data: pair.data, error: pair.error });
  };
  const expire = (id: string): void => {
    pairs.get(id)?.error?.write(`(request=${id}) timed out waiting for streams`);
    pairs.delete(id);
  };
  const options = { clock, idleTimeoutMs, head, onStream };
  const accepted = upgraded
    ? { connection: new SpdyConnection(socket, { ...options, role: "server" }) }
    : acceptSpdy(request, socket, [PROTOCOL], options);
  if (isRefusal(accepted)) return accepted;
  await accepted.connection.closed;
  for (const { timer } of pairs.values()) timer.clear();
  return undefined;
}

function checkHeaders({ headers }: SpdyStream): void {
  const port = headers.get("port") ?? "";
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535)
    throw new Error(`unable to parse "${port}" as a port`);
  const type = headers.get("streamtype");
  if (type !== "error" && type !== "data") throw new Error(`invalid stream type "${type}"`);
}

/** Old clients name no request: their error stream comes first, and their data stream has the next number. */
function requestId(stream: SpdyStream): string {
  const named = stream.headers.get("requestid") ?? "";
  if (named !== "") return named;
  return String(stream.headers.get("streamtype") === "error" ? stream.id : stream.id - 2);
}
