import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { UnreadableRequests } from "./unreadable-requests.ts";

/** Keeps what is written; its other side never ends. */
class OneSided extends Duplex {
  sent = "";
  override _read(): void {}
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.sent += chunk;
    done();
  }
}

const overflow = Object.assign(new Error("Parse Error"), { code: "HPE_HEADER_OVERFLOW" });

test("who goes on sending is answered once, and has half a second to read it", () => {
  const clock = new ManualClock();
  const unreadable = new UnreadableRequests(clock);
  const socket = new OneSided({ allowHalfOpen: true });
  for (let i = 0; i < 3; i++) unreadable.refuse(overflow, socket);
  expect(socket.sent).toBe("HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n");
  clock.advance(499);
  expect(socket.destroyed).toBe(false);
  clock.advance(1);
  expect(socket.destroyed).toBe(true);
});

test("nothing waits for a connection that has ended", async () => {
  const clock = new ManualClock();
  const unreadable = new UnreadableRequests(clock);
  const socket = new OneSided();
  unreadable.refuse(new Error("unknown"), socket);
  expect(socket.sent).toBe("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  socket.destroy();
  await new Promise((resolve) => socket.once("close", resolve));
  expect(clock.pending).toBe(0);
  unreadable.refuse(new Error("unknown"), socket);
  const mute = new OneSided();
  mute.end();
  unreadable.refuse(overflow, mute);
  expect([mute.sent, mute.destroyed]).toEqual(["", true]);
});
