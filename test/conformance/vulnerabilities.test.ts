import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { expect, test } from "vitest";
import { brokenReference } from "../support/behaviours.ts";

/** A published vulnerability, and what shows that it is none here. */
interface Vulnerability {
  readonly id: string;
  readonly what: string;
  readonly tests?: readonly string[];
  readonly reason?: string;
}

const list = load(readFileSync(new URL("vulnerabilities.yaml", import.meta.url), "utf8")) as readonly Vulnerability[];

/** Those that may never be missing. */
const NAMED = [
  "2018-1002105 2019-11247 2019-11253 2019-1002100 2019-9512 2019-9514 2020-8554 2020-8555 2020-8558 2020-8559 2020-8561",
  "2020-8562 2021-25735 2021-25737 2021-25740 2022-3162 2022-3172 2022-3294 2023-2727 2023-2728 2023-44487 2024-3177",
  "2024-7598 2025-0426 2025-4563 2025-5187",
].flatMap((line) => line.split(" ").map((number) => `CVE-${number}`));

test("each is listed once", () => {
  const ids = list.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index || !/^CVE-\d{4}-\d{4,}$/.test(id))).toEqual([]);
  expect(NAMED.filter((id) => !ids.includes(id))).toEqual([]);
});

test("each is replayed, or cannot apply", () => {
  expect(list.filter(({ what, tests, reason }) => !what || !(reason || tests?.length)).map(({ id }) => id)).toEqual([]);
  const broken = list.flatMap(({ id, tests = [] }) =>
    tests.flatMap((reference) => {
      const why = brokenReference(reference, undefined);
      return why === undefined ? [] : [`${id}: ${why}`];
    }),
  );
  expect(broken).toEqual([]);
});
