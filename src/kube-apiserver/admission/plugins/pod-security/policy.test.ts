import { describe, expect, test } from "vitest";
import { DEFAULT_POLICY, levelVersionText, type Policy, policyOf, statedPolicyText } from "./policy.ts";

const labels = (of: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [`pod-security.kubernetes.io/${name}`, value]));
const text = ({ enforce, audit, warn }: Policy): string => [enforce, audit, warn].map(levelVersionText).join(" ");

describe("a namespace's policy", () => {
  test.each([
    { name: "nothing said", of: {}, want: "privileged:latest privileged:latest privileged:latest" },
    { name: "enforced is warned of too", of: { enforce: "baseline" }, want: "baseline:latest privileged:latest baseline:latest" },
    {
      name: "with the version",
      of: { enforce: "restricted", "enforce-version": "v1.25" },
      want: "restricted:v1.25 privileged:latest restricted:v1.25",
    },
    {
      name: "with a version of its own",
      of: { enforce: "restricted", "enforce-version": "v1.25", "warn-version": "v1.30" },
      want: "restricted:v1.25 privileged:latest restricted:v1.30",
    },
    {
      name: "unless warnings are spoken of",
      of: { enforce: "restricted", warn: "privileged" },
      want: "restricted:latest privileged:latest privileged:latest",
    },
    {
      name: "all three",
      of: { enforce: "baseline", audit: "restricted", warn: "restricted", "audit-version": "v1.0", "warn-version": "latest" },
      want: "baseline:latest restricted:v1.0 restricted:latest",
    },
  ])("$name", ({ of, want }) => {
    const { policy, errors } = policyOf(labels(of), DEFAULT_POLICY);
    expect(text(policy)).toBe(want);
    expect(errors).toEqual([]);
  });

  test.each([
    {
      of: { enforce: "x" },
      policy: "restricted:latest privileged:latest privileged:latest",
      detail: "must be one of privileged, baseline, restricted",
    },
    {
      of: { audit: "" },
      policy: "privileged:latest privileged:latest privileged:latest",
      detail: "must be one of privileged, baseline, restricted",
    },
    {
      of: { warn: "Baseline" },
      policy: "privileged:latest privileged:latest privileged:latest",
      detail: "must be one of privileged, baseline, restricted",
    },
    {
      of: { "enforce-version": "1.20" },
      policy: "privileged:latest privileged:latest privileged:latest",
      detail: 'must be "latest" or "v1.x"',
    },
    {
      of: { "enforce-version": "v1.01" },
      policy: "privileged:latest privileged:latest privileged:latest",
      detail: 'must be "latest" or "v1.x"',
    },
    {
      of: { "warn-version": "v1.9223372036854775808" },
      policy: "privileged:latest privileged:latest privileged:latest",
      detail: 'must be "latest" or "v1.x"',
    },
  ])("wrongly said: $of", ({ of, policy, detail }) => {
    const found = policyOf(labels(of), DEFAULT_POLICY);
    const [[name, value]] = Object.entries(of) as [[string, string]];
    expect(text(found.policy)).toBe(policy);
    expect(found.errors).toEqual([
      {
        type: "FieldValueInvalid",
        field: `metadata.labels[pod-security.kubernetes.io/${name}]`,
        message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
      },
    ]);
  });
});

test("what is stated is what labels speak of and what asks for something", () => {
  const given = labels({ enforce: "baseline", audit: "privileged", "warn-version": "v1.30" });
  expect(statedPolicyText(given, policyOf(given, DEFAULT_POLICY).policy)).toBe("enforce=baseline:latest, warn=baseline:v1.30");
});
