import { expect, test } from "vitest";
import { parseLogOptions } from "./log-options.ts";

const NOW = Date.parse("2030-01-01T00:00:10Z");

const read: readonly (readonly [string, object])[] = [
  ["", { follow: false, previous: false, timestamps: false, streams: ["stdout", "stderr"] }],
  ["follow=true&previous=1&timestamps", { follow: true, previous: true, timestamps: true }],
  ["follow=false", { follow: false }],
  ["tailLines=5&limitBytes=9", { tailLines: 5, limitBytes: 9 }],
  ["tail=7&tailLines=5", { tailLines: 7 }],
  ["tail=all&tailLines=5", { tailLines: undefined }],
  ["sinceSeconds=4", { sinceMs: NOW - 4000 }],
  ["sinceTime=2030-01-01T00:00:01Z", { sinceMs: NOW - 9000 }],
  ["stream=Stderr", { streams: ["stderr"] }],
];
test.each(read)("%s", (query, want) => {
  expect(parseLogOptions(new URLSearchParams(query), NOW)).toMatchObject(want);
});

test.each([
  ["tailLines=x", 400],
  ["sinceTime=yesterday", 400],
  ["tailLines=-1", 422],
  ["limitBytes=0", 422],
  ["sinceSeconds=0", 422],
  ["sinceSeconds=1&sinceTime=2030-01-01T00:00:01Z", 422],
  ["stream=Other", 422],
  ["stream=Stdout&tailLines=1", 422],
])("%s is refused", (query, status) => {
  expect(parseLogOptions(new URLSearchParams(query), NOW)).toMatchObject({ status });
});
