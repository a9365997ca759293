import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { duplexPair } from "#base/duplex-pair.ts";
import { ChannelConnection, type ChannelType } from "./channels.ts";
import { encodeFrame, FrameReader, Opcode } from "./frames.ts";
import { CloseCode } from "./web-socket.ts";

const clock = realClock;
const MASK = Buffer.of(1, 2, 3, 4);
const say = (socket: Duplex, payload: Buffer, opcode: number = Opcode.binary): boolean =>
  socket.write(encodeFrame(opcode, payload, MASK));

function connect(protocol: string, channels: readonly ChannelType[]) {
  const [left, client] = duplexPair();
  const frames: { readonly opcode: number; readonly payload: string }[] = [];
  const reader = new FrameReader();
  const ended = new Promise((resolve) => client.once("end", resolve));
  client.on("data", (chunk: Buffer) => {
    frames.push(...reader.read(chunk).map(({ opcode, payload }) => ({ opcode, payload: payload.toString("latin1") })));
  });
  client.once("end", () => client.end());
  const server = new ChannelConnection(left, { protocol, channels, clock });
  return { client, frames, server, ended };
}

test.each([
  ["v4.channel.k8s.io", Buffer.from("\x00in"), { opcode: Opcode.binary, payload: "\x01out" }],
  ["", Buffer.from("\x00in"), { opcode: Opcode.binary, payload: "\x01out" }],
  ["v4.base64.channel.k8s.io", Buffer.from("0aW4="), { opcode: Opcode.text, payload: "1b3V0" }],
])("channels of %s", async (protocol, sent, want) => {
  const { client, frames, server, ended } = connect(protocol, ["read", "write"]);
  say(client, sent);
  const [stdin, stdout] = server.channels as [Duplex, Duplex];
  const chunk = await new Promise((resolve) => stdin.once("data", resolve));
  expect(String(chunk)).toBe("in");
  stdout.end("out", () => server.close());
  await ended;
  expect(frames).toEqual([want, { opcode: Opcode.close, payload: "\x03\xe8" }]);
});

test("in v5 the client says that a channel is closed", async () => {
  const { client, server } = connect("v5.channel.k8s.io", ["read", "write"]);
  say(client, Buffer.from("\x00all"));
  say(client, Buffer.of(255, 0));
  const [stdin] = server.channels as [Duplex];
  expect(await text(stdin)).toBe("all");
  server.close();
});

test("what goes the wrong way is dropped", async () => {
  const { client, frames, server, ended } = connect("v4.channel.k8s.io", ["ignore", "write", "read"]);
  say(client, Buffer.from("\x00dropped"));
  say(client, Buffer.from("\x09dropped"));
  say(client, Buffer.from("\x02kept"));
  const [first, , third] = server.channels as [Duplex, Duplex, Duplex];
  expect(String(await new Promise((resolve) => third.once("data", resolve)))).toBe("kept");
  await new Promise<void>((resolve) => first.write("dropped", () => resolve()));
  server.close();
  await ended;
  expect(frames).toEqual([{ opcode: Opcode.close, payload: "\x03\xe8" }]);
});

test("the end of the connection is the end of every channel", async () => {
  const { client, server } = connect("v4.channel.k8s.io", ["read", "write"]);
  say(client, Buffer.from("\x00rest"));
  say(client, Buffer.of(3, 0xe8), Opcode.close);
  const [stdin, stdout] = server.channels as [Duplex, Duplex];
  const finished = new Promise((resolve) => stdout.once("finish", resolve));
  expect(await text(stdin)).toBe("rest");
  await finished;
});

test.each([
  ["a frame without a mask", encodeFrame(Opcode.binary, Buffer.of(0)), CloseCode.protocolError],
  ["a ping that is too long", encodeFrame(Opcode.ping, Buffer.alloc(126), MASK), CloseCode.protocolError],
  ["a continuation of nothing", encodeFrame(Opcode.continuation, Buffer.of(0), MASK), CloseCode.protocolError],
  ["a frame that is too long", Buffer.from("82ff7fffffffffffffff", "hex"), CloseCode.messageTooBig],
])("%s ends the connection", async (_name, bytes, want) => {
  const { client, frames, ended } = connect("", ["read"]);
  client.write(bytes);
  await ended;
  expect(Buffer.from(frames[0]?.payload ?? "", "latin1").readUInt16BE()).toBe(want);
});

test("a ping is answered, also between the parts of a message", async () => {
  const { client, frames, server } = connect("", ["read"]);
  client.write(
    Buffer.concat([Buffer.from("0283" + "00000000" + "006162", "hex"), encodeFrame(Opcode.ping, Buffer.from("p"), MASK)]),
  );
  client.write(Buffer.from("8081" + "00000000" + "63", "hex"));
  expect(String(await new Promise((resolve) => server.channels[0]?.once("data", resolve)))).toBe("abc");
  expect(frames).toEqual([{ opcode: Opcode.pong, payload: "p" }]);
  server.close();
});
