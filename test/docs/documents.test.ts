import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { describeFlags } from "#component-base/flags.ts";
import { clusterDnsFlags } from "../../src/cmd/cluster-dns/flags.ts";
import { haproxyFlags } from "../../src/cmd/config.ts";
import { kubeApiServerFlags } from "../../src/cmd/kube-apiserver-flags.ts";
import { kubeControllerManagerFlags } from "../../src/cmd/kube-controller-manager-flags.ts";
import { kubeProxyFlags } from "../../src/cmd/kube-proxy/flags.ts";
import { kubeSchedulerFlags } from "../../src/cmd/kube-scheduler.ts";
import { kubeletFlags } from "../../src/cmd/kubelet/flags.ts";
import { ldapAuthnFlags } from "../../src/cmd/ldap-authn-flags.ts";
import { upFlags } from "../../src/cmd/up/flags.ts";
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

/** `UPDATE_DOCS=1` writes the lists of flags anew: the block behind the heading, or the first that lists flags. */
const update = process.env.UPDATE_DOCS === "1";

test.each([
  ["docs/kybern-up.md", "", upFlags],
  ["docs/ldap-authn.md", "", ldapAuthnFlags],
  ["docs/kube-proxy.md", "## Flags", kubeProxyFlags],
  ["docs/kubelet.md", "## Flags", kubeletFlags],
  ["docs/cluster-dns.md", "## Flags", clusterDnsFlags],
  ["docs/several-masters.md", "", haproxyFlags],
  ["docs/programs.md", "### Flags of `kube-apiserver`", kubeApiServerFlags],
  ["docs/programs.md", "### Flags of `kube-controller-manager`", kubeControllerManagerFlags],
  ["docs/programs.md", "### Flags of `kube-scheduler`", kubeSchedulerFlags],
] as const)("%s %s shows the flags as the program does", (page, heading, flags) => {
  const path = join(root, page);
  const text = readFileSync(path, "utf8");
  const described = describeFlags(flags);
  if (update) {
    const start = text.indexOf("\n", text.lastIndexOf("```", text.indexOf("      --", text.indexOf(heading)))) + 1;
    writeFileSync(path, `${text.slice(0, start)}${described}\n${text.slice(text.indexOf("```", start))}`);
  }
  expect(readFileSync(path, "utf8")).toContain(described);
});

test("README's two commands are those of package.json", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect([...readme.matchAll(/^npm ci && (.+)$/gm)].map((match) => match[1])).toEqual(["npm start", "npm test"]);
  expect(scripts).toMatchObject({ start: expect.any(String), test: expect.any(String) });
});

test("docs/stores.md names every test that is left out on some store, and the stores that it is for", () => {
  const table = readFileSync(join(root, "docs/stores.md"), "utf8");
  const listed = [...table.matchAll(/^\| ([^|]+) \| (lmdb|etcd|memory) \|$/gm)].map(([, name, store]) => `${name}: ${store}`);
  const files = ["test/e2e", "test/integration"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(root, folder, file)),
  );
  const left = files
    .filter((file) => file.endsWith(".test.ts"))
    .flatMap((file) => [...readFileSync(file, "utf8").matchAll(/isOnOtherStoreThan\(([^)]*)\)\)\(\s*"([^"]*?)(?: \([^"]*\))?"/g)])
    // `kybern up` is on lmdb where memory is asked for.
    .map(([, stores = "", name]) => `${name}: ${stores.replaceAll('"', "").replace("memory, lmdb", "lmdb")}`);
  expect(left.sort()).toEqual(listed.sort());
});
