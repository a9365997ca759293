import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { createRestClient } from "#client/rest-client.ts";
import { eventually } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";
import { isOnOtherStoreThan } from "../support/store-choice.ts";

const configMaps = { group: "", version: "v1", resource: "configmaps" };

describe.skipIf(!isBuilt)("kybern up (needs dist/, which npm run build makes)", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kybern-up-"));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  const upArgs = () => ["up", "--data-dir", dir, "--secure-port", "0"];
  const isUp = (program: Program) => eventually(() => program.stdout.includes("is up"), 20_000, "the banner");
  const connect = () =>
    createRestClient({
      ...parseKubeconfig(readFileSync(join(dir, "admin.kubeconfig"), "utf8"), () => ""),
      userAgent: "test",
      clock: realClock,
    });

  test("keeps everything over a restart, stops cleanly, and leaves keys to their owner", async () => {
    {
      await using program = new Program(upArgs());
      await isUp(program);
      expect(program.stdout).toContain(`export KUBECONFIG=${dir}/admin.kubeconfig`);
      const client = connect();
      await client.create(configMaps, "default", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kept" } });
      await client.close();
      program.kill("SIGTERM");
      expect(await program.exited).toBe(0);
      expect(program.stdout).toContain("Stopped.");
    }
    expect(statSync(join(dir, "admin.kubeconfig")).mode & 0o777).toBe(0o600);
    await using program = new Program(upArgs());
    await isUp(program);
    const client = connect();
    expect((await client.get(configMaps, "default", "kept")).metadata.name).toBe("kept");
    await client.close();
  });

  test("keeps nothing when it is asked to keep its state in memory", async () => {
    for (const name of ["first", "second"]) {
      await using program = new Program([...upArgs(), "--storage-backend=memory", "--nodes", "0"]);
      await isUp(program);
      expect(program.stdout).toContain(`data          in memory, gone with the process, ${dir}\n`);
      const client = connect();
      const { items } = await client.list(configMaps, "default");
      expect(items.map(({ metadata }) => metadata.name)).not.toContain("first");
      await client.create(configMaps, "default", { apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
      await client.close();
      program.kill("SIGTERM");
      expect(await program.exited).toBe(0);
    }
  });

  test("runs what is asked for alone", async () => {
    await using program = new Program([...upArgs(), "--components", "kube-controller-manager", "--nodes", "0"]);
    await isUp(program);
    expect(program.stdout).toContain("runs          kube-apiserver, kube-controller-manager, 0 simulated nodes\n");
    await using unknown = new Program([...upArgs(), "--components", "kubelet"]);
    expect(await unknown.exited).toBe(2);
    expect(unknown.stderr).toContain('flag --components takes kube-controller-manager, kube-scheduler, not "kubelet"');
  });

  test("survives kill -9 with what it acknowledged", async () => {
    {
      await using program = new Program(upArgs());
      await isUp(program);
      const client = connect();
      await client.create(configMaps, "default", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "acknowledged" } });
      program.kill("SIGKILL");
      await program.exited;
      await client.close();
    }
    await using program = new Program(upArgs());
    await isUp(program);
    const client = connect();
    expect((await client.get(configMaps, "default", "acknowledged")).metadata.name).toBe("acknowledged");
    await client.close();
  });

  test.skipIf(isOnOtherStoreThan("memory", "lmdb"))(
    "a second one on the same data directory is refused (the embedded store)",
    async () => {
      await using first = new Program(upArgs());
      await isUp(first);
      await using second = new Program(upArgs());
      expect(await second.exited).toBe(1);
      expect(second.stderr).toMatch(/cannot be opened.*another kybern/);
    },
  );

  test("a port in use is named, with what to do", async () => {
    const { server, port } = await listen();
    await using program = new Program(["up", "--data-dir", dir, "--secure-port", String(port)]);
    expect(await program.exited).toBe(1);
    expect(program.stderr).toContain(`port ${port} on 127.0.0.1 is in use`);
    server.close();
  });

  test.each([
    {
      name: "an unknown store names those that there are",
      args: ["up", "--storage-backend=sqlite"],
      code: 2,
      want: "takes one of lmdb, memory, etcd3",
    },
    {
      name: "etcd without an address is refused",
      args: ["up", "--storage-backend=etcd3"],
      code: 2,
      want: "needs --etcd-servers",
    },
    { name: "a wrong flag names the nearest", args: ["up", "--data-dri=x"], code: 2, want: "did you mean --data-dir?" },
    { name: "a wrong value is explained", args: ["up", "--nodes=many"], code: 2, want: "--nodes takes a whole number" },
    { name: "a wrong command lists the right ones", args: ["upp"], code: 2, want: 'unknown command "upp"' },
  ])("$name", async ({ args, code, want }) => {
    await using program = new Program(args);
    expect(await program.exited).toBe(code);
    expect(program.stderr).toContain(want);
  });

  test("help lists the flags", async () => {
    await using program = new Program(["up", "--help"]);
    expect(await program.exited).toBe(0);
    for (const flag of ["--data-dir", "--secure-port", "--bind-address", "--nodes"]) expect(program.stdout).toContain(flag);
  });

  test("a data directory that is a file is refused", async () => {
    const file = join(dir, "file");
    writeFileSync(file, "");
    await using program = new Program(["up", "--data-dir", file, "--secure-port", "0"]);
    expect(await program.exited).toBe(1);
    expect(program.stderr).toContain(`the data directory ${file} cannot be used`);
  });

  test.skipIf(isOnOtherStoreThan("memory", "lmdb"))(
    "a store that is no store is refused, and left as it is (the embedded store)",
    async () => {
      mkdirSync(join(dir, "store"));
      for (const name of ["data.mdb", "lock.mdb"]) writeFileSync(join(dir, "store", name), "this is not a database");
      await using program = new Program(upArgs());
      expect(await program.exited).toBe(1);
      expect(program.stderr).toContain("cannot be opened");
      expect(readFileSync(join(dir, "store", "data.mdb"), "utf8")).toBe("this is not a database");
    },
  );

  test.runIf(process.getuid?.() === 0)("a missing permission is explained (needs root, to become somebody else)", async () => {
    chmodSync(dir, 0o755);
    const closed = join(dir, "closed");
    mkdirSync(closed, { mode: 0o700 });
    await using program = new Program(["up", "--data-dir", join(closed, "data"), "--secure-port", "0"], { uid: 65_534 });
    expect(await program.exited).toBe(1);
    expect(program.stderr).toContain("no permission to write in the data directory");
  });
});

function listen(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () =>
      resolve({ server, port: (server.address() as { port: number }).port }),
    );
  });
}
