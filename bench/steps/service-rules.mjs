import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** How long a change of one Service takes until the kernel's rules are in place, among so many Services. Needs root, nftables and iptables. */
export async function serviceRules(context, { services = [10, 1000], changes = 30 }) {
  if (!canRun()) {
    console.log("service rules: skipped, since they need root, network namespaces, nft and iptables");
    return;
  }
  // Beside the build, from where packages are found.
  const dir = mkdtempSync(join(root, "dist/.bench-"));
  const outfile = join(dir, "service-rules.mjs");
  try {
    await build({
      absWorkingDir: root,
      entryPoints: ["bench/service-rules.ts"],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
      conditions: ["source"],
      external: ["prom-client", "pino"],
      logLevel: "warning",
      define: { KYBERN_VERSION: JSON.stringify("v0.0.0") },
    });
    for (const mode of ["nftables", "iptables"]) {
      for (const count of services) {
        const args = ["--net", process.execPath, outfile, mode, String(count), String(changes)];
        const { firstMs, p50Ms, p99Ms, cpuMicros } = JSON.parse(execFileSync("unshare", args, { encoding: "utf8" }));
        const of = `${count.toLocaleString("en")} Services, ${mode}`;
        const rounded = { p50Ms: Number(p50Ms.toFixed(1)), p99Ms: Number(p99Ms.toFixed(1)) };
        context.report(`one change to rules in place, ${of}`, rounded.p50Ms, "ms", { less: true, cpuMicros, ...rounded });
        context.report(`all rules in place after a start, ${of}`, Math.round(firstMs), "ms", { less: true });
      }
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function canRun() {
  const tries = [
    ["unshare", ["--net", "nft", "list", "tables"]],
    ["unshare", ["--net", "iptables", "-S"]],
  ];
  return tries.every(([program, args]) => spawnSync(program, args, { stdio: "ignore" }).status === 0);
}
