import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { describeFlags } from "#component-base/flags.ts";
import { kubeApiServerFlags } from "../../src/cmd/kube-apiserver-flags.ts";
import { kubeControllerManagerFlags } from "../../src/cmd/kube-controller-manager-flags.ts";
import { kubeSchedulerFlags } from "../../src/cmd/kube-scheduler.ts";
import { ldapAuthnFlags } from "../../src/cmd/ldap-authn-flags.ts";
import { upFlags } from "../../src/cmd/up-flags.ts";
import { root } from "../architecture/source-tree.ts";

const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

test.each(documents)("%s points at files that are there", (name) => {
  const text = readFileSync(join(root, name), "utf8");
  const paths = [
    ...text.matchAll(/`((?:src|test|docs|hack|bench)\/[\w./-]*)`/g),
    ...text.matchAll(/\]\((?!https?:)([\w./-]+)\)/g),
  ].map((match) => match[1] ?? "");
  // From the root, as code names files, or from the page, as links do.
  const folders = [root, join(root, dirname(name))];
  expect(paths.filter((path) => !folders.some((folder) => existsSync(join(folder, path))))).toEqual([]);
});

test("docs/kybern-up.md shows the flags as the program does", () => {
  expect(readFileSync(join(root, "docs/kybern-up.md"), "utf8")).toContain(describeFlags(upFlags));
});

test("docs/ldap-authn.md shows the flags as the program does", () => {
  expect(readFileSync(join(root, "docs/ldap-authn.md"), "utf8")).toContain(describeFlags(ldapAuthnFlags));
});

test.each([
  ["kube-apiserver", kubeApiServerFlags],
  ["kube-controller-manager", kubeControllerManagerFlags],
  ["kube-scheduler", kubeSchedulerFlags],
] as const)("docs/programs.md shows the flags of %s as the program does", (_, flags) => {
  expect(readFileSync(join(root, "docs/programs.md"), "utf8")).toContain(describeFlags(flags));
});

test("README's two commands are those of package.json", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect([...readme.matchAll(/^npm ci && (.+)$/gm)].map((match) => match[1])).toEqual(["npm start", "npm test"]);
  expect(scripts).toMatchObject({ start: expect.any(String), test: expect.any(String) });
});
