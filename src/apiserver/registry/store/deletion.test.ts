import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { beginDeletion } from "./deletion.ts";

const NOW = parseTime("2026-01-01T00:01:00Z") ?? 0;
const graceful = { gracefulDeletion: () => 30 };

/** Upstream's `BeforeDelete` (pkg/registry/rest/delete.go) of what is being deleted already. */
test.each`
  what                                                        | at            | current      | asked        | step           | after
  ${"asks for less: the time moves back"}                     | ${"00:01:25"} | ${30}        | ${10}        | ${"graceful"}  | ${["00:01:05", 10]}
  ${"asks for so little that it was over: now, and a second"} | ${"00:01:05"} | ${30}        | ${10}        | ${"graceful"}  | ${["00:01:00", 1]}
  ${"asks for none: now"}                                     | ${"00:01:05"} | ${30}        | ${0}         | ${"graceful"}  | ${["00:01:00", 0]}
  ${"asks for as much: it goes on"}                           | ${"00:01:25"} | ${30}        | ${30}        | ${"pending"}   | ${["00:01:25", 30]}
  ${"says nothing: it goes on"}                               | ${"00:01:25"} | ${30}        | ${undefined} | ${"pending"}   | ${["00:01:25", 30]}
  ${"finds it marked with no grace: it is removed"}           | ${"00:00:25"} | ${0}         | ${undefined} | ${"immediate"} | ${["00:00:25", 0]}
  ${"finds it marked without a grace: it is removed"}         | ${"00:00:25"} | ${undefined} | ${30}        | ${"immediate"} | ${["00:00:25", undefined]}
`("who deletes again and $what", ({ at, current, asked, step, after }) => {
  const metadata = { name: "p", deletionTimestamp: `2026-01-01T${at}Z`, deletionGracePeriodSeconds: current };
  const object = { apiVersion: "v1", kind: "Pod", metadata } as ApiObject;
  expect(beginDeletion(graceful, object, asked === undefined ? {} : { gracePeriodSeconds: asked }, NOW)).toBe(step);
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata;
  expect([deletionTimestamp, deletionGracePeriodSeconds]).toEqual([`2026-01-01T${after[0]}Z`, after[1]]);
});
