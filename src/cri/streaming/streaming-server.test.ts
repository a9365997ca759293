import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dialSpdy } from "#apimachinery/httpstream/spdy/upgrade.ts";
import { encodeFrame, FrameReader, Opcode } from "#apimachinery/httpstream/websocket/frames.ts";
import { realClock } from "#base/clock.ts";
import { duplexPair } from "#base/duplex-pair.ts";
import { seededRandom } from "#base/random.ts";
import { ConnectionBrokenError, type StreamingRuntime, type TerminalSize } from "./streaming-runtime.ts";
import { StreamingServer } from "./streaming-server.ts";

const clock = realClock;
let server: StreamingServer;
let sizes: TerminalSize[];
beforeEach(() => {
  sizes = [];
  const runtime: StreamingRuntime = {
    async exec(containerId, [name = "", ...args], { stdin, stdout, stderr, onResize }) {
      onResize((size) => sizes.push(size));
      if (name === "fail") throw new Error("no such program");
      stdout?.write(`${containerId} ${args} ${stdin === undefined ? "" : await text(stdin)}`);
      stderr?.write("error");
      return name === "exit" ? Number(args[0]) : 0;
    },
    attach: async (containerId, { stdout }) => void stdout?.write(`attached to ${containerId}`),
    async portForward(sandboxId, port, stream) {
      if (port === 1) throw new ConnectionBrokenError("reset");
      if (port === 2) throw new Error("refused");
      await new Promise<void>((resolve) => stream.once("data", (chunk) => stream.end(`${sandboxId}:${port} ${chunk}`, resolve)));
    },
  };
  const options = { clock, random: seededRandom(1), baseUrl: "http://s", creationTimeoutMs: 100 };
  server = new StreamingServer(options, runtime);
});
afterEach(() => server.close());

function connect(): Duplex {
  const [near, far] = duplexPair();
  server.accept(far);
  return near;
}

const wanted = { containerId: "c", tty: false, stdin: true, stdout: true, stderr: true };
const dial = (url: string, protocols: readonly string[]) =>
  dialSpdy(connect(), { method: "POST", path: new URL(url).pathname, host: "s", protocols }, { clock });

/** Runs a command over SPDY; gives what came out of each stream. */
async function execute(cmd: readonly string[], protocol: string, input = "in") {
  const { connection } = await dial(server.getExec({ ...wanted, cmd }), [protocol]);
  const streamOf = (streamType: string): Duplex => connection.createStream({ streamType });
  const [error, stdin, stdout, stderr] = [streamOf("error"), streamOf("stdin"), streamOf("stdout"), streamOf("stderr")];
  stdin.end(input);
  const [status, out, err] = await Promise.all([text(error), text(stdout), text(stderr)]);
  await connection.closed;
  return { status, out, err };
}

const SUCCEEDED = '{"metadata":{},"status":"Success"}';
const statuses: readonly (readonly [string, readonly string[], string, unknown])[] = [
  ["v4.channel.k8s.io", ["ok"], "success is a Status", JSON.parse(SUCCEEDED)],
  ["v5.channel.k8s.io", ["ok"], "also in version 5", JSON.parse(SUCCEEDED)],
  [
    "v4.channel.k8s.io",
    ["exit", "3"],
    "an exit code is a cause",
    {
      metadata: {},
      status: "Failure",
      message: "command terminated with non-zero exit code: error executing command [exit 3], exit code 3",
      reason: "NonZeroExitCode",
      details: { causes: [{ reason: "ExitCode", message: "3" }] },
    },
  ],
  [
    "v4.channel.k8s.io",
    ["fail"],
    "what could not be run is an internal error",
    {
      metadata: {},
      status: "Failure",
      message: "Internal error occurred: error executing command in container: no such program",
      reason: "InternalError",
      details: { causes: [{ message: "error executing command in container: no such program" }] },
      code: 500,
    },
  ],
];
test.each(statuses)("%s: %s: %s", async (protocol, cmd, _name, want) => {
  expect(JSON.parse((await execute(cmd, protocol)).status)).toEqual(want);
});

test.each(["v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"])("%s tells failures as a text", async (protocol) => {
  expect((await execute(["ok"], protocol)).status).toBe("");
  expect((await execute(["exit", "1"], protocol)).status).toContain("exit code 1");
});

test("what was typed, said and complained about goes its way", async () => {
  expect(await execute(["ok", "x"], "v4.channel.k8s.io")).toEqual({ status: SUCCEEDED, out: "c x in", err: "error" });
});

test("all that was said arrives, however much it is", async () => {
  const input = "y".repeat(3_000_000);
  expect((await execute(["ok"], "v4.channel.k8s.io", input)).out.length).toBe("c  ".length + input.length);
});

test("a terminal's sizes are told", async () => {
  const { connection } = await dial(server.getExec({ ...wanted, tty: true, stderr: false, cmd: ["ok"] }), ["v4.channel.k8s.io"]);
  const [error, stdin, , resize] = ["error", "stdin", "stdout", "resize"].map((streamType) =>
    connection.createStream({ streamType }),
  );
  resize?.write('{"Width":80,"Height":24}\n{"Width":81,');
  resize?.write('"Height":25}\n');
  await connection.ping();
  stdin?.end();
  await text(error as Duplex);
  expect(sizes).toEqual([
    { width: 80, height: 24 },
    { width: 81, height: 25 },
  ]);
});

