import { expect, test } from "vitest";
import { parseFlags } from "#component-base/flags.ts";
import { upFlags } from "../up/flags.ts";
import { etcdAddresses } from "./storage-flags.ts";

test.each([
  { args: ["--etcd-servers=http://a:1,http://b:1"], want: ["http://a:1", "http://b:1"] },
  {
    args: ["--etcd-servers=http://a:1", "--etcd-servers-overrides=/events#http://c:1;http://a:1,events.k8s.io/events#http://c:1"],
    want: ["http://a:1", "http://c:1"],
  },
  { args: [], want: [] },
])("$args: every etcd is named once", ({ args, want }) => {
  expect(etcdAddresses(parseFlags(upFlags, args))).toEqual(want);
});
