import { connect, createServer, type Server, type Socket } from "node:net";
import type { HostProgram, TestHost } from "../test-host.ts";

/** Listens on the machine's loopback, and passes all on to a socket file. */
const INSIDE = `
const { connect, createServer } = require("node:net");
const [, port, path] = process.argv;
createServer((from) => {
  const to = connect(path);
  for (const [one, other] of [[from, to], [to, from]]) one.on("error", () => other.destroy()).on("close", () => other.destroy());
  from.pipe(to).pipe(from);
}).listen(Number(port), "127.0.0.1", () => console.log("listening"));
`;

/** Leads a port of a {@link TestHost}'s loopback to a port of this process's: the two share no network. */
export class HostRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #program: HostProgram;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, program: HostProgram, sockets: Set<Socket>) {
    this.#server = server;
    this.#program = program;
    this.#sockets = sockets;
  }

  static async start(host: TestHost, insidePort: number, port: number): Promise<HostRelay> {
    const path = `/run/relay-${insidePort}.sock`;
    const sockets = new Set<Socket>();
    const server = createServer((from) => {
      const to = connect(port, "127.0.0.1");
      const pairs = [
        [from, to],
        [to, from],
      ] as const;
      for (const [one, other] of pairs) {
        sockets.add(one);
        one.on("error", () => other.destroy()).on("close", () => sockets.delete(one) && other.destroy());
      }
      from.pipe(to).pipe(from);
    });
    await new Promise<void>((resolve) => server.listen(host.path(path), resolve));
    const program = host.start([process.execPath, "-e", INSIDE, String(insidePort), path]);
    while (!program.output.includes("listening")) {
      const ended = await Promise.race([program.exited.then(() => true), new Promise((resolve) => setTimeout(resolve, 20))]);
      if (ended === true) throw new Error(program.output);
    }
    return new HostRelay(server, program, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#program[Symbol.asyncDispose]();
  }
}
