import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import { eventually, hasKubectl, Kubectl, kubectlOfVersion } from "../support/kubectl.ts";
import { NodePrograms, type WatchedProcess } from "../support/node-programs.ts";
import { isBuilt } from "../support/program.ts";
import { hasTerminals, PseudoTerminal } from "../support/pseudo-terminal.ts";
import { saySkipped } from "../support/say-skipped.ts";

const canRun = containerdVersions.length > 0 && isBuilt && hasKubectl && hasTerminals;
saySkipped(canRun, `kubectl and a real node: ${CONTAINERD_REASON}; kubectl, python3 and dist/`);

const MIB = 1024 * 1024;
const LARGE_BYTES = 200 * MIB;
const SMALL_BYTES = 8 * MIB;
/** What a server may need more at its peak than before: far less than what goes through it. */
const GROWTH_BYTES_MAX = 64 * MIB;
const AT_ONCE = 200;
const WITHOUT_WEB_SOCKETS = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" };
const WEB_SOCKETS = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "true", KUBECTL_PORT_FORWARD_WEBSOCKETS: "true" };
/** With it every version of kubectl that is there is tried, on every containerd; without it those that differ, on the newest. */
const EVERY = process.env.KYBERN_TEST_EVERY_KUBECTL !== undefined;
/** By what each speaks: SPDY/3.1 up to 1.28, WebSockets v5 and tunnels from 1.31 on, and in between when told to. */
const SPEAKERS = [
  { how: "WebSockets of kubectl 1.30", version: "1.30", env: WEB_SOCKETS },
  { how: "WebSockets of kubectl 1.33", version: "1.33", env: {} },
  { how: "SPDY of kubectl 1.27", version: "1.27", env: {} },
  { how: "SPDY of kubectl 1.33", version: "1.33", env: WITHOUT_WEB_SOCKETS },
  ...(EVERY ? ["1.20", "1.28", "1.29", "1.31", "1.32"] : []).map((version) => ({ how: `kubectl ${version}`, version, env: {} })),
].flatMap((speaker) => {
  const program = kubectlOfVersion(speaker.version);
  return program === undefined ? [] : [{ ...speaker, program }];
});

/** Sends back what comes, on port 8080, and whatever is taken, on 8081; tells on 8082 how many connections are open. */
const SERVER = `
const { createServer } = require("node:net");
let open = 0;
const counted = (serve) => (socket) => {
  open++;
  socket.on("error", () => {}).on("close", () => open--);
  serve(socket);
};
createServer({ allowHalfOpen: true }, counted((socket) => socket.pipe(socket))).listen(8080, "0.0.0.0", 1024);
const zeros = Buffer.alloc(65536);
createServer(counted((socket) => {
  const write = () => { while (!socket.destroyed && socket.write(zeros)); };
  socket.on("drain", write);
  write();
})).listen(8081);
createServer((socket) => socket.on("error", () => {}).end(String(open))).listen(8082, () => console.log("listening"));
process.on("SIGTERM", () => process.exit());
`;

