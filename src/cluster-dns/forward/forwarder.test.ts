import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { DnsMetrics } from "../metrics.ts";
import type { DnsProtocol, DnsSockets, Upstream } from "../sockets.ts";
import { writeName } from "../wire/dns-name.ts";
import { type Query, readQuery } from "../wire/read-query.ts";
import { writeResponse } from "../wire/write-response.ts";
import { Forwarder } from "./forwarder.ts";
import { parseUpstream, upstreamsOfResolvConf } from "./resolv-conf.ts";

const UPSTREAMS: readonly Upstream[] = ["192.0.2.1", "192.0.2.2"].map((address) => ({ address, port: 53 }));

function queryOf(name: string): Query {
  const questionBytes = Buffer.concat([writeName(name) ?? Buffer.of(0), Buffer.of(0, 1, 0, 1)]);
  return {
    id: 1,
    recursionDesired: true,
    checkingDisabled: false,
    question: { name, type: 1, class: 1 },
    questionBytes,
    edns: undefined,
  };
}

function setUp(ttl = 60, count = 1, isWholeWanted = false) {
  const asked: { readonly upstream: Upstream; readonly protocol: DnsProtocol; readonly answer: () => void }[] = [];
  const exchange: DnsSockets["exchange"] = (protocol, upstream, message, accept, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      const read = readQuery(message);
      if (read.kind !== "query") return;
      const { name } = read.query.question;
      const answers = Array.from({ length: count }, (_, i) => ({
        name,
        ttl,
        type: "A" as const,
        address: Buffer.of(1, 2, 3, i),
      }));
      const parts = { rcode: 0, authoritative: false, recursionAvailable: true, answers, authorities: [], additionals: [] };
      const answer = (): void => {
        const taken = accept(writeResponse(read.query, parts, protocol === "tcp" ? 65_535 : 512));
        if (taken !== undefined) resolve(taken);
      };
      asked.push({ upstream, protocol, answer });
    });
  const clock = new ManualClock();
  const sockets = { exchange } as DnsSockets;
  const metrics = new DnsMetrics("dns://:53");
  const forwarder = new Forwarder({
    upstreams: UPSTREAMS,
    sockets,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    metrics,
  });
  const ask = (name: string, client = "10.0.0.1") => forwarder.ask({ query: queryOf(name), client, isWholeWanted });
  return { asked, clock, forwarder, ask };
}

/** Lets time pass, and whoever waited for it go on. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  await setImmediate();
}

test("the same question is asked once at a time, and then answered from memory while it lives", async () => {
  const { asked, clock, ask } = setUp();
  const both = [ask("a.example"), ask("a.example", "10.0.0.2")];
  expect(asked).toHaveLength(1);
  asked[0]?.answer();
  expect(await Promise.all(both)).toMatchObject([{ ageSeconds: 0 }, { ageSeconds: 0 }]);
  await pass(clock, 59_000);
  expect(ask("a.example")).toMatchObject({ ageSeconds: 59 });
  await pass(clock, 1_000);
  expect(ask("a.example")).toBeInstanceOf(Promise);
  expect(asked).toHaveLength(2);
});

test("the whole of what was cut short is asked for over TCP, of another server where one keeps it", async () => {
  const { asked, clock, ask } = setUp(60, 100, true);
  const answer = ask("long.example");
  const protocols = (): readonly string[] => asked.map(({ protocol }) => protocol);
  asked[0]?.answer();
  await setImmediate();
  expect(protocols()).toEqual(["udp", "tcp"]);
  await pass(clock, 2_000);
  asked[2]?.answer();
  await setImmediate();
  expect(protocols()).toEqual(["udp", "tcp", "udp", "tcp"]);
  expect(asked[3]?.upstream).not.toBe(asked[1]?.upstream);
  asked[3]?.answer();
  expect(await answer).toMatchObject({ message: { truncated: false } });
});

test("what lives for ever is kept for an hour", async () => {
  const { asked, clock, ask } = setUp(1_000_000);
  const first = ask("a.example");
  asked[0]?.answer();
  await first;
  await pass(clock, 3_599_000);
  expect(ask("a.example")).not.toBeInstanceOf(Promise);
  await pass(clock, 1_000);
  expect(ask("a.example")).toBeInstanceOf(Promise);
});

test("a silent server is given two seconds, then the other is asked, and stays first for a while", async () => {
  const { asked, clock, ask } = setUp(0);
  const first = ask("a.example");
  const silent = asked[0]?.upstream;
  await pass(clock, 2_000);
  expect(asked[1]?.upstream).not.toBe(silent);
  asked[1]?.answer();
  expect(await first).toMatchObject({ ageSeconds: 0 });
  for (let i = 2; i < 10; i++) {
    const next = ask(`${i}.example`);
    expect(asked[i]?.upstream).not.toBe(silent);
    asked[i]?.answer();
    await next;
  }
});

test("after three tries it is over", async () => {
  const { asked, clock, ask } = setUp();
  const first = ask("a.example");
  for (let i = 0; i < 3; i++) await pass(clock, 2_000);
  expect(await first).toBe("failed");
  expect(asked).toHaveLength(3);
});

test("neither one client nor all together may have more than so many questions wait", async () => {
  const { asked, forwarder, ask } = setUp();
  const waiting = Array.from({ length: 250 }, (_, i) => ask(`${i}.example`));
  expect(ask("more.example")).toBe("refused");
  for (let client = 2; client < 5; client++) {
    for (let i = 0; i < 250; i++) waiting.push(ask(`${client}-${i}.example`, `10.0.0.${client}`));
  }
  expect(asked).toHaveLength(1_000);
  expect(ask("more.example", "10.0.0.9")).toBe("refused");
  await forwarder.close();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["failed"]));
});

test.each([
  ["192.0.2.1", { address: "192.0.2.1", port: 53 }],
  ["192.0.2.1:5353", { address: "192.0.2.1", port: 5353 }],
  ["2001:db8::1", { address: "2001:db8::1", port: 53 }],
  ["[2001:db8::1]:54", { address: "2001:db8::1", port: 54 }],
  ["fe80::1%eth0", { address: "fe80::1%eth0", port: 53 }],
  ["dns.example", undefined],
  ["192.0.2.1:0", undefined],
  ["192.0.2.1:65536", undefined],
])("the server %s", (text, expected) => {
  expect(parseUpstream(text)).toEqual(expected);
});

test("servers of a resolv.conf", () => {
  const text = "# nameserver 192.0.2.9\nsearch example\nnameserver 192.0.2.1\n nameserver\t::1 # mine\nnameserver x\n";
  expect(upstreamsOfResolvConf(text)).toEqual([
    { address: "192.0.2.1", port: 53 },
    { address: "::1", port: 53 },
  ]);
});
