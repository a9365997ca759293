import { expect, test } from "vitest";
import type { ReplicationController } from "#api/generated/core/v1.ts";
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

test("a change of the spec is warned of by the template before it", () => {
  const controller = (generation: number, secrets: readonly object[]): ReplicationController =>
    ({ metadata: { generation }, spec: { template: { spec: { containers: [], imagePullSecrets: secrets } } } }) as never;
  const warnings = replicationControllers().strategy?.warningsOnUpdate;
  expect(warnings?.(controller(2, []), controller(1, [{}]))).toEqual([
    'spec.template.spec.imagePullSecrets[0].name: invalid empty name ""',
  ]);
  expect(warnings?.(controller(1, [{}]), controller(1, [{}]))).toEqual([]);
});
