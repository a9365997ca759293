import { describe, expect, test } from "vitest";
import { type NamedCertificate, namedContexts } from "#apiserver/server/named-certificates.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";

const now = Date.parse("2030-01-01T00:00:00Z");
const ca = createAuthority("ca", now);
const named = (commonName: string, hosts: readonly string[], names: readonly string[] = []): NamedCertificate => ({
  ...issueCertificate(ca, { commonName, usages: ["server"], hosts }, now),
  names,
});

/** Which of the certificates is shown. */
function shown(certificates: readonly NamedCertificate[], name: string): number | undefined {
  const of = namedContexts(certificates, {});
  const context = of(name);
  if (context === undefined) return undefined;
  // Contexts tell nothing of themselves: each certificate has a name of its own to know its context by.
  const found = certificates.findIndex((_, i) => of(`own-${i}.test`) === context);
  return found < 0 ? undefined : found;
}
const own = (i: number): string => `own-${i}.test`;

describe("who asks for a name is shown", () => {
  test.each([
    ["the certificate that was given it", [named("x", [], ["a.test", own(0)])], "a.test", 0],
    ["it in whatever letters", [named("x", [], ["A.test", own(0)])], "a.TEST", 0],
    ["what a pattern fits", [named("x", [], ["*.a.test", own(0)])], "b.a.test", 0],
    ["nothing by a pattern for more than one part", [named("x", [], ["*.test", own(0)])], "b.a.test", undefined],
    [
      "the whole name before the pattern",
      [named("x", [], ["*.a.test", own(0)]), named("x", [], ["b.a.test", own(1)])],
      "b.a.test",
      1,
    ],
    ["the first of several", [named("x", [], ["a.test", own(0)]), named("x", [], ["a.test", own(1)])], "a.test", 0],
    ["by a certificate's own names where none were given", [named("c.test", ["a.test", own(0)])], "a.test", 0],
    ["by its common name too", [named("c.test", [own(0)])], "c.test", 0],
    ["given names before a certificate's own", [named("x", ["a.test", own(0)]), named("x", [], ["a.test", own(1)])], "a.test", 1],
    ["the server's own certificate for what nobody has", [named("x", ["a.test", own(0)])], "z.test", undefined],
    [
      "the server's own where given names are others than the certificate's",
      [named("x", ["a.test"], [own(0)])],
      "a.test",
      undefined,
    ],
  ])("%s", (_, certificates, name, want) => {
    expect(shown(certificates, name)).toBe(want);
  });

  test("nothing where a certificate and its key do not go together", () => {
    const [a, b] = [named("a.test", []), named("b.test", [])];
    expect(() => namedContexts([{ cert: a.cert, key: b.key, names: [] }], {})).toThrow(/key values mismatch/);
  });
});
