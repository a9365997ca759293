import { describe, expect, test } from "vitest";
import { credentialsFor } from "./webhook-credentials.ts";

const shown = (names: readonly string[], hostPort: string, current?: string): string | undefined => {
  const byName = new Map(names.map((name) => [name, { headers: { "x-name": name } }]));
  return credentialsFor({ byName, ...(current === undefined ? {} : { current }) }, hostPort)?.headers["x-name"] as
    | string
    | undefined;
};

// Upstream's authentication_test.go has cases of these kinds.
describe("a webhook is shown", () => {
  test.each([
    ["what has its name and port", ["foo.com:443", "foo.com", "*.com:443"], "foo.com:443", "foo.com:443"],
    ["what has its name, where the port is the usual one", ["foo.com", "*.com", "*"], "foo.com:443", "foo.com"],
    ["nothing of its name, where the port is another", ["foo.com", "*.com"], "foo.com:8443", undefined],
    ["what has the end of its name and the port", ["*.com:8443", "*"], "foo.com:8443", "*.com:8443"],
    ["what is nearest to its name", ["*.svc", "*.ns.svc"], "w.ns.svc:443", "*.ns.svc"],
    ["the end with a port before the whole name without", ["w.ns.svc", "*.svc:443"], "w.ns.svc:443", "*.svc:443"],
    ["what is for all", ["*", "bar.com"], "foo.com:443", "*"],
    ["nothing where there is nothing for it", ["bar.com"], "foo.com:443", undefined],
    ["nothing by a star in the middle", ["w.*.svc"], "w.ns.svc:443", undefined],
  ])("%s", (_, names, hostPort, want) => {
    expect(shown(names, hostPort)).toBe(want);
  });

  test("the current context's at last", () => {
    expect(shown(["me"], "foo.com:443", "me")).toBe("me");
    expect(shown(["me", "*"], "foo.com:443", "me")).toBe("*");
  });
});
