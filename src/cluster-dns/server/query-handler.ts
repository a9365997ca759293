import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Forwarder } from "../forward/forwarder.ts";
import type { LoopProbe } from "../forward/loop-probe.ts";
import type { DnsMetrics } from "../metrics.ts";
import type { DnsClient } from "../sockets.ts";
import { CLASS_IN, RCODE, TYPE } from "../wire/dns-codes.ts";
import { writeName } from "../wire/dns-name.ts";
import type { DnsRecord } from "../wire/dns-record.ts";
import { forwardedAddresses, forwardedAnswer } from "../wire/forwarded-message.ts";
import { type Query, readQuery } from "../wire/read-query.ts";
import { bytesMax, type ResponseParts, UDP_BYTES_MAX, writeFault, writeResponse } from "../wire/write-response.ts";
import { answer, type ZoneAnswer, type ZoneSettings } from "../zone/answer.ts";
import type { ZoneRecords } from "../zone/zone-records.ts";

/** Types that ask for whole zones, or for everything at once, which is more than anybody needs and what floods are made of. */
const REFUSED_TYPES: ReadonlySet<number> = new Set([TYPE.ANY, TYPE.AXFR, TYPE.IXFR, TYPE.MAILA, TYPE.MAILB, TYPE.OPT]);

/** Options of {@link QueryHandler}. */
export interface QueryHandlerOptions {
  readonly records: ZoneRecords;
  readonly settings: ZoneSettings;
  /** Whether the records are complete. */
  readonly isSynced: () => boolean;
  readonly forwarder: Forwarder;
  readonly probe: LoopProbe;
  readonly metrics: DnsMetrics;
  readonly clock: Clock;
  readonly random: Random;
}

interface Answered {
  readonly bytes: Buffer;
  readonly rcode: number;
  readonly plugin: "kubernetes" | "forward" | "";
}

/** Answers messages, whatever they came by. */
export class QueryHandler {
  readonly #options: QueryHandlerOptions;

  constructor(options: QueryHandlerOptions) {
    this.#options = options;
  }

  /** Undefined for what is not answered. At once where nobody else has to be asked. Never rejects. */
  handle(bytes: Buffer, client: DnsClient, isTcp: boolean): Buffer | undefined | Promise<Buffer | undefined> {
    const { clock, metrics } = this.#options;
    const start = clock.elapsed();
    const read = readQuery(bytes);
    if (read.kind === "ignored") return undefined;
    if (read.kind === "fault") return writeFault(read.id, read.flags, read.rcode);
    const { query } = read;
    const finish = ({ bytes: message, rcode, plugin }: Answered): Buffer => {
      const seconds = (clock.elapsed() - start) / 1000;
      const isIpv6 = client.address.includes(":");
      metrics.answered({ protocol: isTcp ? "tcp" : "udp", isIpv6, type: query.question.type, rcode, plugin, seconds });
      return message;
    };
    const answered = this.#answer(query, client, isTcp);
    return answered instanceof Promise ? answered.then(finish) : finish(answered);
  }

