import { expect, test } from "vitest";
import type { ServiceAccount } from "#api/generated/core/v1.ts";
import { serviceAccounts } from "./service-account.ts";

const account = (annotations: Record<string, string>): ServiceAccount => ({ metadata: { annotations } });
const old = account({ "kubernetes.io/enforce-mountable-secrets": "true" });
const WARNING =
  "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets";

test("the annotation of mountable secrets is warned of when it is new", () => {
  const { strategy } = serviceAccounts({} as never);
  expect(strategy?.warningsOnCreate?.(old)).toEqual([WARNING]);
  expect(strategy?.warningsOnUpdate?.(old, account({}))).toEqual([WARNING]);
  expect(strategy?.warningsOnUpdate?.(old, old)).toEqual([]);
});
