import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { readToTheEnd } from "./read-to-the-end.ts";

/** Somebody who says `done` and hangs up, and a connection to him of which nothing has been read. */
async function hungUp(): Promise<Socket> {
  const server = createServer({ pauseOnConnect: true }, (socket) => socket.write("done", () => socket.destroy())).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [theirs] = (await once(server, "connection")) as [Socket];
  if (!theirs.closed) await once(theirs, "close");
  server.close();
  return socket;
}

/** The first write is answered by a reset, which the second one finds. */
async function writeTwice(socket: Socket): Promise<void> {
  for (const word of ["a", "b"]) await new Promise((resolve) => socket.write(word, resolve));
}

/** All that is read until the connection closes. */
async function heard(socket: Socket): Promise<string> {
  let all = "";
  socket.on("data", (data: Buffer) => {
    all += data.toString();
  });
  socket.on("error", () => undefined);
  if (!socket.closed) await once(socket, "close");
  return all;
}

test("what was said before a write failed is read", async () => {
  const socket = await hungUp();
  readToTheEnd(socket);
  await writeTwice(socket);
  expect(socket.destroyed).toBe(false);
  await new Promise((resolve) => socket.write("more", resolve));
  socket.end();
  expect(await heard(socket)).toBe("done");
});
