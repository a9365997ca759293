import type { Duplex } from "node:stream";
import type { Clock } from "#base/clock.ts";
import { duplexPair } from "#base/duplex-pair.ts";
import type { Random } from "#base/random.ts";
import type { StreamingServer } from "../streaming/streaming-server.ts";
import type { ContainerProcess } from "./container-process.ts";
import { joinStreams } from "./join-streams.ts";

/** Where URLs of the streaming server lead: nowhere but to {@link FakeStreaming.dial}. */
const BASE_URL = "http://streaming.fake.invalid";

/** What streams lead to. */
export interface Streamed {
  readonly clock: Clock;
  readonly random: Random;
  /** The process of a container; throws for one that does not run. */
  readonly processOf: (containerId: string) => ContainerProcess;
  /** A connection to a port of a sandbox; undefined when nothing listens there. */
  readonly connect: (sandboxId: string, port: number) => Duplex | undefined;
}

/** The streaming server of a simulated runtime. It is made when it is first needed: few nodes are ever asked. */
export class FakeStreaming {
  readonly #to: Streamed;
  #server: Promise<StreamingServer> | undefined;

  constructor(to: Streamed) {
    this.#to = to;
  }

  /** The server, which is started now if it was not. */
  server(): Promise<StreamingServer> {
    this.#server ??= this.#start();
    return this.#server;
  }

  /** A connection to where the URLs of the server lead. */
  dial(): Duplex {
    const [near, far] = duplexPair();
    void this.server().then((server) => server.accept(far));
    return near;
  }

  /** Ends all streams. */
  close(): void {
    void this.#server?.then((server) => server.close());
  }

  async #start(): Promise<StreamingServer> {
    const { clock, random, processOf } = this.#to;
    const { StreamingServer } = await import("../streaming/streaming-server.ts");
    return new StreamingServer(
      { clock, random, baseUrl: BASE_URL },
      {
        exec: (containerId, command, streams) => processOf(containerId).exec(command, streams),
        attach: (containerId, streams) => processOf(containerId).attach(streams),
        portForward: (sandboxId, port, stream) => this.#forward(sandboxId, port, stream),
      },
    );
  }

  async #forward(sandboxId: string, port: number, stream: Duplex): Promise<void> {
    const connection = this.#to.connect(sandboxId, port);
    if (connection === undefined) {
      const refused = `dial tcp4 127.0.0.1:${port}: connect: connection refused`;
      throw new Error(`failed to connect to localhost:${port} inside the sandbox of the pod: ${refused}`);
    }
    await joinStreams(stream, connection);
  }
}