describe.each(canRun ? containerdVersions.slice(EVERY ? 0 : -1) : [])("kubectl and a real node on $name", (version) => {
  let node: NodePrograms;
  let kubectl: Kubectl;
  let dir: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "kybern-streams-"));
    node = await NodePrograms.start(version, {
      containerLogMaxSize: "256Ki",
      containerLogMonitorInterval: "3s",
      containerLogMaxFiles: 10,
    });
    kubectl = new Kubectl(node.kubeconfig);
    await create(
      node.pod("web", { command: ["sh", "-c", "echo started; exec sleep 2147483647"] }),
      node.pod("server", ...serverPod()),
      node.pod("shell", { command: ["sh", "-i"], stdin: true, tty: true, readinessProbe: { exec: { command: ["true"] } } }),
      node.pod("once", { command: ["sh", "-c", "cat; echo end"], stdin: true, stdinOnce: true }, { restartPolicy: "Never" }),
    );
    await kubectl.ok(["wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s"]);
    // What a server opens for the first request of its kind and keeps: Node's own watcher of files.
    using follower = kubectl.start(["logs", "-f", "web"]);
    await eventually(() => follower.output.includes("started"));
  }, 120_000);
  afterAll(async () => {
    kubectl?.[Symbol.dispose]();
    await node?.[Symbol.asyncDispose]();
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  const create = (...pods: readonly object[]): Promise<string> =>
    kubectl.ok(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: pods }));
  const containerOf = async (pod: string): Promise<string> =>
    (await kubectl.ok(["get", "pod", pod, "--output=jsonpath={.status.containerStatuses[0].containerID}"])).replace(
      /^.*:\/\//,
      "",
    );
  /** A command of kubectl whose input and output are the test's to read and write. */
  const start = (args: readonly string[], { program = "kubectl", env = {} } = {}): ChildProcess =>
    spawn(program, [...args], { env: { ...kubectl.env, ...env }, stdio: "pipe" });
  const both = (): readonly WatchedProcess[] => Object.values(node.servers);

  /** Fails when a server keeps a socket, pipe or file that it did not have before, or has needed much memory. */
  async function leavingNothing<T>(act: () => Promise<T>): Promise<T> {
    // What comes with the first request of its kind stays.
    const before = both().map((server) => ({ server, handles: server.handles, bytes: server.residentBytes }));
    for (const { server } of before) server.forgetPeak();
    const result = await act();
    for (const { server, handles, bytes } of before) {
      expect((server.peakBytes - bytes) / MIB).toBeLessThan(GROWTH_BYTES_MAX / MIB);
      await eventually(() => server.handles <= handles, 30_000, `${handles} handles: ${server.open.join("\n")}`);
    }
    return result;
  }

  describe.each(SPEAKERS)("over $how", ({ program, env }) => {
    let own: Kubectl;
    beforeAll(() => {
      own = new Kubectl(node.kubeconfig, program);
    });
    afterAll(() => own[Symbol.dispose]());

    test("a command's outputs, its exit code, and the end of its input", async () => {
      const script = "cat; echo done; echo err >&2; exit 7";
      const { code, stdout, stderr } = await own.run(["exec", "-i", "web", "--", "sh", "-c", script], "one\ntwo\n", env);
      expect({ code, stdout }).toEqual({ code: 7, stdout: "one\ntwo\ndone\n" });
      expect(stderr).toBe("err\ncommand terminated with exit code 7\n");
      // A command that does not read its input is not kept by it; containerd itself is, by more than a pipe holds.
      expect(await own.run(["exec", "-i", "web", "--", "true"], "x".repeat(10_000), env)).toMatchObject({ code: 0, stdout: "" });
      expect(await own.run(["exec", "web", "--", "nothing-like-it"], "", env)).toMatchObject({
        code: expect.not.stringMatching("^0$"),
        stderr: expect.stringContaining("nothing-like-it"),
      });
      expect(await own.run(["exec", "web", "--", "sh", "-c", "kill -9 $$"], "", env)).toMatchObject({ code: 137 });
    });

    test("a file there and back", async () => {
      await copyThereAndBack(own, SMALL_BYTES, env);
    });

    test("a terminal, its size, and what it becomes", async () => {
      const words = [
        program,
        "exec",
        "-it",
        "web",
        "--",
        "sh",
        "-c",
        `trap 'stty size' WINCH; stty size; while :; do read x && [ "$x" = bye ] && exit 5; done`,
      ];
      await using terminal = new PseudoTerminal(words, { rows: 31, columns: 97, env: { ...kubectl.env, ...env } });
      // The terminal has no size yet when the command begins.
      await eventually(() => terminal.shown.includes("31 97"), 20_000, "the first size");
      terminal.resize(44, 120);
      await eventually(
        () => {
          // A signal that comes just before the shell waits for a line is answered behind that line.
          terminal.type("\r");
          return terminal.shown.includes("44 120");
        },
        20_000,
        "the second size",
      );
      terminal.type("bye\r");
      expect(await terminal.exited).toBe(5);
    });

    test("ports, of which each connection ends by itself", async () => {
      await using forward = await forwarding(own, "server", [8080], env);
      for (const text of ["first", "y".repeat(MIB)]) expect(await echoed(forward.ports[0] ?? 0, text)).toBe(text);
    });
  });

  async function copyThereAndBack(own: Kubectl, bytes: number, env: NodeJS.ProcessEnv): Promise<void> {
    const [here, back] = [join(dir, "here"), join(dir, "back")];
    execFileSync("sh", ["-c", `head -c ${bytes} /dev/urandom >${here}`]);
    const sum = sha256(here);
    await own.ok(["cp", here, "web:/tmp/there"], "", env);
    expect(await own.ok(["exec", "web", "--", "sha256sum", "/tmp/there"], "", env)).toBe(`${sum}  /tmp/there\n`);
    await own.ok(["cp", "web:/tmp/there", back], "", env);
    expect(sha256(back)).toBe(sum);
  }

  test("200 MB there and back, of which no server keeps much", async () => {
    await leavingNothing(() => copyThereAndBack(kubectl, LARGE_BYTES, WEB_SOCKETS));
  });

  test.each([
    { how: "WebSockets", env: WEB_SOCKETS },
    { how: "SPDY", env: WITHOUT_WEB_SOCKETS },
  ])("who reads slowly holds the command back, and nothing grows (over $how)", async ({ env }) => {
    const container = await containerOf("web");
    await leavingNothing(async () => {
      // Nobody reads its output beyond what fits in the pipe.
      const child = start(["exec", "web", "--", "cat", "/dev/zero"], { env });
      const ended = new Promise((resolve) => child.once("close", resolve));
      const cat = await eventually(() => pidOf(container, "cat /dev/zero"));
      await stalls(() => counter(cat, "wchar"));
      child.kill("SIGKILL");
      child.stdout?.resume();
      await ended;
      // containerd's shim goes on holding it back.
      process.kill(cat);
    });
  });

  test("a command that reads late holds back who writes, nothing grows, and nothing is lost", async () => {
    const script = "touch /tmp/waits; while [ -e /tmp/waits ]; do usleep 100000; done; exec wc -c";
    await leavingNothing(async () => {
      const input = spawn("head", ["-c", String(SMALL_BYTES * 8), "/dev/zero"], { stdio: ["ignore", "pipe", "inherit"] });
      const child = spawn("kubectl", ["exec", "-i", "web", "--", "sh", "-c", script], {
        env: kubectl.env,
        stdio: [input.stdout, "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (chunk) => {
        output += chunk;
      });
      await stalls(() => counter(child.pid ?? 0, "rchar"));
      expect(counter(child.pid ?? 0, "rchar")).toBeLessThan(SMALL_BYTES * 8);
      await kubectl.ok(["exec", "web", "--", "rm", "/tmp/waits"]);
      expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
      expect(output).toBe(`${SMALL_BYTES * 8}\n`);
    });
  });

  const pidOf = (container: string, command: string): number =>
    [...node.processes(container)].find(([, line]) => line === command)?.[0] ?? 0;

  test.each([
    { how: "WebSockets", env: WEB_SOCKETS, connections: 1000 },
    { how: "SPDY", env: WITHOUT_WEB_SOCKETS, connections: 400 },
  ])("$connections connections through one forwarded port over $how", async ({ env, connections }) => {
    await leavingNothing(async () => {
      await using forward = await forwarding(kubectl, "server", [8080, 8082], env);
      const [port = 0, counting = 0] = forward.ports;
      for (let begun = 0; begun < connections; begun += AT_ONCE) {
        const texts = Array.from({ length: AT_ONCE }, (_, i) => `connection ${begun + i} ${"z".repeat(1000)}`);
        expect(await Promise.all(texts.map((text) => echoed(port, text)))).toEqual(texts);
      }
      await eventually(async () => (await answered(counting, "")) === "0", 20_000, "connections closed in the container");
    });
  });

  test("who reads a forwarded connection slowly holds its server back", async () => {
    await leavingNothing(async () => {
      await using forward = await forwarding(kubectl, "server", [8081, 8080, 8082], WEB_SOCKETS);
      const [zeros = 0, echo = 0, counting = 0] = forward.ports;
      const socket = connect(zeros, "127.0.0.1");
      socket.on("error", () => undefined);
      const server = await eventually(async () => [...node.processes(await containerOf("server")).keys()][0] ?? 0);
      await stalls(() => counter(server, "wchar"));
      socket.destroy();
      // Others go on.
      expect(await echoed(echo, "still there")).toBe("still there");
      await eventually(async () => (await answered(counting, "")) === "0", 20_000, "connections closed in the container");
    });
  });

  test("a log that is followed over rotations, without a line lost or doubled", async () => {
    const lines = 40_000;
    const script = `i=0; while [ $i -lt ${lines} ]; do echo "line $i of many"; i=$((i+1)); [ $((i % 400)) = 0 ] && usleep 100000; done; echo end; exec sleep 1000`;
    await create(node.pod("talks", { command: ["sh", "-c", script] }));
    await kubectl.ok(["wait", "--for=condition=Ready", "pod/talks", "--timeout=60s"]);
    await leavingNothing(async () => {
      const child = start(["logs", "-f", "talks"]);
      let text = "";
      child.stdout?.on("data", (chunk) => {
        text += chunk;
      });
      await eventually(() => text.endsWith("end\n"), 60_000, "the end of the log");
      child.kill();
      const got = text.split("\n").slice(0, -2);
      const wrong = got.findIndex((line, i) => line !== `line ${i} of many`);
      expect({ wrong, around: wrong < 0 ? [] : got.slice(wrong - 1, wrong + 2), count: got.length }).toEqual({
        wrong: -1,
        around: [],
        count: lines,
      });
    });
    const { metadata } = JSON.parse(await kubectl.ok(["get", "pod", "talks", "-o", "json"]));
    const folder = `/var/log/pods/default_talks_${metadata.uid}/app`;
    const rotated = execFileSync("ls", [folder], { encoding: "utf8" }).trim().split("\n");
    expect(rotated.length).toBeGreaterThan(2);
    await kubectl.ok(["delete", "pod", "talks"]);
  });

  test("what of a log is asked for", async () => {
    const command = [
      "sh",
      "-c",
      "for i in 1 2 3 4 5; do echo line $i; done; echo err >&2; [ -e /data/again ] && exec sleep 1000; touch /data/again; exit 3",
    ];
    const volumes = [{ name: "data", emptyDir: {} }];
    const volumeMounts = [{ name: "data", mountPath: "/data" }];
    await create(node.pod("twice", { command, volumeMounts }, { volumes }));
    await eventually(
      async () =>
        (await kubectl.ok([
          "get",
          "pod",
          "twice",
          "--output=jsonpath={.status.containerStatuses[0].restartCount} {.status.phase} {.status.containerStatuses[0].ready}",
        ])) === "1 Running true",
    );
    const log = async (...flags: readonly string[]): Promise<string[]> =>
      (await kubectl.ok(["logs", "twice", ...flags])).split("\n").slice(0, -1);
    const out = [1, 2, 3, 4, 5].map((i) => `line ${i}`);
    expect((await log()).sort()).toEqual(["err", ...out]);
    expect((await log("--previous")).sort()).toEqual(["err", ...out]);
    expect(await log("--tail=2")).toHaveLength(2);
    expect(await log("--tail=0")).toEqual([]);
    const whole = await kubectl.ok(["logs", "twice"]);
    expect(await kubectl.ok(["logs", "twice", "--limit-bytes=10"])).toBe(whole.slice(0, 10));
    expect(await log("--since=1h")).toHaveLength(6);
    expect(await log(`--since-time=${new Date(Date.now() + 60_000).toISOString()}`)).toEqual([]);
    const stamped = await log("--timestamps");
    for (const line of stamped) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) (line \d|err)$/);
    expect(await log("--since-time=2001-02-03T04:05:06Z")).toHaveLength(6);
    expect(await log("--prefix", "--tail=1")).toEqual([expect.stringMatching(/^\[pod\/twice\/app\] /)]);
    expect((await kubectl.run(["logs", "web", "--previous"])).stderr).toContain(
      'previous terminated container "app" in pod "web" not found',
    );
    await kubectl.ok(["delete", "pod", "twice"]);
  });

  test("attach to a terminal, leave it, and come back to it", async () => {
    const attach = (rows: number, columns: number): PseudoTerminal =>
      new PseudoTerminal(["kubectl", "attach", "-it", "shell"], { rows, columns, env: kubectl.env });
    await leavingNothing(async () => {
      {
        await using terminal = attach(30, 90);
        // The size may come later than what is typed.
        await eventually(
          () => {
            terminal.type("mine=kept; stty size\r");
            return terminal.shown.includes("30 90");
          },
          20_000,
          "the size",
        );
        terminal.resize(41, 121);
        await eventually(
          () => {
            terminal.type("stty size\r");
            return terminal.shown.includes("41 121");
          },
          20_000,
          "the new size",
        );
      }
      await using terminal = attach(33, 99);
      await eventually(
        () => {
          terminal.type("echo $mine; stty size\r");
          return /kept\r\n33 99/.test(terminal.shown);
        },
        20_000,
        "the same shell",
      );
    });
  });

  test("the input of a container that has it once ends with who gave it", async () => {
    expect(await kubectl.ok(["attach", "-i", "once"], "given\n")).toContain("given\n");
    await kubectl.ok(["wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/once", "--timeout=30s"]);
    expect(await kubectl.ok(["logs", "once"])).toBe("given\nend\n");
  });

  test("the kubelet's own paths, through the API server", async () => {
    const path = (rest: string): string => `/api/v1/nodes/real-0/proxy/${rest}`;
    const raw = (rest: string): Promise<string> => kubectl.ok(["get", "--raw", path(rest)]);
    const names = async (rest: string): Promise<readonly string[]> =>
      JSON.parse(await raw(rest)).items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
    for (const rest of ["pods", "runningpods/"]) expect(await names(rest)).toEqual(expect.arrayContaining(["shell", "web"]));
    expect(await raw("healthz")).toBe("ok");
    expect(JSON.parse(await raw("configz")).kubeletconfig).toMatchObject({ containerLogMaxFiles: 10 });
    expect(JSON.parse(await raw("stats/summary")).node).toMatchObject({ nodeName: "real-0" });
    expect(await raw("containerLogs/default/web/app")).toBe("started\n");
    expect(await raw("logs/")).toContain("<pre>");
    expect(JSON.parse(await raw("debug/pprof/profile?seconds=1")).nodes.length).toBeGreaterThan(1);
    const post = (rest: string): ReturnType<Kubectl["run"]> => kubectl.run(["create", "--raw", path(rest), "-f", "-"], "");
    expect(await post("run/default/web/app?cmd=echo%20ran")).toMatchObject({ code: 0, stdout: "ran\n" });
    // containerd needs CRIU for it, which no test machine has.
    expect((await post("checkpoint/default/web/app")).stderr).toMatch(/checkpointing of default\/web\/app failed|could not find/);
    const values = async (page: string): Promise<ReadonlyMap<string, number>> =>
      new Map((await raw(page)).split("\n").flatMap((line) => (/^(\w.*) (\S+)$/.test(line) ? [splitLast(line)] : [])));
    const metrics = await values("metrics");
    for (const name of [
      'kubelet_runtime_operations_total{operation_type="run_podsandbox"}',
      'kubelet_runtime_operations_duration_seconds_count{operation_type="create_container"}',
      'kubelet_run_podsandbox_duration_seconds_count{runtime_handler=""}',
      'kubelet_started_containers_total{container_type="container"}',
      'kubelet_http_requests_total{method="POST",path="exec",server_type="readwrite",long_running="true"}',
      'kubelet_node_name{node="real-0"}',
      'kubelet_desired_pods{static=""}',
      'kubelet_running_containers{container_state="running"}',
      "kubelet_started_pods_total",
      "kubelet_pleg_relist_duration_seconds_count",
      "kubelet_pleg_last_seen_seconds",
      "process_resident_memory_bytes",
    ]) {
      expect([name, metrics.get(name)]).toEqual([name, expect.any(Number)]);
      expect([name, metrics.get(name)]).not.toEqual([name, 0]);
    }
    const of = 'container="app",pod="shell",namespace="default"';
    await eventually(async () =>
      [...(await values("metrics/probes")).keys()].some((name) =>
        name.startsWith(`prober_probe_total{probe_type="Readiness",${of},`),
      ),
    );
    expect(
      (await values("metrics/resource")).get('container_memory_working_set_bytes{container="app",namespace="default",pod="web"}'),
    ).toBeGreaterThan(0);
    expect(
      [...(await values("metrics/cadvisor")).keys()].filter((name) =>
        /^container_cpu_usage_seconds_total\{.*pod="web"/.test(name),
      ),
    ).not.toEqual([]);
  });

  test("a kubectl that is killed leaves no connection, and no command that reads from it", async () => {
    const container = await containerOf("web");
    const resting = [...node.processes(container).values()];
    for (const env of [WEB_SOCKETS, WITHOUT_WEB_SOCKETS]) {
      await leavingNothing(async () => {
        const reader = start(["exec", "-i", "web", "--", "cat"], { env });
        const follower = start(["logs", "-f", "web"], { env });
        await using terminal = new PseudoTerminal(["kubectl", "exec", "-it", "web", "--", "sh"], {
          rows: 20,
          columns: 80,
          env: { ...kubectl.env, ...env },
        });
        await using forward = await forwarding(kubectl, "server", [8080], env);
        const open = connect(forward.ports[0] ?? 0, "127.0.0.1");
        open.on("error", () => undefined).write("hello");
        await new Promise((resolve) => open.once("data", resolve));
        await eventually(() => node.processes(container).size === resting.length + 2, 20_000, "the commands");
        for (const child of [reader, follower]) child.kill("SIGKILL");
        await terminal[Symbol.asyncDispose]();
        await eventually(() => pidOf(container, "cat") === 0, 20_000, "the end of the command whose input has ended");
        // containerd leaves who sits at a terminal, as it does under any kubelet.
        process.kill(pidOf(container, "sh"), "SIGKILL");
        await eventually(() => node.processes(container).size === resting.length, 20_000, "the shell's end");
        open.destroy();
      });
    }
    expect([...node.processes(container).values()]).toEqual(resting);
  });
});

