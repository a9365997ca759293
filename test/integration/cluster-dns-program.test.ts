import { Resolver } from "node:dns/promises";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { isBuilt, Program } from "../support/program.ts";

test.skipIf(!isBuilt)("cluster DNS as a program (needs the build)", { timeout: 30_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), "kybern-dns-"));
  const cluster: Cluster = await startCluster({ nodes: 0 });
  try {
    const kubeconfig = join(dir, "kubeconfig");
    await writeFile(kubeconfig, cluster.kubeconfig);
    const local = ["--bind-address=127.0.0.1", "--port=0", "--resolv-conf="];
    const ports = ["health", "ready", "metrics"].map((name) => `--${name}-bind-address=`);
    await using program = new Program(["cluster-dns", `--kubeconfig=${kubeconfig}`, ...local, ...ports]);
    await vi.waitFor(() => expect(program.stderr + program.stdout).toContain("names of the cluster are answered"), {
      timeout: 20_000,
    });
    const port = /"port":(\d+)[^\n]*cluster-dns runs/.exec(program.stderr + program.stdout)?.[1];
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    resolver.setServers([`127.0.0.1:${port}`]);
    expect(await resolver.resolve4("kubernetes.default.svc.cluster.local")).toEqual(["10.96.0.1"]);
    await expect(resolver.resolve4("www.example.com")).rejects.toMatchObject({ code: "EREFUSED" });
    program.kill("SIGTERM");
    expect(await program.exited).toBe(0);
  } finally {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  }
});

test.skipIf(!isBuilt).each([
  ["--bind-adress=127.0.0.1", "unknown flag: --bind-adress; did you mean --bind-address?"],
  ["--bind-address=localhost", 'flag --bind-address takes IP addresses, not "localhost"'],
  ["--upstream=dns.example", 'flag --upstream takes addresses such as 192.0.2.1 or [2001:db8::1]:53, not "dns.example"'],
  ["--pods=all", 'flag --pods takes insecure, verified, disabled, not "all"'],
  ["--cluster-domain=", 'flag --cluster-domain takes a name such as cluster.local, not ""'],
])("%s is refused", async (flag, message) => {
  await using program = new Program(["cluster-dns", "--master=http://127.0.0.1:1", flag]);
  expect(await program.exited).toBe(2);
  expect(program.stderr).toContain(message);
});
