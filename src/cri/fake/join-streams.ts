import type { Duplex } from "node:stream";
import { ConnectionBrokenError } from "../streaming/streaming-runtime.ts";

/** Joins two connections until the server's side has said all; either half may end by itself before. */
export function joinStreams(client: Duplex, server: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    client.on("error", () => server.destroy());
    client.once("close", () => server.destroy());
    server.once("error", (error) => reject(new ConnectionBrokenError(error.message)));
    server.once("close", resolve);
    server.once("end", resolve);
    client.pipe(server);
    server.pipe(client);
  });
}
