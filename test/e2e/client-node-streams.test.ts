import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { Attach, CoreV1Api, Cp, Exec, KubeConfig, Log, PortForward, type V1Status } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually } from "../support/kubectl.ts";

let cluster: Cluster;
let config: KubeConfig;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "kybern-client-node-"));
  cluster = await startCluster({ nodes: 1 });
  config = new KubeConfig();
  config.loadFromString(cluster.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const command = ["sh", "-c", "echo started; sleep 3600"];
  const containers = [{ name: "main", image: "busybox:1.36", command, ports: [{ containerPort: 80 }] }];
  await core.createNamespacedPod({ namespace: "default", body: { metadata: { name: "web" }, spec: { containers } } });
  await eventually(async () => {
    const { status } = await core.readNamespacedPod({ namespace: "default", name: "web" });
    return status?.phase === "Running";
  });
}, 60_000);
afterAll(async () => {
  await cluster?.stop();
  rmSync(dir, { recursive: true, force: true });
});

class Collected extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk;
    done();
  }
}

test("Exec", async () => {
  const stdout = new Collected();
  const stderr = new Collected();
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec(
        "default",
        "web",
        "main",
        ["sh", "-c", "cat; echo err >&2; exit 5"],
        stdout,
        stderr,
        Readable.from(["in"]),
        false,
        resolve,
      )
      .catch(reject);
  });
  expect(status).toMatchObject({ status: "Failure", reason: "NonZeroExitCode" });
  expect(status.details?.causes).toEqual([{ reason: "ExitCode", message: "5" }]);
  expect([stdout.text, stderr.text]).toEqual(["in", "err\n"]);
});

test("Attach", async () => {
  const stdout = new Collected();
  const socket = await new Attach(config).attach("default", "web", "main", stdout, null, null, false);
  await eventually(() => socket.readyState === 1);
  socket.close();
  await eventually(() => socket.readyState === 3);
});

test("Log", async () => {
  const stream = new PassThrough();
  await new Log(config).log("default", "web", "main", stream, { tailLines: 10, timestamps: true });
  expect(await text(stream)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z started\n$/);
});

test("PortForward", async () => {
  const forward = new PortForward(config, true);
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    void forward.portForward("default", "web", [80], socket, null, socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const answer = await new Promise<string>((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () =>
      socket.write("GET /hello HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n"),
    );
    socket.on("data", (chunk) => {
      text += chunk;
      if (text.includes("GET /hello HTTP/1.1")) {
        socket.destroy();
        resolve(text);
      }
    });
    socket.on("error", reject);
  });
  expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
  server.close();
});

test("Cp", async () => {
  const from = join(dir, "from");
  const back = join(dir, "back");
  mkdirSync(from);
  writeFileSync(join(from, "file"), "text ".repeat(10_000));
  // They resolve before anything has been copied.
  await new Cp(config).cpToPod("default", "web", "main", from, "/tmp");
  await eventually(async () => (await run(["cat", "/tmp/file"])).length === 50_000);
  await new Cp(config).cpFromPod("default", "web", "main", "file", back, "/tmp");
  await eventually(() => readFileSync(join(back, "file"), "utf8") === "text ".repeat(10_000));
});

async function run(command: string[]): Promise<string> {
  const stdout = new Collected();
  await new Promise((resolve, reject) => {
    new Exec(config).exec("default", "web", "main", command, stdout, null, null, false, resolve).catch(reject);
  });
  return stdout.text;
}
