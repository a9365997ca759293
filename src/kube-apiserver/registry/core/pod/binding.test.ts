import { expect, test } from "vitest";
import { checkPreconditions } from "./binding.ts";

const pod = { metadata: { name: "p", namespace: "n", uid: "u", resourceVersion: "7" }, spec: { containers: [] } };
const failed = (key: string, what: string): string =>
  `Operation cannot be fulfilled on pods "p": StorageError: invalid object, Code: 4, Key: ${key}/pods/n/p, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${what}`;

test.each<[string, object, boolean, string | undefined]>([
  ["any pod", {}, false, undefined],
  ["this pod", { uid: "u", resourceVersion: "7" }, false, undefined],
  ["another pod", { uid: "v" }, false, failed("/registry", "UID in precondition: v, UID in object meta: u")],
  ["another pod in a dry run", { uid: "v" }, true, failed("", "UID in precondition: v, UID in object meta: u")],
  [
    "an older pod",
    { resourceVersion: "6" },
    false,
    failed("/registry", "ResourceVersion in precondition: 6, ResourceVersion in object meta: 7"),
  ],
])("a binding of %s", (_, metadata, dryRun, want) => {
  const check = (): void => checkPreconditions({ metadata: { name: "p", ...metadata }, target: { name: "node" } }, pod, dryRun);
  if (want === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(want);
});
