import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually, hasKubectl, Kubectl, kubectlOfVersion } from "../support/kubectl.ts";

let cluster: Cluster;
let dir: string;
/** Commands that wait until nobody is there any more. */
let waiting = 0;

const POD = `
apiVersion: v1
kind: Pod
metadata: {name: web, annotations: {kybern.io/simulated-log-text.quiet: "said at the start"}}
spec:
  containers:
  - name: main
    image: busybox
    command: [sh, -c, 'i=0; while true; do echo "turn $i"; i=$((i+1)); sleep 0.1; done']
    ports: [{containerPort: 8080}]
    env: [{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
  - {name: quiet, image: x}
---
apiVersion: v1
kind: Pod
metadata: {name: crashing}
spec: {containers: [{name: main, image: x, command: [sh, -c, 'echo attempt $((1)); exit 1'], env: []}]}
`;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "kybern-simulated-"));
  cluster = await startCluster({
    nodes: 1,
    simulation: {
      async exec(argv, { stdout, pod, container, signal }) {
        if (argv[0] === "forever") {
          waiting++;
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
          waiting--;
          return 1;
        }
        if (argv[0] !== "mine") return undefined;
        stdout?.write(`${pod}/${container}: ${argv.slice(1)}\n`);
        return 42;
      },
      serve(connection, { pod, port }) {
        if (port !== 9999) return false;
        connection.on("data", (chunk) => connection.end(`${pod}: ${chunk}`));
        return true;
      },
    },
  });
  if (!hasKubectl) return;
  using kubectl = new Kubectl(cluster.kubeconfig);
  await eventually(async () => (await kubectl.run(["get", "serviceaccount", "default"])).code === 0);
  await kubectl.ok(["apply", "-f", "-"], POD);
  await kubectl.ok(["wait", "--for=condition=ready", "pod/web", "--timeout=30s"]);
}, 90_000);
afterAll(async () => {
  await cluster?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** The oldest that speaks SPDY only, the one on the PATH, and the newest. */
const programs = ["1.27", "", "1.33"].flatMap((version) => {
  const program = version === "" ? "kubectl" : kubectlOfVersion(version);
  return program === undefined || !hasKubectl ? [] : [[version === "" ? "on the PATH" : version, program] as const];
});

describe.skipIf(!hasKubectl).each(programs)("kubectl %s on a simulated node", (_version, program) => {
  const run = async (args: readonly string[], input?: string) => {
    using kubectl = new Kubectl(cluster.kubeconfig, program);
    return await kubectl.run(args, input);
  };

  test("logs of each container, by their options", async () => {
    expect((await run(["logs", "web", "-c", "quiet"])).stdout).toBe("said at the start\n");
    await eventually(async () => (await run(["logs", "web", "-c", "main", "--tail", "1"])).stdout !== "turn 0\n");
    expect((await run(["logs", "web", "-c", "main", "--limit-bytes", "9"])).stdout).toBe("turn 0\ntu");
    expect((await run(["logs", "web", "-c", "main", "--timestamps", "--tail", "1"])).stdout).toMatch(
      /^20\S+\.\d{9}Z turn \d+\n$/,
    );
    expect((await run(["logs", "-f", "web", "-c", "main", "--limit-bytes", "60"])).stdout.split("\n").length).toBeGreaterThan(7);
  });

  test("what a container said before it was started again", async () => {
    await eventually(async () => (await run(["logs", "crashing", "--previous"])).stdout === "attempt 1\n");
    const { stderr } = await run(["logs", "web", "-c", "main", "--previous"]);
    expect(stderr).toContain('previous terminated container "main" in pod "web" not found');
  });

  test("commands: output, complaints, input, exit codes, variables", async () => {
    const failed = await run(["exec", "web", "-c", "main", "--", "sh", "-c", "echo out $POD; echo err >&2; exit 3"]);
    expect(failed).toEqual({ code: 3, stdout: "out web\n", stderr: "err\ncommand terminated with exit code 3\n" });
    expect((await run(["exec", "-i", "web", "-c", "main", "--", "wc", "-c"], "x".repeat(300_000))).stdout).toBe("300000\n");
    const missing = await run(["exec", "web", "-c", "main", "--", "nosuch"]);
    expect(missing.stderr).toContain('exec: "nosuch": executable file not found in $PATH');
  });

  test("commands that the test has put in", async () => {
    const { code, stdout } = await run(["exec", "web", "-c", "quiet", "--", "mine", "a", "b"]);
    expect([code, stdout]).toEqual([42, "web/quiet: a,b\n"]);
  });

  test("a client that goes away ends its command", async () => {
    using kubectl = new Kubectl(cluster.kubeconfig, program);
    {
      using _running = kubectl.start(["exec", "web", "-c", "main", "--", "forever"]);
      await eventually(() => waiting === 1);
    }
    await eventually(() => waiting === 0);
  });

  test("files go in and out", async () => {
    mkdirSync(join(dir, "in/sub"), { recursive: true });
    const bytes = Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * 7919) % 251));
    writeFileSync(join(dir, "in/sub/big"), bytes);
    writeFileSync(join(dir, "in/small"), "small");
    expect((await run(["cp", join(dir, "in"), "web:/copied", "-c", "main"])).stderr).not.toContain("error");
    await run(["cp", "web:/copied", join(dir, "out"), "-c", "main"]);
    expect(readFileSync(join(dir, "out/sub/big")).equals(bytes)).toBe(true);
    expect(readFileSync(join(dir, "out/small"), "utf8")).toBe("small");
    await run(["exec", "web", "-c", "main", "--", "rm", "-r", "/copied"]);
    rmSync(join(dir, "out"), { recursive: true });
  });

  test("ports: the default page, and what the test has put in", async () => {
    using kubectl = new Kubectl(cluster.kubeconfig, program);
    using forward = kubectl.start(["port-forward", "pod/web", ":8080", ":9999"]);
    const local = (port: number): number =>
      Number(new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${port}`).exec(forward.output)?.[1] ?? 0);
    await eventually(() => local(8080) > 0 && local(9999) > 0);
    const asked = await Promise.all([1, 2, 3].map((i) => say(local(8080), `GET /${i} HTTP/1.0\r\n\r\n`)));
    for (const [i, answer] of asked.entries()) {
      expect(answer).toContain("pod: default/web\n");
      expect(answer).toContain(`request: GET /${i + 1} HTTP/1.0\n`);
    }
    expect(await say(local(9999), "hello")).toBe("web: hello");
  });

  test("the proxy of pods and nodes", async () => {
    expect((await run(["get", "--raw", "/api/v1/namespaces/default/pods/web:8080/proxy/x"])).stdout).toContain(
      "request: GET /x HTTP/1.1",
    );
    expect((await run(["get", "--raw", "/api/v1/nodes/node-0/proxy/healthz"])).stdout).toBe("ok");
  });

  test("a pod that is run and attached to", async () => {
    const name = `once-${programs.findIndex(([, one]) => one === program)}`;
    const { code, stdout } = await run(
      ["run", name, "--rm", "-i", "--image=x", "--restart=Never", "--", "sh"],
      "echo from $HOSTNAME; exit 0\n",
    );
    expect(stdout).toContain(`from ${name}\n`);
    expect(code).toBe(0);
  });
});

/** Says something to a port of this machine; gives the whole answer. */
function say(port: number, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(words));
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("end", () => {
      socket.end();
      resolve(Buffer.concat(chunks).toString());
    });
    socket.on("error", reject);
  });
}
