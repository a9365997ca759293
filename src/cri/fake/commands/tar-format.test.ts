import { expect, test } from "vitest";
import { decodeMembers, encodeMember, TAR_END, type TarMember } from "./tar-format.ts";

const member = (name: string, more: Partial<TarMember> = {}): TarMember => ({
  name,
  type: "file",
  mode: 0o644,
  mtimeMs: 1_900_000_000_000,
  data: Buffer.from(name),
  ...more,
});
const members: readonly TarMember[] = [
  member("dir", { type: "directory", mode: 0o755, data: Buffer.alloc(0) }),
  member("dir/empty", { data: Buffer.alloc(0) }),
  member("dir/block", { data: Buffer.alloc(512, "x") }),
  member(`long/${"n".repeat(300)}`),
  member("link", { type: "link", mode: 0o777, data: Buffer.from("dir/block") }),
];

test("members are read as they were written", () => {
  const archive = Buffer.concat([...members.map(encodeMember), TAR_END]);
  const read = [...decodeMembers(archive)].map((one) => ({ ...one, name: one.name.replace(/\/$/, "") }));
  expect(read).toEqual(members);
});

test("a name in POSIX's way is understood", () => {
  const name = `posix/${"p".repeat(150)}`;
  const record = `path=${name}\n`;
  const length = record.length + 4;
  const extended = encodeMember(member("x", { data: Buffer.from(`${length} ${record}`) }));
  extended.write("x", 156, "latin1");
  const archive = Buffer.concat([extended, encodeMember(member("short")), TAR_END]);
  expect([...decodeMembers(archive)].map((one) => one.name)).toEqual([name]);
});

test("an archive that is cut off or damaged is refused", () => {
  const archive = encodeMember(member("file", { data: Buffer.alloc(2000) }));
  expect(() => [...decodeMembers(archive.subarray(0, 1024))]).toThrow("short read");
  const damaged = Buffer.from(archive);
  damaged.write("zzzz", 124, "latin1");
  expect(() => [...decodeMembers(damaged)]).toThrow("invalid tar magic");
  damaged.write("-0000002000", 124, "latin1");
  expect(() => [...decodeMembers(damaged)]).toThrow("invalid tar magic");
});
