import { expect, test } from "vitest";
import { RCODE, TYPE } from "./dns-codes.ts";
import { isWithin, readName, readPlainName, writeName } from "./dns-name.ts";
import type { DnsRecord } from "./dns-record.ts";
import { forwardedAddresses, forwardedAnswer, forwardedQuery, readForwarded } from "./forwarded-message.ts";
import { reverseIpKey } from "./ip-bytes.ts";
import { type Query, readQuery } from "./read-query.ts";
import { bytesMax, writeResponse } from "./write-response.ts";

function message(name: string, type: number, more: { flags?: number; counts?: number[]; rest?: string } = {}): Buffer {
  const { flags = 0x0100, counts = [1, 0, 0, 0], rest = "" } = more;
  const head = Buffer.alloc(12);
  for (const [i, value] of [0x1234, flags, ...counts].entries()) head.writeUInt16BE(value, i * 2);
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, "latin1")]));
  return Buffer.concat([head, ...labels, Buffer.of(0, 0, type, 0, 1), Buffer.from(rest, "hex")]);
}

function queryOf(bytes: Buffer): Query {
  const read = readQuery(bytes);
  if (read.kind !== "query") throw new Error(read.kind);
  return read.query;
}

const OPT_4096 = "0000291000000080000000";
const OPT_VERSION_1 = "0000291000000100000000";

test("a question is read in lower case and kept as it was sent", () => {
  const query = queryOf(message("KuberNetes.default.SVC", TYPE.A));
  expect(query).toMatchObject({ id: 0x1234, recursionDesired: true, edns: undefined });
  expect(query.question).toEqual({ name: "kubernetes.default.svc", type: 1, class: 1 });
  expect(query.questionBytes.toString("latin1")).toContain("KuberNetes");
});

test.each([
  ["too short", Buffer.alloc(11), { kind: "ignored" }],
  ["an answer", message("a", 1, { flags: 0x8000 }), { kind: "ignored" }],
  ["another operation", message("a", 1, { flags: 0x2800 }), { kind: "fault", rcode: RCODE.NOTIMP }],
  ["two questions", message("a", 1, { counts: [2, 0, 0, 0] }), { kind: "fault", rcode: RCODE.FORMERR }],
  ["no question", message("a", 1, { counts: [0, 0, 0, 0] }), { kind: "fault", rcode: RCODE.FORMERR }],
  ["records that are not there", message("a", 1, { counts: [1, 0, 0, 1] }), { kind: "fault", rcode: RCODE.FORMERR }],
  ["many records", message("a", 1, { counts: [1, 0, 0, 65_535] }), { kind: "fault", rcode: RCODE.FORMERR }],
  [
    "two OPT records",
    message("a", 1, { counts: [1, 0, 0, 2], rest: OPT_4096 + OPT_4096 }),
    { kind: "fault", rcode: RCODE.FORMERR },
  ],
  [
    "an OPT record of a name",
    message("a", 1, { counts: [1, 0, 0, 1], rest: `0161${OPT_4096}` }),
    { kind: "fault", rcode: RCODE.FORMERR },
  ],
  ["a label too long", message("a".repeat(64), 1), { kind: "fault", rcode: RCODE.FORMERR }],
  ["a name too long", message(Array(5).fill("a".repeat(60)).join("."), 1), { kind: "fault", rcode: RCODE.FORMERR }],
  [
    "a pointer",
    Buffer.from("1234010000010000000000 00c00c00010001".replace(" ", ""), "hex"),
    { kind: "fault", rcode: RCODE.FORMERR },
  ],
] as const)("%s is told apart", (_, bytes, expected) => {
  expect(readQuery(bytes)).toMatchObject(expected);
});

test.each([
  ["without", message("a", 1), undefined, 512, 65_535],
  [
    "of 4096 bytes",
    message("a", 1, { counts: [1, 0, 0, 1], rest: OPT_4096 }),
    { udpBytes: 4096, version: 0, dnssecOk: true },
    1232,
    65_535,
  ],
  ["of version 1", message("a", 1, { counts: [1, 0, 0, 1], rest: OPT_VERSION_1 }), { version: 1 }, 1232, 65_535],
] as const)("EDNS %s says how long answers may be", (_, bytes, edns, udp, tcp) => {
  const query = queryOf(bytes);
  if (edns === undefined) expect(query.edns).toBeUndefined();
  else expect(query.edns).toMatchObject(edns);
  expect([bytesMax(query, false), bytesMax(query, true)]).toEqual([udp, tcp]);
});

test("every byte of a label has a text of its own", () => {
  const bytes = Buffer.from("03612e62025cff0163 00".replace(" ", ""), "hex");
  const name = readPlainName(bytes, 0);
  expect(name?.text).toBe("a\\.b.\\\\\xff.c");
  expect(writeName(name?.text ?? "")).toEqual(bytes);
});

test.each([
  ["a.b", "b", true],
  ["b", "b", true],
  ["ab", "b", false],
  ["a\\.b", "b", false],
  ["a", "", true],
])("%s is within %s: %s", (name, zone, expected) => {
  expect(isWithin(name, zone)).toBe(expected);
});

test.each([
  ["to itself", "c000", 0],
  ["forward", "c0040000016100", 0],
  ["two to each other", "c002c000", 2],
  ["beyond the end", "0161c0ff", 0],
  ["cut short", "0161c0", 0],
  ["of an unknown kind", "4161", 0],
])("a pointer %s is refused", (_, hex, at) => {
  expect(readName(Buffer.from(hex, "hex"), at)).toBeUndefined();
});