  #answer(query: Query, client: DnsClient, isTcp: boolean): Answered | Promise<Answered> {
    const { question, edns } = query;
    const refuse = (rcode: number): Answered => this.#coded(query, rcode, isTcp);
    if (edns !== undefined && edns.version !== 0) return refuse(RCODE.BADVERS);
    if (question.class !== CLASS_IN || REFUSED_TYPES.has(question.type)) return refuse(RCODE.REFUSED);
    if (this.#options.probe.isOwn(question.name)) return refuse(RCODE.REFUSED);
    const found = answer(question, this.#options.records, this.#options.settings);
    // Absences are no facts before everything is known.
    if (!this.#options.isSynced() && (found.kind !== "elsewhere" || question.type === TYPE.PTR)) return refuse(RCODE.SERVFAIL);
    if (found.kind === "answer") return this.#own(query, found, found.rcode, isTcp);
    return found.kind === "alias" ? this.#alias(query, found, client, isTcp) : this.#forward(query, client, isTcp);
  }

  #coded(query: Query, rcode: number, isTcp: boolean): Answered {
    const nothing = { answers: [], authorities: [], additionals: [] };
    const parts = { ...nothing, rcode, authoritative: false, recursionAvailable: this.#isForwarding };
    return { bytes: writeResponse(query, parts, bytesMax(query, isTcp)), rcode, plugin: "" };
  }

  get #isForwarding(): boolean {
    return this.#options.forwarder.upstreams.length > 0;
  }

  #own(
    query: Query,
    records: Pick<ResponseParts, "answers" | "authorities" | "additionals">,
    rcode: number,
    isTcp: boolean,
  ): Answered {
    const parts: ResponseParts = {
      rcode,
      authoritative: true,
      recursionAvailable: this.#isForwarding,
      answers: shuffled(records.answers, this.#options.random),
      authorities: records.authorities,
      additionals: records.additionals,
    };
    return { bytes: writeResponse(query, parts, bytesMax(query, isTcp)), rcode, plugin: "kubernetes" };
  }

  #forward(query: Query, client: DnsClient, isTcp: boolean): Answered | Promise<Answered> {
    const max = bytesMax(query, isTcp);
    const edns = query.edns && { ...query.edns, udpBytes: Math.min(UDP_BYTES_MAX, query.edns.udpBytes) };
    const asked = this.#options.forwarder.ask({ query: { ...query, edns }, client: client.address, isWholeWanted: isTcp });
    const finish = (forwarded: Awaited<typeof asked>): Answered => {
      if (forwarded === "refused") return this.#coded(query, RCODE.REFUSED, isTcp);
      if (forwarded === "failed") return this.#coded(query, RCODE.SERVFAIL, isTcp);
      const { message, ageSeconds } = forwarded;
      return { bytes: forwardedAnswer(message, query, max, ageSeconds), rcode: message.rcode, plugin: "forward" };
    };
    return asked instanceof Promise ? asked.then(finish) : finish(asked);
  }

  /** Follows a name that leads out of the zone. Addresses are looked up; whoever wants something else gets the name. */
  #alias(
    query: Query,
    { answers, target }: Extract<ZoneAnswer, { kind: "alias" }>,
    client: DnsClient,
    isTcp: boolean,
  ): Answered | Promise<Answered> {
    const { question } = query;
    const nameBytes = writeName(target);
    const nothing = { authorities: [], additionals: [] };
    const isFollowed = question.type === TYPE.A || question.type === TYPE.AAAA;
    if (nameBytes === undefined) return this.#coded(query, RCODE.SERVFAIL, isTcp);
    if (!isFollowed || !this.#isForwarding) return this.#own(query, { ...nothing, answers }, RCODE.NOERROR, isTcp);
    const next: Query = {
      ...query,
      question: { ...question, name: target },
      questionBytes: Buffer.concat([nameBytes, query.questionBytes.subarray(-4)]),
      edns: { udpBytes: UDP_BYTES_MAX, version: 0, dnssecOk: false },
    };
    const asked = this.#options.forwarder.ask({ query: next, client: client.address, isWholeWanted: true });
    const finish = (forwarded: Awaited<typeof asked>): Answered => {
      if (forwarded === "refused" || forwarded === "failed") return this.#coded(query, RCODE.SERVFAIL, isTcp);
      const { message, ageSeconds } = forwarded;
      if (message.rcode !== RCODE.NOERROR && message.rcode !== RCODE.NXDOMAIN) return this.#coded(query, message.rcode, isTcp);
      const found = forwardedAddresses(message).map((one) => ({ ...one, ttl: Math.max(0, one.ttl - ageSeconds) }));
      return this.#own(query, { ...nothing, answers: [...answers, ...found] }, message.rcode, isTcp);
    };
    return asked instanceof Promise ? asked.then(finish) : finish(asked);
  }
}

/** Clients take the first: each shall be it now and then. Names that lead to the others stay where they are. */
function shuffled(records: readonly DnsRecord[], random: Random): readonly DnsRecord[] {
  if (records.length < 2) return records;
  const first = records.findLastIndex(({ type }) => type === "CNAME") + 1;
  const all = [...records];
  for (let i = all.length - 1; i > first; i--) {
    const j = first + random.int(i - first + 1);
    const [a, b] = [all[i], all[j]];
    if (a !== undefined && b !== undefined) [all[i], all[j]] = [b, a];
  }
  return all;
}
