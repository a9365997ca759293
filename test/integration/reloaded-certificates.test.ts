import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { renderKubeconfig } from "#pki/kubeconfig.ts";
import { ETCD_REASON, Etcd, hasEtcd } from "../support/etcd.ts";
import { type Caller, GuardedServer } from "../support/guarded-server.ts";
import { eventually } from "../support/kubectl.ts";
import { freePorts } from "../support/ports.ts";
import { isBuilt, Program } from "../support/program.ts";

const now = realClock.now();
const serving = (ca: CertificatePair, commonName: string, hosts: readonly string[] = ["127.0.0.1"]): CertificatePair =>
  issueCertificate(ca, { commonName, usages: ["server"], hosts }, now);

/** The common name of what a port shows to who asks for a name. */
function shownAt(port: number, servername?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, rejectUnauthorized: false, ...(servername && { servername }) };
    const socket = connect(options, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

describe("an API server whose certificates change", () => {
  let server: GuardedServer;
  const [first, second] = [createAuthority("first", now), createAuthority("second", now)];
  const dir = mkdtempSync(join(tmpdir(), "kybern-reloaded-"));
  const clientCaFile = join(dir, "clients.pem");
  const member = (ca: CertificatePair): CertificatePair =>
    issueCertificate(ca, { commonName: "alice", organizations: ["system:masters"], usages: ["client"] }, now);

  beforeAll(async () => {
    writeFileSync(clientCaFile, first.cert);
    server = await GuardedServer.start({ authentication: { clientCaFile } });
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const status = async (who: Caller): Promise<number> => (await server.ask(who, "GET", "/api/v1/namespaces")).status;
  const use = (more: object = {}): Promise<void> => server.server.useCertificates({ ...server.assets, ...more });
  const published = async (): Promise<string> => {
    const path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
    return (await server.ask(server.admin, "GET", path)).body.data["client-ca-file"];
  };

  test("asks again who came by an authority that is no more, on connections that are open, and publishes the next", async () => {
    const open = server.caller(member(first));
    expect(await status(open)).toBe(200);
    expect(await published()).toContain(first.cert.trim());
    writeFileSync(clientCaFile, second.cert);
    await use();
    expect(await status(open)).toBe(401);
    expect(await status(server.caller(member(first)))).toBe(401);
    expect(await status(server.caller(member(second)))).toBe(200);
    expect(await status(server.admin)).toBe(200);
    expect(await published()).toContain(second.cert.trim());
    expect(await published()).not.toContain(first.cert.trim());
  });

  test("shows who asks for a name that name's certificate, with the same clients let in", async () => {
    const named = { ...serving(server.assets.ca, "for-a", ["a.test"]), names: [] };
    await use({ named: [named] });
    expect(await shownAt(server.server.port)).toBe("kube-apiserver");
    expect(await shownAt(server.server.port, "a.test")).toBe("for-a");
    const agent = new Agent({ ca: server.assets.ca.cert, servername: "a.test", ...member(second) });
    expect(await status({ agent })).toBe(200);
    agent.destroy();
    await use({ named: [{ ...serving(server.assets.ca, "for-b", ["b.test"]), names: [] }] });
    expect(await shownAt(server.server.port, "a.test")).toBe("kube-apiserver");
    expect(await shownAt(server.server.port, "b.test")).toBe("for-b");
  });

  test("keeps the last where a certificate and its key do not go together", async () => {
    await use();
    const half = { cert: serving(first, "half").cert, key: server.assets.apiserver.key };
    await expect(use({ apiserver: half })).rejects.toThrow(/key values mismatch/);
    await expect(use({ named: [{ ...half, names: ["a.test"] }] })).rejects.toThrow(/key values mismatch/);
    expect(await shownAt(server.server.port)).toBe("kube-apiserver");
  });
});

describe.skipIf(!hasEtcd || !isBuilt)(`programs whose certificates change (${ETCD_REASON}, and dist/)`, () => {
  let dir: string;
  let etcd: Etcd;
  const running: AsyncDisposable[] = [];
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "kybern-reloaded-"));
    etcd = await Etcd.start();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((program) => program[Symbol.asyncDispose]()));
    await etcd[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });
  const path = (name: string): string => join(dir, name);
  const write = (name: string, { cert, key }: CertificatePair): void => {
    writeFileSync(path(`${name}.pem`), cert);
    writeFileSync(path(`${name}-key.pem`), key);
  };
  const run = (...args: string[]): Program => {
    const program = new Program(args);
    running.push(program);
    return program;
  };

  test("take up the new ones without a restart", async () => {
    const ca = createAuthority("kubernetes", now);
    const [port = 0, managerPort = 0, schedulerPort = 0] = await freePorts(3);
    write("ca", ca);
    for (const name of ["server", "named", "manager", "scheduler"]) write(name, serving(ca, `${name}-1`));
    const shown = (name: string): string[] => [
      `--tls-cert-file=${path(`${name}.pem`)}`,
      `--tls-private-key-file=${path(`${name}-key.pem`)}`,
    ];
    const api = run(
      "kube-apiserver",
      `--etcd-servers=${etcd.urls.join(",")}`,
      `--cert-dir=${path("run")}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      ...shown("server"),
      `--tls-sni-cert-key=${path("named.pem")},${path("named-key.pem")}:*.a.test,a.test`,
      `--client-ca-file=${path("ca.pem")}`,
      "--authorization-mode=Node,RBAC",
    );
    await eventually(() => api.stderr.includes("the API server is ready"), 20_000, `an API server: ${api.stderr}`);
    const components = [
      ["kube-controller-manager", managerPort, "manager"],
      ["kube-scheduler", schedulerPort, "scheduler"],
    ] as const;
    for (const [name, securePort, files] of components) {
      const user = `system:${name}`;
      const identity = issueCertificate(ca, { commonName: user, usages: ["client"] }, now);
      const kubeconfig = renderKubeconfig({ server: `https://127.0.0.1:${port}`, user, ca: ca.cert, ...identity });
      writeFileSync(path(`${name}.kubeconfig`), kubeconfig);
      const program = run(
        name,
        `--kubeconfig=${path(`${name}.kubeconfig`)}`,
        "--bind-address=127.0.0.1",
        `--secure-port=${securePort}`,
        ...shown(files),
      );
      await eventually(() => program.stderr.includes(`${name} runs`), 20_000, `${name}: ${program.stderr}`);
    }
    const all = async (): Promise<string[]> => [
      await shownAt(port),
      await shownAt(port, "x.a.test"),
      await shownAt(managerPort),
      await shownAt(schedulerPort),
    ];
    expect(await all()).toEqual(["server-1", "named-1", "manager-1", "scheduler-1"]);
    for (const name of ["server", "named", "manager", "scheduler"]) write(name, serving(ca, `${name}-2`));
    const isNew = async (): Promise<boolean> => (await all()).every((name) => name.endsWith("-2"));
    await eventually(isNew, 30_000, "the new certificates");
  }, 90_000);
});
