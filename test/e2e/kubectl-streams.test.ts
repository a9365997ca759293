import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { FakeKubelet, networkOf } from "../support/fake-kubelet.ts";
import { finish, serveCommand, servePorts } from "../support/fake-streams.ts";
import { eventually, hasKubectl, Kubectl, kubectlOfVersion } from "../support/kubectl.ts";

let cluster: Cluster;
let kubelet: FakeKubelet;
let dir: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "kybern-streams-"));
  kubelet = await FakeKubelet.start();
  cluster = await startCluster({ nodes: 0, network: networkOf(new Map([["fake-node", kubelet.port]])) });
  const ask = asker(cluster);
  const addresses = [{ type: "Hostname", address: "fake-node" }];
  const node = { metadata: { name: "fake-node" }, status: { addresses, daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } } };
  await ask("POST", "/api/v1/nodes", node);
  const containers = [{ name: "main", image: "x", stdin: true, ports: [{ containerPort: 8080 }] }];
  const pod = { metadata: { name: "web" }, spec: { nodeName: "fake-node", serviceAccountName: "default", containers } };
  await eventually(async () => (await ask("POST", "/api/v1/namespaces/default/pods", pod)).status === 201);
  const containerStatuses = [{ name: "main", ready: true, restartCount: 0, image: "x", imageID: "x", state: { running: {} } }];
  const status = { phase: "Running", podIP: "10.99.0.5", podIPs: [{ ip: "10.99.0.5" }], containerStatuses };
  expect((await ask("PATCH", "/api/v1/namespaces/default/pods/web/status", { status })).status).toBe(200);
}, 60_000);
afterAll(async () => {
  for (const child of children) child.kill();
  await cluster?.stop();
  await kubelet?.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
  kubelet.requests.length = 0;
  kubelet.onUpgrade = serve;
  kubelet.onRequest = (request, response) => {
    const query = new URLSearchParams(request.url?.split("?")[1]);
    response.write(`log ${query}\n`);
    if (query.get("follow") === "true") setTimeout(() => response.end("more\n"), 50);
    else response.end();
  };
});

/** Runs commands of this machine in a folder of the test's own, in the place of a container. */
function serve(request: IncomingMessage, socket: Duplex): void {
  if (request.url?.startsWith("/portForward/") === true) {
    servePorts(request, socket);
    return;
  }
  serveCommand(request, socket, (streams, query) => {
    const [program = "cat", ...args] = query.getAll("command");
    const child = spawn(program, args, { cwd: dir, stdio: "pipe" });
    children.add(child);
    if (streams.stdin === undefined) child.stdin.end();
    else streams.stdin.pipe(child.stdin);
    child.stdin.on("error", () => {});
    if (streams.stdout !== undefined) child.stdout.pipe(streams.stdout, { end: false });
    if (streams.stderr !== undefined) child.stderr.pipe(streams.stderr, { end: false });
    streams.resize?.once("data", (size: Buffer) => streams.stdout?.write(`size ${size}`));
    child.once("close", (code) => {
      children.delete(child);
      finish(streams, code ?? 1);
    });
  });
}

/** Gives a command a terminal. */
const hasScript = spawnSync("script", ["--version"], { stdio: "ignore" }).status === 0;
const VERSIONS = ["1.27", "1.30", "1.33"] as const;
const WITHOUT_WEB_SOCKETS = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" };

