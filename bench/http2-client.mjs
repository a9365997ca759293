// Requests and watches on HTTP/2 sessions, as client-go and kubectl make them.
import http2 from "node:http2";

const NEWLINE = 10;

/** Opens a session; resolves when the handshake is done. */
export function openSession(server) {
  return new Promise((resolve, reject) => {
    const { ca, cert, key } = server;
    const session = http2.connect(`https://127.0.0.1:${server.port}`, {
      ca,
      cert,
      key,
      settings: { initialWindowSize: 8 << 20 },
    });
    session.once("error", reject);
    session.once("connect", () => {
      session.setLocalWindowSize(64 << 20);
      session.removeListener("error", reject);
      session.on("error", () => {});
      resolve(session);
    });
  });
}

/** One request on a session; resolves with `{ status, bytes, text() }`. */
export function request(session, method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { ":method": method, ":path": path, accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    const stream = session.request(headers, { endStream: body === undefined });
    let status;
    let bytes = 0;
    const chunks = [];
    stream.on("response", (answer) => {
      status = answer[":status"];
    });
    stream.on("data", (chunk) => {
      bytes += chunk.length;
      if (bytes < 1 << 20) chunks.push(chunk);
    });
    stream.on("end", () => resolve({ status, bytes, text: () => Buffer.concat(chunks).toString() }));
    stream.on("error", reject);
    if (body !== undefined) stream.end(body);
  });
}

/** Begins a watch; resolves when the server has answered. `onLines` gets how many events each chunk ends. */
export function watch(session, path, onLines) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path, accept: "application/json" });
    stream.on("error", reject);
    stream.on("data", (chunk) => {
      let lines = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines++;
      onLines(lines);
    });
    stream.once("response", () => resolve(stream));
  });
}
