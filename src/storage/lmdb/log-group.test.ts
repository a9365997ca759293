import { expect, test } from "vitest";
import { encodeGroup, findGroups, type LogGroup } from "./log-group.ts";
import { type LogStep, writeStep } from "./log-step.ts";

const ID = Buffer.from("0123456789abcdef", "hex");

function write(revision: number, value: Uint8Array, { deleted = false, lease = 0, oldLease = 0 } = {}): LogStep {
  const kv = { key: `/ключ/${revision}`, value, createRevision: 2, modRevision: revision, version: 3, lease };
  return writeStep({ deleted, previousRevision: 1, kv }, oldLease);
}

const EVERY_KIND: readonly LogStep[] = [
  write(7, Buffer.from("value"), { lease: 3, oldLease: 2 }),
  write(8, Buffer.alloc(0), { deleted: true }),
  { kind: "grantLease", id: 4, ttlSeconds: 3600 },
  { kind: "endLease", id: Number.MAX_SAFE_INTEGER },
  { kind: "compact", revision: 1_000_000_000_000 },
];

/** Without views into buffers, which compare by what lies around them. */
function plain(groups: readonly LogGroup[]): unknown {
  return JSON.parse(JSON.stringify(groups));
}

test("groups of every kind of step are read as they were written, in any place", () => {
  const [first, second] = [
    { sequence: 5, steps: EVERY_KIND },
    { sequence: 6, steps: [write(9, Buffer.alloc(100_000, "x"))] },
  ];
  const bytes = Buffer.concat([Buffer.alloc(13), encodeGroup(ID, first), encodeGroup(ID, second), Buffer.alloc(50)]);
  expect(plain(findGroups(ID, bytes, 4))).toEqual(plain([first, second]));
  expect(plain(findGroups(ID, bytes, 5))).toEqual(plain([second]));
  expect(findGroups(ID, bytes, 6)).toEqual([]);
  expect(findGroups(Buffer.alloc(8, 1), bytes, 0)).toEqual([]);
});

test("of a group that is cut off anywhere, or has one other byte, nothing is read", () => {
  const bytes = encodeGroup(ID, { sequence: 1, steps: EVERY_KIND });
  const rest = Buffer.alloc(64);
  for (let length = 0; length < bytes.byteLength; length++) {
    // Zeros, or what was there before.
    const cut = Buffer.concat([bytes.subarray(0, length), Buffer.alloc(bytes.byteLength - length, 0xff), rest]);
    expect(findGroups(ID, bytes.subarray(0, length), 0), `${length} bytes`).toEqual([]);
    expect(findGroups(ID, cut, 0), `${length} bytes and others`).toEqual([]);
    const changed = Buffer.from(bytes);
    changed.writeUInt8((changed.readUInt8(length) + 1) % 256, length);
    expect(findGroups(ID, changed, 0), `byte ${length}`).toEqual([]);
  }
});

test("what an earlier round has left behind a group is passed over, and what looks like a group inside of one", () => {
  const inner = encodeGroup(ID, { sequence: 9, steps: EVERY_KIND });
  const old = encodeGroup(ID, { sequence: 2, steps: EVERY_KIND });
  const group = { sequence: 3, steps: [write(4, inner)] };
  const bytes = Buffer.concat([encodeGroup(ID, group), old.subarray(20), old, old.subarray(0, 30)]);
  expect(plain(findGroups(ID, bytes, 2))).toEqual(plain([group]));
});