describe
  .skipIf(!hasKubectl)
  .each([
    ...VERSIONS.map((version) => ({ version, env: {}, how: "" })),
    { version: "1.33", env: WITHOUT_WEB_SOCKETS, how: " without WebSockets" },
  ])("kubectl $version$how", ({ version, env }) => {
  const program = kubectlOfVersion(version);
  let kubectl: Kubectl;
  beforeAll(() => {
    kubectl = new Kubectl(cluster.kubeconfig, program);
  });
  afterAll(() => kubectl?.[Symbol.dispose]());

  test.skipIf(program === undefined)("exec: output, both kinds, and the exit code", async () => {
    const { code, stdout, stderr } = await kubectl.run(
      ["exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7"],
      "",
      env,
    );
    expect({ code, stdout }).toEqual({ code: 7, stdout: "out\n" });
    expect(stderr).toContain("err\n");
    expect(stderr).toContain("command terminated with exit code 7");
  });

  test.skipIf(program === undefined)("exec -i: input up to its end", async () => {
    expect(await kubectl.ok(["exec", "-i", "web", "--", "cat"], "one\ntwo\n", env)).toBe("one\ntwo\n");
    const large = "x".repeat(3_000_000);
    expect((await kubectl.ok(["exec", "-i", "web", "--", "wc", "-c"], large, env)).trim()).toBe("3000000");
    expect(await kubectl.ok(["exec", "-i", "web", "--", "cat"], large, env)).toBe(large);
  });

  test.skipIf(program === undefined || !hasScript)("exec -it: a terminal, and its size", async () => {
    const words = [program ?? "kubectl", "exec", "-it", "web", "--", "head", "-n1"].join(" ");
    const shell = `stty rows 30 cols 90; ${words}`;
    const output = await new Promise<string>((resolve) => {
      let text = "";
      const child = spawn("script", ["-qec", shell, "/dev/null"], {
        env: { ...kubectl.env, ...env },
        stdio: ["pipe", "pipe", "inherit"],
      });
      let said = false;
      child.stdin.on("error", () => {});
      child.stdout.on("data", (chunk) => {
        text += chunk;
        if (!said && text.includes("Height")) said = child.stdin.write("hello\n") || true;
      });
      child.once("close", () => resolve(text));
    });
    expect(output).toContain('size {"Width":90,"Height":30}');
    expect(output).toContain("hello");
  });

  test.skipIf(program === undefined)("attach", async () => {
    expect(await kubectl.ok(["attach", "-i", "web"], "hello\n", env)).toContain("hello\n");
  });

  test.skipIf(program === undefined)("cp, both ways", async () => {
    const here = join(dir, `here-${version}`);
    const back = join(dir, `back-${version}`);
    const text = `${"text ".repeat(200_000)}\n`;
    writeFileSync(here, text);
    await kubectl.ok(["cp", here, `web:${join(dir, "there")}`], "", env);
    await kubectl.ok(["cp", `web:${join(dir, "there")}`, back], "", env);
    expect(readFileSync(back, "utf8")).toBe(text);
  });

  test.skipIf(program === undefined)("logs, with all that may be asked", async () => {
    expect(await kubectl.ok(["logs", "web"], "", env)).toBe("log stream=All\n");
    expect(await kubectl.ok(["logs", "-f", "web", "--tail=3"], "", env)).toBe("log follow=true&stream=All&tailLines=3\nmore\n");
    const all = ["logs", "web", "-p", "--since=5s", "--limit-bytes=100", "--timestamps", "--insecure-skip-tls-verify-backend"];
    const want = "log limitBytes=100&previous=true&sinceSeconds=5&stream=All&timestamps=true\n";
    expect(await kubectl.ok(all, "", env)).toBe(want);
  });

  test.skipIf(program === undefined)("port-forward", async () => {
    using forward = kubectl.start(["port-forward", "web", ":8080"], env);
    const line = await eventually(() => /127\.0\.0\.1:(\d+) -> 8080/.exec(forward.output));
    const port = Number(line?.[1]);
    for (const text of ["first", "second"]) expect(await said(port, text)).toBe(`8080: ${text}`);
    expect((await said(port, "y".repeat(1_000_000))).length).toBe(1_000_006);
  });

  test.skipIf(program === undefined)("proxy, and get --raw", async () => {
    expect(await kubectl.ok(["get", "--raw", "/api/v1/nodes/fake-node/proxy/x?a=b"], "", env)).toBe("log a=b\n");
    using proxy = kubectl.start(["proxy", "--port=0", "--disable-filter=true"], env);
    const line = await eventually(() => /127\.0\.0\.1:(\d+)/.exec(proxy.output));
    const answer = await fetch(`http://127.0.0.1:${line?.[1]}/api/v1/namespaces/default/pods/web/log?tailLines=1`);
    expect(await answer.text()).toBe("log stream=All&tailLines=1\n");
  });
});

/** What comes back for a text on a forwarded port, as long as it is with `8080: ` before it. */
function said(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => {
      answer += chunk;
      if (answer.length < text.length + 6) return;
      socket.destroy();
      resolve(answer);
    });
    socket.on("error", reject);
  });
}
