import { spawnSync } from "node:child_process";
import { bundle, runProgram } from "../bundle.mjs";

/** How long a change of one Service takes until the kernel's rules are in place, among so many Services. Needs root, nftables and iptables. */
export async function serviceRules(context, { services = [10, 1000], changes = 30 }) {
  if (!canRun()) {
    context.skip("service rules are left out: they need root, network namespaces, nft and iptables");
    return;
  }
  const { path, remove } = await bundle("service-rules");
  try {
    for (const mode of ["nftables", "iptables"]) {
      for (const count of services) {
        const args = [mode, count, changes];
        const { firstMs, p50Ms, p99Ms, cpuMicros } = await runProgram(path, args, ["unshare", "--net"]);
        const of = `${count.toLocaleString("en")} Services, ${mode}`;
        const rounded = { p50Ms: Number(p50Ms.toFixed(1)), p99Ms: Number(p99Ms.toFixed(1)) };
        context.report(`one change to rules in place, ${of}`, rounded.p50Ms, "ms", { less: true, cpuMicros, ...rounded });
        context.report(`all rules in place after a start, ${of}`, Math.round(firstMs), "ms", { less: true });
      }
    }
  } finally {
    remove();
  }
}

function canRun() {
  const tries = [
    ["unshare", ["--net", "nft", "list", "tables"]],
    ["unshare", ["--net", "iptables", "-S"]],
  ];
  return tries.every(([program, args]) => spawnSync(program, args, { stdio: "ignore" }).status === 0);
}
