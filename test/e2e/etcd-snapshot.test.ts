import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { EtcdStore } from "#storage/etcd/etcd-store.ts";
import { ETCD_REASON, Etcd, hasEtcd } from "../support/etcd.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";

const fixtures = fileURLToPath(new URL("../../../shared/upstream/roundtrip", import.meta.url));
const digest = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

/** How many processes serve a snapshot's folder. */
const membersIn = (folder: string): number =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
    } catch {
      return false;
    }
  }).length;

describe.skipIf(!hasEtcd || !isBuilt || !hasKubectl)(`kybern up --from-etcd-snapshot (${ETCD_REASON}, kubectl and dist/)`, () => {
  let dir: string;
  let etcd: Etcd;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "kybern-snapshots-"));
    etcd = await Etcd.start();
  });
  afterEach(async () => {
    await etcd[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  const save = (name: string): string => {
    etcd.ctl("snapshot", "save", join(dir, name));
    return join(dir, name);
  };
  const isUp = (program: Program, text: string): Promise<unknown> =>
    eventually(() => program.stdout.includes(text), 30_000, `the banner: ${program.stderr}`);
  const look = async (file: string, ...flags: string[]): Promise<{ program: Program; kubectl: Kubectl; folder: string }> => {
    const program = new Program(["up", "--secure-port", "0", "--from-etcd-snapshot", file, ...flags]);
    await isUp(program, "for reading only");
    const kubeconfig = /KUBECONFIG=(\S+)/.exec(program.stdout)?.[1] ?? "";
    return { program, kubectl: new Kubectl(readFileSync(kubeconfig, "utf8")), folder: join(kubeconfig, "..") };
  };
  const end = async ({ program, folder }: { program: Program; folder: string }): Promise<void> => {
    expect(membersIn(folder)).toBeGreaterThan(0);
    program.kill("SIGTERM");
    expect(await program.exited).toBe(0);
    expect([existsSync(folder), membersIn(folder), program.stderr]).toEqual([false, 0, ""]);
  };

  test("a cluster on etcd is shown as it was: custom resources, encrypted Secrets, and nothing can be changed", async () => {
    const config = join(dir, "encryption.yaml");
    writeFileSync(
      config,
      `{apiVersion: apiserver.config.k8s.io/v1, kind: EncryptionConfiguration, resources: [{resources: [secrets], providers: [{aesgcm: {keys: [{name: one, secret: ${Buffer.alloc(32, 7).toString("base64")}}]}}]}]}`,
    );
    const data = join(dir, "data");
    const flags = ["--data-dir", data, "--secure-port", "0", "--encryption-provider-config", config];
    await using cluster = new Program(["up", ...flags, "--etcd-servers", etcd.urls.join()]);
    await isUp(cluster, "is up");
    using writer = new Kubectl(readFileSync(join(data, "admin.kubeconfig"), "utf8"));
    await writer.ok(["create", "deployment", "web", "--image=nginx", "--replicas=2"]);
    await writer.ok(["create", "secret", "generic", "hidden", "--from-literal=a=b"]);
    const crontabs = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "crontabs.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { plural: "crontabs", singular: "crontab", kind: "CronTab" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
          },
        ],
      },
    };
    await writer.ok(["create", "-f", "-"], JSON.stringify(crontabs));
    await writer.ok(["wait", "--for=condition=Established", "crd/crontabs.example.com"]);
    const custom = { apiVersion: "example.com/v1", kind: "CronTab", metadata: { name: "c" }, spec: { every: 5 } };
    await eventually(async () => (await writer.run(["apply", "-f", "-"], JSON.stringify(custom))).code === 0, 20_000);
    await writer.ok(["rollout", "status", "deployment/web", "--timeout=60s"]);
    const file = save("cluster.db");
    const asWas = await writer.ok(["get", "deployment", "web", "-o", "json"]);
    cluster.kill("SIGTERM");
    await cluster.exited;
    const before = digest(file);

    const shown = await look(file, "--encryption-provider-config", config);
    await using _program = shown.program;
    using kubectl = shown.kubectl;
    expect(JSON.parse(await kubectl.ok(["get", "deployment", "web", "-o", "json"]))).toEqual(JSON.parse(asWas));
    expect((await kubectl.ok(["get", "pods", "-o", "name"])).trim().split("\n")).toHaveLength(2);
    expect(await kubectl.ok(["get", "secret", "hidden", "-o", "jsonpath={.data.a}"])).toBe("Yg==");
    expect(await kubectl.ok(["get", "crontab", "c", "-o", "jsonpath={.spec.every}"])).toBe("5");
    expect(await kubectl.ok(["get", "--raw", "/readyz"])).toBe("ok");
    for (const args of [
      ["create", "configmap", "new"],
      ["delete", "deployment", "web"],
      ["label", "secret", "hidden", "a=b"],
      ["scale", "deployment/web", "--replicas=5"],
      ["delete", "crontab", "c"],
    ]) {
      const refused = await kubectl.run(args);
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("open for reading only")]);
    }
    const pod = (await kubectl.ok(["get", "pods", "-o", "name"])).split("\n")[0] ?? "";
    expect((await kubectl.run(["logs", pod])).stderr).toContain("the machines of its cluster are not asked");
    expect((await kubectl.run(["auth", "can-i", "create", "pods"])).stdout.trim()).toMatch(/^no/);
    expect(JSON.parse(await kubectl.ok(["get", "deployment", "web", "-o", "json"]))).toEqual(JSON.parse(asWas));
    await end(shown);
    expect(digest(file)).toBe(before);

    // Without the keys nothing but what is encrypted is missing.
    const blind = await look(file, "--log-level", "silent");
    await using _blind = blind.program;
    using other = blind.kubectl;
    expect((await other.run(["get", "secret", "hidden"])).code).toBe(1);
    expect(await other.ok(["get", "deployment", "web", "-o", "name"])).toBe("deployment.apps/web\n");
    await end(blind);
  });

  test.skipIf(!existsSync(fixtures))("what upstream stored in protobuf is shown, under another prefix too", async () => {
    await using store = new EtcdStore({ urls: etcd.urls, tls: {}, clock: realClock, random: systemRandom });
    for (const [key, fixture] of [
      ["pods/namespaceValue/p", "core.v1.Pod"],
      ["deployments/namespaceValue/d", "apps.v1.Deployment"],
      ["configmaps/namespaceValue/c", "core.v1.ConfigMap"],
      ["clusterroles/r", "rbac.authorization.k8s.io.v1.ClusterRole"],
      ["minions/n", "core.v1.Node"],
    ] as const) {
      const value = readFileSync(join(fixtures, `${fixture}.pb`));
      await store.txn({ key: `/clusters/one/${key}`, expectedModRevision: 0, put: { value } });
    }
    const shown = await look(save("upstream.db"), "--etcd-prefix", "/clusters/one");
    await using _program = shown.program;
    using kubectl = shown.kubectl;
    for (const [resource, fixture] of [
      ["configmaps", "core.v1.ConfigMap"],
      ["deployments", "apps.v1.Deployment"],
    ] as const) {
      const want = JSON.parse(readFileSync(join(fixtures, `${fixture}.json`), "utf8"));
      const [got] = (await kubectl.json(["get", resource, "-n", "namespaceValue"])).items as { metadata: { uid: string } }[];
      expect(got?.metadata.uid).toBe(want.metadata.uid);
    }
    for (const resource of ["pods", "clusterroles", "nodes"]) {
      expect((await kubectl.json(["get", resource, "-n", "namespaceValue"])).items).toHaveLength(1);
    }
    // What a cluster begins with is not made.
    expect((await kubectl.json(["get", "namespaces"])).items).toEqual([]);
    await end(shown);
  });

  test("a member's own file will do; what is none is refused in words", async () => {
    etcd.ctl(
      "put",
      "/registry/configmaps/default/a",
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"default"}}',
    );
    const snapshot = save("s.db");
    // A snapshot is the file with a digest behind it.
    mkdirSync(join(dir, "copy"));
    const bare = join(dir, "copy", "db");
    writeFileSync(bare, readFileSync(snapshot).subarray(0, -32));
    const shown = await look(bare);
    await using _program = shown.program;
    using kubectl = shown.kubectl;
    expect(await kubectl.ok(["get", "configmaps", "-n", "default", "-o", "name"])).toBe("configmap/a\n");
    await end(shown);
    // However the program ends, the member does too.
    const killed = await look(snapshot);
    await using _killed = killed.program;
    using _kubectl = killed.kubectl;
    killed.program.kill("SIGKILL");
    await eventually(() => membersIn(killed.folder) === 0, 10_000, "the member's end");
    rmSync(killed.folder, { recursive: true, force: true });
    const broken = join(dir, "broken.db");
    copyFileSync(snapshot, broken);
    writeFileSync(broken, Buffer.concat([readFileSync(snapshot).subarray(0, -1), Buffer.from([0])]));
    for (const [args, code, text] of [
      [["--from-etcd-snapshot", join(dir, "nowhere")], 1, "cannot be read"],
      [["--from-etcd-snapshot", broken], 1, "cannot restore the snapshot"],
      [["--from-etcd-snapshot", snapshot, "--etcd-servers", etcd.urls.join()], 2, "exclude each other"],
    ] as const) {
      await using refused = new Program(["up", "--secure-port", "0", ...args]);
      expect([await refused.exited, refused.stderr]).toEqual([code, expect.stringContaining(text)]);
    }
  });
});
