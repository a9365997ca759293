// Requests and watches on HTTP/2 sessions, as client-go and kubectl make them.
import http2 from "node:http2";

const NEWLINE = 10;
/** Bytes of an answer that are kept; of a longer one only its length counts. */
const KEPT_BYTES_MAX = 1 << 20;

/** Opens a session; resolves when the handshake is done. */
export function openSession(server) {
  return new Promise((resolve, reject) => {
    const { host = "127.0.0.1", port, ca, cert, key } = server;
    const session = http2.connect(`https://${host}:${port}`, { ca, cert, key, settings: { initialWindowSize: 8 << 20 } });
    session.once("error", reject);
    session.once("connect", () => {
      session.setLocalWindowSize(64 << 20);
      session.removeListener("error", reject);
      session.on("error", () => {});
      resolve(session);
    });
  });
}

/** Makes requests as streams of a session, as {@link import("./http1-client.mjs").connect}'s clients do on a connection each. */
export class Http2Client {
  #session;
  #token;

  constructor(session, { token } = {}) {
    this.#session = session;
    this.#token = token;
  }

  /** Resolves with `{ status, bytes, data(), text() }`. */
  request(method, path, body, { type = "application/json", accept = "application/json", headers = {} } = {}) {
    return new Promise((resolve, reject) => {
      const head = { ":method": method, ":path": path, accept, ...headers };
      if (this.#token !== undefined) head.authorization = `Bearer ${this.#token}`;
      if (body !== undefined) head["content-type"] = type;
      const stream = this.#session.request(head, { endStream: body === undefined });
      let status;
      let bytes = 0;
      const chunks = [];
      stream.on("response", (answer) => {
        status = answer[":status"];
      });
      stream.on("data", (chunk) => {
        bytes += chunk.length;
        if (bytes < KEPT_BYTES_MAX) chunks.push(chunk);
      });
      stream.on("end", () => {
        const data = () => Buffer.concat(chunks);
        resolve({ status, bytes, data, text: () => data().toString() });
      });
      stream.on("error", reject);
      if (body !== undefined) stream.end(body);
    });
  }

  isOpen() {
    return !this.#session.closed && !this.#session.destroyed;
  }

  close() {
    endSession(this.#session);
  }
}

/** In a turn of its own, as src/base/end-session.ts has it: who ends it may go on from an answer that is being read on it. */
export function endSession(session) {
  setImmediate(() => session.destroy());
}

/** Begins a watch; resolves when the server has answered. `onLines` gets how many events each chunk ends. */
export function watch(session, path, onLines, { token } = {}) {
  return new Promise((resolve, reject) => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const stream = session.request({ ":path": path, accept: "application/json", ...authorization });
    stream.on("error", reject);
    stream.on("data", (chunk) => {
      let lines = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) lines++;
      onLines(lines, chunk);
    });
    stream.once("response", () => resolve(stream));
  });
}