test("attaching ends with success", async () => {
  const { connection } = await dial(server.getAttach({ ...wanted, stdin: false, stderr: false }), ["v4.channel.k8s.io"]);
  const [error, stdout] = ["error", "stdout"].map((streamType) => connection.createStream({ streamType }));
  expect(await Promise.all([text(stdout as Duplex), text(error as Duplex)])).toEqual(["attached to c", SUCCEEDED]);
});

test("a client that does not make its streams in time is let go", async () => {
  const { connection } = await dial(server.getExec({ ...wanted, cmd: ["ok"] }), ["v4.channel.k8s.io"]);
  connection.createStream({ streamType: "error" });
  await connection.closed;
});

test("a URL is good for one connection", async () => {
  const url = server.getExec({ ...wanted, cmd: ["ok"] });
  (await dial(url, ["v4.channel.k8s.io"])).connection.close();
  await expect(dial(url, ["v4.channel.k8s.io"])).rejects.toThrow("404 page not found");
});

test.each([
  ["a container", { ...wanted, containerId: "" }, "missing required container_id"],
  ["streams", { ...wanted, stdin: false, stdout: false, stderr: false }, "one of stdin, stdout, or stderr must be set"],
  ["one output with a terminal", { ...wanted, tty: true }, "tty and stderr cannot both be true"],
])("%s is needed", (_name, request, want) => {
  expect(() => server.getExec({ ...request, cmd: [] })).toThrow(want);
});

test("protocols that are not known are refused", async () => {
  const failure = dial(server.getExec({ ...wanted, cmd: ["ok"] }), ["v9.channel.k8s.io"]);
  await expect(failure).rejects.toMatchObject({
    status: 403,
    body: expect.stringContaining("client supports [v9.channel.k8s.io]"),
  });
});

test.each([
  [80, "s:80 ping", ""],
  [1, "", '{"message":"error forwarding port 1 to pod s, uid : reset"}\n'],
  [2, "", '{"closeConnection":true,"message":"error forwarding port 2 to pod s, uid : refused"}\n'],
])("port %d is connected with", async (port, out, error) => {
  const { connection } = await dial(server.getPortForward({ podSandboxId: "s", ports: [] }), ["portforward.k8s.io"]);
  const headers = { port: String(port), requestID: "0" };
  const [errorStream, data] = ["error", "data"].map((streamType) => connection.createStream({ ...headers, streamType }));
  errorStream?.end();
  data?.write("ping");
  expect(await Promise.all([text(data as Duplex), text(errorStream as Duplex)])).toEqual([out, error]);
  const again = connection.createStream({ port: "0", streamType: "data" });
  await expect(again.opened).rejects.toThrow();
  connection.close();
});

/** A WebSocket client's messages, by hand. */
async function webSocket(url: string, protocol: string, messages: readonly Buffer[]): Promise<readonly string[]> {
  const socket = connect();
  const head = `Host: s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==`;
  socket.write(`GET ${new URL(url).pathname} HTTP/1.1\r\n${head}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`);
  const answer = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
  const end = answer.indexOf("\r\n\r\n") + 4;
  if (!answer.toString("latin1").startsWith("HTTP/1.1 101")) return [answer.toString("latin1").split("\r\n")[0] ?? ""];
  const reader = new FrameReader();
  const frames = [...reader.read(answer.subarray(end))];
  socket.on("data", (chunk: Buffer) => frames.push(...reader.read(chunk)));
  for (const message of messages) socket.write(encodeFrame(Opcode.binary, message, Buffer.of(1, 2, 3, 4)));
  await new Promise((resolve) => socket.once("end", resolve));
  socket.end();
  return frames.filter(({ opcode }) => opcode !== Opcode.close).map(({ payload }) => payload.toString("latin1"));
}

test("a command over a WebSocket: channels, the end of stdin, the status", async () => {
  const messages = [Buffer.from("\x00typed"), Buffer.of(255, 0)];
  const heard = await webSocket(server.getExec({ ...wanted, cmd: ["ok"] }), "v5.channel.k8s.io", messages);
  expect(heard).toEqual(["\x01", "\x01c  typed", "\x02error", `\x03${SUCCEEDED}`]);
});

test("a port over a WebSocket: both channels begin with its number", async () => {
  const url = server.getPortForward({ podSandboxId: "s", ports: [8080] });
  expect(await webSocket(url, "v4.channel.k8s.io", [Buffer.from("\x00ping")])).toEqual([
    "\x00\x90\x1f",
    "\x01\x90\x1f",
    "\x00s:8080 ping",
  ]);
});

test("a WebSocket with an unknown protocol is refused", async () => {
  expect(await webSocket(server.getExec({ ...wanted, cmd: ["ok"] }), "v9.channel.k8s.io", [])).toEqual([
    "HTTP/1.1 403 Forbidden",
  ]);
});
