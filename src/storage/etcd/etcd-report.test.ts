import { expect, test } from "vitest";
import { alarmNames, etcdReport, memberState } from "./etcd-report.ts";

test.each([
  { bytes: [0x0a, 0x00], want: [] },
  { bytes: [0x12, 0x04, 0x08, 0x07, 0x10, 0x01, 0x12, 0x04, 0x08, 0x08, 0x10, 0x01], want: ["NOSPACE"] },
  { bytes: [0x12, 0x02, 0x10, 0x02, 0x12, 0x02, 0x10, 0x01], want: ["CORRUPT", "NOSPACE"] },
  { bytes: [0x12, 0x02, 0x10, 0x07], want: ["number 7"] },
])("alarms $want", ({ bytes, want }) => {
  expect(alarmNames(Uint8Array.from(bytes))).toEqual(want);
});

test("sizes of a member's database", () => {
  expect(memberState(Uint8Array.from([0x12, 0x01, 0x33, 0x18, 0x80, 0x08, 0x48, 0x05]))).toEqual({
    dbSize: 1024,
    dbSizeInUse: 5,
  });
});

test("what is said of them", () => {
  const gigabyte = 1024 ** 3;
  const report = etcdReport(
    ["NOSPACE"],
    [
      { url: "http://a", dbSize: gigabyte, dbSizeInUse: gigabyte / 4 },
      { url: "http://b", dbSize: gigabyte, dbSizeInUse: gigabyte / 2 },
      { url: "http://c", dbSize: 1024, dbSizeInUse: 1 },
    ],
  );
  expect(report).toEqual({
    alarms: [expect.stringMatching(/^etcd alarm NOSPACE: .*etcdctl alarm disarm$/)],
    advice: ["http://a uses 256 of the 1024 MB of its database: etcdctl defrag gives the rest back"],
    databaseBytes: gigabyte,
  });
});
