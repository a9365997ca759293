import { expect, test } from "vitest";
import { FRAME_HEAD_BYTES } from "#base/grpc/message-writer.ts";
import { WireWriter } from "#base/wire-writer.ts";
import * as messages from "./messages.ts";

const MESSAGE = 2;

/** What a frame holds, after a check of its head. */
function body(frame: Buffer): string {
  expect(frame[0]).toBe(0);
  expect(frame.readUInt32BE(1)).toBe(frame.length - FRAME_HEAD_BYTES);
  return frame.subarray(FRAME_HEAD_BYTES).toString("hex");
}

const hex = (text: string): string => Buffer.from(text).toString("hex");

// As protoc encodes them from etcd's rpc.proto.
test.each([
  { name: "a read of one key", frame: messages.rangeRequest({ start: "/a" }), want: `0a02${hex("/a")}` },
  {
    name: "a page at a revision",
    frame: messages.rangeRequest(messages.prefixRange("/a/"), { revision: 300, limit: 5 }),
    want: `0a03${hex("/a/")}1203${hex("/a0")}180520ac02`,
  },
  {
    name: "a count of everything",
    frame: messages.rangeRequest(messages.ALL_KEYS, { countOnly: true }),
    want: "0a01001201004801",
  },
  {
    name: "a put",
    frame: messages.compareAndSwap("k", 7, { value: Buffer.from("v"), lease: 9 }),
    want: "0a0710021a016b3007" + "120a12080a016b1201761809" + "1a050a030a016b",
  },
  {
    name: "a deletion",
    frame: messages.compareAndSwap("k", 7, undefined),
    want: "0a0710021a016b3007" + "12051a030a016b" + "1a050a030a016b",
  },
  {
    name: "a watch",
    frame: messages.watchCreate(3, { start: "a", end: "b" }, 12),
    want: "0a0a0a0161120162180c3803",
  },
  { name: "the end of a watch", frame: messages.watchCancel(3), want: "12020803" },
  { name: "a question for progress", frame: messages.watchProgress(), want: "1a00" },
  { name: "a compaction", frame: messages.compactionRequest(12), want: "080c" },
  { name: "a lease", frame: messages.leaseGrant(5, 60), want: "083c1005" },
  { name: "a message without fields", frame: messages.emptyRequest(), want: "" },
])("$name is encoded as protoc does", ({ frame, want }) => {
  expect(body(frame)).toBe(want);
});

/** Writes a message's fields, given last first. */
function message(write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter();
  write(writer);
  return writer.finish();
}

function field(writer: WireWriter, number: number, bytes: Uint8Array): void {
  writer.bytes(bytes);
  writer.tag(number, MESSAGE);
}

function integer(writer: WireWriter, number: number, value: number): void {
  writer.integer(value);
  writer.tag(number, 0);
}

const header = message((w) => integer(w, 3, 2 ** 40));
const keyValue = message((w) => {
  integer(w, 6, 8);
  field(w, 5, Buffer.from("v"));
  integer(w, 4, 2);
  integer(w, 3, 6);
  integer(w, 2, 5);
  field(w, 1, Buffer.from("k"));
});
const kv = { key: "k", value: new Uint8Array([118]), createRevision: 5, modRevision: 6, version: 2, lease: 8 };

test("an answer to a range is read, whatever else stands in it", () => {
  const bytes = message((w) => {
    integer(w, 99, 1);
    integer(w, 4, 17);
    integer(w, 3, 1);
    field(w, 2, keyValue);
    field(w, 1, header);
  });
  expect(messages.rangeAnswer(bytes)).toEqual({ revision: 2 ** 40, kvs: [kv], count: 17 });
});

test.each([
  { name: "a put", operation: 2, answer: (w: WireWriter) => field(w, 1, header), want: { deleted: 0, kv: undefined } },
  { name: "a read", operation: 1, answer: (w: WireWriter) => field(w, 2, keyValue), want: { deleted: 0, kv } },
  { name: "a deletion", operation: 3, answer: (w: WireWriter) => integer(w, 2, 1), want: { deleted: 1, kv: undefined } },
])("the answer to $name in a transaction is read", ({ operation, answer, want }) => {
  const response = message((w) => field(w, operation, message(answer)));
  const bytes = message((w) => {
    field(w, 3, response);
    integer(w, 2, 1);
    field(w, 1, header);
  });
  expect(messages.swapAnswer(bytes)).toEqual({ revision: 2 ** 40, succeeded: true, ...want });
});

test("events, ends and progress of watches are told apart", () => {
  const event = message((w) => {
    field(w, 3, keyValue);
    field(w, 2, keyValue);
    integer(w, 1, 1);
  });
  expect(messages.watchAnswer(message((w) => field(w, 11, event)))).toMatchObject({
    watchId: 0,
    canceled: false,
    events: [{ deleted: true, kv }],
  });
  const ended = message((w) => {
    field(w, 6, Buffer.from("why"));
    integer(w, 5, 33);
    integer(w, 4, 1);
    integer(w, 2, 4);
  });
  expect(messages.watchAnswer(ended)).toMatchObject({ watchId: 4, canceled: true, compactRevision: 33, cancelReason: "why" });
  const progress = message((w) => {
    integer(w, 2, -1);
    field(w, 1, header);
  });
  expect(messages.watchAnswer(progress)).toMatchObject({ watchId: -1, revision: 2 ** 40, events: [] });
});

test("a value that somebody here has already is not copied, and another's never taken for it", () => {
  const event = message((w) => field(w, 2, keyValue));
  const answer = message((w) => field(w, 11, event));
  const asked: string[] = [];
  const valueWith = (known: Uint8Array | undefined): Uint8Array | undefined =>
    messages.watchAnswer(answer, (key) => {
      asked.push(key);
      return known;
    }).events[0]?.kv?.value;
  const mine = new Uint8Array([118]);
  expect(valueWith(mine)).toBe(mine);
  for (const other of [new Uint8Array([119]), new Uint8Array([118, 0]), new Uint8Array(), undefined]) {
    expect(valueWith(other)).not.toBe(other);
    expect(valueWith(other)).toEqual(mine);
  }
  expect(new Set(asked)).toEqual(new Set(["k"]));
});