/** A pod's container with {@link SERVER}, run by this process's own Node, whose libraries are the machine's. */
function serverPod(): [object, object] {
  const folders = ["/usr", "/lib", "/lib64", dirname(process.execPath)].filter((path) => existsSync(path));
  const volumes = folders.map((path, i) => ({ name: `v${i}`, hostPath: { path } }));
  const volumeMounts = folders.map((mountPath, i) => ({ name: `v${i}`, mountPath, readOnly: true }));
  return [{ command: [process.execPath, "-e", SERVER], volumeMounts }, { volumes }];
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** A line of metrics: its name with its labels, and its value. */
function splitLast(line: string): readonly [string, number] {
  const at = line.lastIndexOf(" ");
  return [line.slice(0, at), Number(line.slice(at + 1))];
}

/** One of the counters of what a process has read and written, in bytes. */
function counter(pid: number, name: "rchar" | "wchar"): number {
  return Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
}

/** Waits until what has grown stands still. */
async function stalls(read: () => number): Promise<void> {
  await eventually(
    async () => {
      const before = read();
      await pause(1000);
      return before > 0 && read() === before;
    },
    30_000,
    "standstill",
  );
}

/** A kubectl that forwards ports of a pod to free ones of the machine. */
async function forwarding(
  kubectl: Kubectl,
  pod: string,
  ports: readonly number[],
  env: NodeJS.ProcessEnv,
): Promise<AsyncDisposable & { readonly ports: readonly number[] }> {
  const running = kubectl.start(["port-forward", pod, ...ports.map((port) => `:${port}`)], env);
  const lines = await eventually(() => {
    const found = ports.map((port) => new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${port}`).exec(running.output)?.[1]);
    return found.every(Boolean) && found;
  });
  return { ports: (lines || []).map(Number), [Symbol.asyncDispose]: async () => running[Symbol.dispose]() };
}

/** What comes back for a text, as long as it is. */
async function echoed(port: number, text: string): Promise<string> {
  return await answered(port, text, text.length);
}

/** What a server says to a text, up to a length or its own end. */
function answered(port: number, text: string, length: number = Number.POSITIVE_INFINITY): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => {
      answer += chunk;
      if (answer.length >= length) socket.end();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(answer));
  });
}