test.each([
  ["1.0.96.10.in-addr.arpa", "0a600001"],
  ["256.0.96.10.in-addr.arpa", undefined],
  ["0.96.10.in-addr.arpa", undefined],
  [`${"1.".padEnd(64, "0.")}ip6.arpa`, "00000000000000000000000000000001"],
  ["1.ip6.arpa", undefined],
])("%s stands for %s", (name, key) => {
  expect(reverseIpKey(name)).toBe(key);
});

const A = (i: number): DnsRecord => ({ name: "big.svc", ttl: 5, type: "A", address: Buffer.of(10, 0, i >> 8, i & 255) });

test("an answer points to its question and keeps the spelling", () => {
  const query = queryOf(message("BiG.svc", TYPE.A));
  const bytes = writeResponse(query, parts([A(1)]), 512);
  expect(bytes.toString("hex")).toBe(
    `1234858000010001000000000342694703737663000001 0001 c00c0001000100000005 00040a000001`.replaceAll(" ", ""),
  );
});

test.each([
  [512, 30, true],
  [1232, 75, true],
  [65_535, 1000, false],
])("of 1,000 addresses %i bytes take %i", (max, fitting, isCut) => {
  const query = queryOf(message("big.svc", TYPE.A));
  const bytes = writeResponse(query, parts(Array.from({ length: 1000 }, (_, i) => A(i))), max);
  expect(bytes.length).toBeLessThanOrEqual(max);
  expect(bytes.readUInt16BE(6)).toBe(fitting);
  expect((bytes.readUInt16BE(2) & 0x0200) !== 0).toBe(isCut);
});

test("names that went with a record that did not fit are not pointed to", () => {
  const query = queryOf(message("x.y", TYPE.PTR));
  const long = "a".repeat(60);
  const records: DnsRecord[] = [`${long}.1`, `${long}.${long}.2`, `${long}.3`].map((target) => ({
    name: "x.y",
    ttl: 5,
    type: "PTR",
    target,
  }));
  const whole = writeResponse(query, parts(records), 512);
  const cut = writeResponse(query, parts(records), 120);
  expect(cut.readUInt16BE(6)).toBe(1);
  expect(cut.subarray(12)).toEqual(whole.subarray(12, cut.length));
});

const answerOf = (query: Query, records: readonly DnsRecord[]): Buffer => writeResponse({ ...query, id: 7 }, parts(records), 512);

test("another server's answer is read, aged and told under the client's id and spelling", () => {
  const query = queryOf(message("WWW.example.com", TYPE.A));
  const asked = queryOf(forwardedQuery(query, 7));
  expect(asked).toMatchObject({ id: 7, question: query.question });
  const bytes = answerOf({ ...query, questionBytes: queryOf(message("www.example.com", TYPE.A)).questionBytes }, [
    { name: "www.example.com", ttl: 300, type: "CNAME", target: "a.example.net" },
    { name: "a.example.net", ttl: 60, type: "A", address: Buffer.of(192, 0, 2, 1) },
  ]);
  const read = readForwarded(bytes, query, 7);
  expect(read).toMatchObject({ rcode: 0, ttl: 60, isNegative: false, truncated: false });
  if (read === undefined) return;
  expect(forwardedAddresses(read)).toEqual([
    { name: "www.example.com", ttl: 300, type: "CNAME", target: "a.example.net" },
    { name: "a.example.net", ttl: 60, type: "A", address: Buffer.of(192, 0, 2, 1) },
  ]);
  const told = forwardedAnswer(read, query, 512, 20);
  expect(told.readUInt16BE(0)).toBe(0x1234);
  expect(told.toString("latin1")).toContain("WWW");
  expect(readForwarded(told, query, 0x1234)?.ttl).toBe(40);
  const cut = forwardedAnswer(read, query, 40, 0);
  expect(cut.length).toBe(12 + query.questionBytes.length);
  expect(cut.readUInt16BE(2) & 0x0200).toBe(0x0200);
});

test("how long an absence may be kept stands in the SOA record", () => {
  const query = queryOf(message("no.example.com", TYPE.A));
  const soa: DnsRecord = { name: "com", ttl: 900, type: "SOA", primary: "a", mailbox: "b", serial: 1, negativeTtl: 20 };
  const bytes = writeResponse({ ...query, id: 7 }, { ...parts([]), rcode: RCODE.NXDOMAIN, authorities: [soa] }, 512);
  expect(readForwarded(bytes, query, 7)).toMatchObject({ rcode: 3, ttl: 20, isNegative: true });
});

test("answers to other questions, under other ids or cut short are not taken", () => {
  const query = queryOf(message("a.example", TYPE.A));
  const good = answerOf(query, [{ name: "a.example", ttl: 1, type: "A", address: Buffer.of(1, 2, 3, 4) }]);
  expect(readForwarded(good, query, 7)).toBeDefined();
  expect(readForwarded(good, query, 8)).toBeUndefined();
  expect(readForwarded(good.subarray(0, good.length - 1), query, 7)).toBeUndefined();
  expect(readForwarded(good, queryOf(message("b.example", TYPE.A)), 7)).toBeUndefined();
  expect(readForwarded(good, queryOf(message("a.example", TYPE.AAAA)), 7)).toBeUndefined();
  expect(readForwarded(forwardedQuery(query, 7), query, 7)).toBeUndefined();
});

function parts(answers: readonly DnsRecord[]) {
  return { rcode: 0, authoritative: true, recursionAvailable: true, answers, authorities: [], additionals: [] };
}
