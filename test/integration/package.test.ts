import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../architecture/source-tree.ts";

/** A test as a user of the package writes it. */
const USER_TEST = `
import { startCluster } from "kybern/envtest";

await using cluster = await startCluster({ nodes: 1 });
const nodes = await cluster.client.list({ group: "", version: "v1", resource: "nodes" }, "");
const names: (string | undefined)[] = nodes.items.map((node) => node.metadata.name);
process.stdout.write(names.join(",") + "\\n");
`;

describe("the package as npm packs it", () => {
  let project: string;
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "kybern-package-"));
    const run = (command: string, args: string[]) => execFileSync(command, args, { cwd: root, stdio: "pipe", encoding: "utf8" });
    // What `npm run build` does but for the bundles, which other tests run just now.
    run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"]);
    run("npm", ["pack", "--ignore-scripts", "--pack-destination", project, "--loglevel", "error"]);
    const tarball = readdirSync(project).find((name) => name.endsWith(".tgz")) ?? "";
    const installed = join(project, "node_modules/kybern");
    mkdirSync(installed, { recursive: true });
    run("tar", ["-xzf", join(project, tarball), "-C", installed, "--strip-components", "1"]);
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    for (const name of [...Object.keys(dependencies), "@types/node"]) {
      const link = join(project, "node_modules", name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, "node_modules", name), link);
    }
    writeFileSync(join(project, "package.json"), '{ "type": "module" }');
    writeFileSync(join(project, "cluster.ts"), USER_TEST);
  }, 120_000);
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test("envtest has types for its users", () => {
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--lib", "es2023,esnext.disposable"];
    execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...options, "--types", "node", "cluster.ts"], {
      cwd: project,
      stdio: "pipe",
    });
  });

  test("envtest runs from the installed package", () => {
    const script = USER_TEST.replace("await using cluster", "const cluster").replace(/: \(string \| undefined\)\[\]/, "");
    writeFileSync(join(project, "cluster.mjs"), `${script}\nawait cluster.stop();\n`);
    const output = execFileSync(process.execPath, ["cluster.mjs"], { cwd: project, encoding: "utf8", timeout: 30_000 });
    expect(output).toBe("node-0\n");
  });

  test("its program tells its version", () => {
    const output = execFileSync(process.execPath, [join(project, "node_modules/kybern/dist/cmd/kybern.js"), "version"], {
      encoding: "utf8",
    });
    expect(output).toContain("v1.36");
  });
});
