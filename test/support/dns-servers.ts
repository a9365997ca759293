import { realClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import type { Client } from "../../src/client/client.ts";
import { ClusterDns, type ClusterDnsOptions } from "../../src/cluster-dns/cluster-dns.ts";
import { TcpConnections } from "../../src/cluster-dns/server/tcp-connections.ts";
import type { DnsListener } from "../../src/cluster-dns/sockets.ts";
import type { DnsRecord } from "../../src/cluster-dns/wire/dns-record.ts";
import { type Query, readQuery } from "../../src/cluster-dns/wire/read-query.ts";
import { bytesMax, writeResponse } from "../../src/cluster-dns/wire/write-response.ts";
import { dnsSockets } from "../../src/cmd/cluster-dns/sockets.ts";
import { silentLogger } from "../../src/component-base/logging.ts";

/** What a {@link FakeUpstream} answers; undefined for silence. */
export type FakeAnswer = {
  readonly rcode?: number;
  readonly answers?: readonly DnsRecord[];
  readonly authorities?: readonly DnsRecord[];
};

/** A DNS server of the world outside a cluster, which answers as it is told and remembers what it was asked. */
export class FakeUpstream {
  readonly asked: { readonly name: string; readonly type: number; readonly isTcp: boolean }[] = [];
  answer: (query: Query) => FakeAnswer | undefined = () => ({ rcode: 3 });
  readonly #listeners: DnsListener[] = [];
  readonly #tcp = new TcpConnections({ clock: realClock, handle: (bytes) => this.#handle(bytes, true) });

  static async start(): Promise<FakeUpstream> {
    const fake = new FakeUpstream();
    const tcp = await dnsSockets.listenTcp("127.0.0.1", 0, (connection, client) => fake.#tcp.serve(connection, client));
    const udp = await dnsSockets.listenUdp("127.0.0.1", tcp.port, (bytes, _, reply) => {
      const answer = fake.#handle(bytes, false);
      if (answer !== undefined) reply(answer);
    });
    fake.#listeners.push(tcp, udp);
    return fake;
  }

  get upstream(): { readonly address: string; readonly port: number } {
    return { address: "127.0.0.1", port: this.#listeners[0]?.port ?? 0 };
  }

  async close(): Promise<void> {
    this.#tcp.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  #handle(bytes: Buffer, isTcp: boolean): Buffer | undefined {
    const read = readQuery(bytes);
    if (read.kind !== "query") return undefined;
    const { query } = read;
    if (!query.question.name.endsWith(".kybern-loop")) this.asked.push({ ...query.question, isTcp });
    const answer = this.answer(query);
    if (answer === undefined) return undefined;
    const parts = {
      rcode: 0,
      answers: [],
      authorities: [],
      additionals: [],
      authoritative: false,
      recursionAvailable: true,
      ...answer,
    };
    return writeResponse(query, parts, bytesMax(query, isTcp));
  }
}

/** A cluster's DNS server on a free port of this machine. */
export function startTestDns(client: Client, options: Partial<ClusterDnsOptions> = {}): Promise<ClusterDns> {
  return ClusterDns.start({
    client,
    clock: realClock,
    random: systemRandom,
    logger: silentLogger,
    sockets: dnsSockets,
    addresses: ["127.0.0.1"],
    port: 0,
    clusterDomain: "cluster.local",
    pods: "insecure",
    upstreams: [],
    ...options,
  });
}
