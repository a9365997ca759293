import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "#base/clock.ts";
import { readToTheEnd } from "#base/read-to-the-end.ts";

/** Headers that are for the kubelet alone. */
const NOT_PASSED_ON: readonly string[] = ["host", "authorization", "content-length", "transfer-encoding"];
/** How long a side may take to close after the other has, in milliseconds. */
const LINGER_MS = 5000;

/**
 * Passes a request to upgrade on to another server, and then everything that either says, the answer included.
 * Redirects are not followed. Resolves when both are closed.
 */
export function passOn(
  request: IncomingMessage,
  client: { readonly socket: Duplex; readonly head: Buffer },
  url: URL,
  server: Duplex,
  clock: Clock,
): Promise<void> {
  const { socket } = client;
  // A runtime breaks the connection behind a command's exit code, whatever its client still says.
  readToTheEnd(server);
  const lines = [`${request.method} ${url.pathname}${url.search} HTTP/1.1`, `host: ${url.host}`];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const [name = "", value = ""] = request.rawHeaders.slice(i, i + 2);
    if (!NOT_PASSED_ON.includes(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  server.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (client.head.length > 0) server.write(client.head);
  return new Promise((resolve) => {
    let open = 2;
    const join = (from: Duplex, to: Duplex): void => {
      // Runtimes may break the connection behind their last word, which is still to be heard.
      const isHeard = (): boolean => from === server || from.readableEnded;
      from.on("error", () => {
        if (!isHeard()) to.destroy();
      });
      from.once("close", () => {
        if (--open === 0) resolve();
        if (isHeard()) lingering(to, clock);
        else to.destroy();
      });
      from.pipe(to);
    };
    join(socket, server);
    join(server, socket);
  });
}

/** Lets a connection send what it has, and ends it when the other side has read that, or takes too long. */
function lingering(socket: Duplex, clock: Clock): void {
  if (socket.destroyed) return;
  socket.resume();
  socket.end();
  const timer = clock.setTimeout(() => socket.destroy(), LINGER_MS, { unref: true });
  socket.once("end", () => socket.destroy());
  socket.once("close", () => timer.clear());
}
