import { expect, test } from "vitest";
import { roomForYoung } from "./room-for-young.ts";

const MEMORY = () => 8 * 2 ** 30;
const up = (...args: string[]) => roomForYoung({ name: "up", args, isHyperkube: false }, MEMORY);

test.each([
  [["--nodes", "2000"]],
  [["--nodes=5000"]],
  [["-nodes", "5000"]],
  [["--data-dir", "x", "--nodes", "5000", "--components="]],
  [["--nodes", "1", "--nodes", "5000"]],
])("`up %j` has many nodes", (args) => {
  expect(up(...args)).toBeGreaterThan(48);
});

test.each([
  [[]],
  [["--nodes", "1999"]],
  [["--nodes=1"]],
  [["--nodes", "5000", "--nodes", "1"]],
  [["--nodes"]],
  [["--nodes", "many"]],
  [["--nodes-of-others=5000"]],
])("`up %j` has not", (args) => {
  expect(up(...args)).toBeUndefined();
});

test("other programs have no simulated nodes", () => {
  expect(roomForYoung({ name: "kubelet", args: ["--nodes", "5000"], isHyperkube: false }, MEMORY)).toBeUndefined();
  expect(roomForYoung({ name: undefined, args: [], isHyperkube: false }, MEMORY)).toBeUndefined();
});

test("a machine of little memory has better use for it", () => {
  const call = { name: "up", args: ["--nodes", "5000"], isHyperkube: false };
  expect(roomForYoung(call, () => 2 * 2 ** 30)).toBeUndefined();
  expect(roomForYoung(call, () => 4 * 2 ** 30)).toBeGreaterThan(48);
});
