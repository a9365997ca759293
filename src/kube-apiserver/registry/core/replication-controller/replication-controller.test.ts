import { expect, test } from "vitest";
import { replicationControllers } from "./replication-controller.ts";

const NOT_A_NAME =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

test.each<[string, string, boolean, string[]]>([
  ["a name", "Web", false, [NOT_A_NAME]],
  ["a long name", "a".repeat(254), false, ["must be no more than 253 bytes"]],
  ["the start of a name", "Web-", true, []],
])("%s", (_, name, prefix, want) => {
  expect(replicationControllers().strategy?.validateName?.(name, prefix)).toEqual(want);
});
