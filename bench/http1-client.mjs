// A keep-alive HTTP/1.1 connection on a bare TLS socket with one request at a time. Node's own client costs more than
// the server under test; this one must not be what the figures show.
import tls from "node:tls";

const HEAD_END = Buffer.from("\r\n\r\n");

/** Connects; resolves when the handshake is done. */
export function connect(server) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: "127.0.0.1", port: server.port, ca: server.ca, cert: server.cert, key: server.key });
    socket.setNoDelay(true);
    socket.once("error", reject);
    socket.once("secureConnect", () => resolve(new Http1Client(socket)));
  });
}

class Http1Client {
  #socket;
  #answer;
  #head = [];
  #body = [];
  #missing = -1;
  #bytes = 0;
  #status = 0;
  #keep = false;

  constructor(socket) {
    this.#socket = socket;
    socket.removeAllListeners("error");
    socket.on("error", (error) => this.#answer?.reject(error));
    socket.on("close", () => this.#answer?.reject(new Error("connection closed")));
    socket.on("data", (chunk) => this.#read(chunk));
  }

  /**
   * Resolves with `{ status, bytes, data(), text() }`; the body is kept when `keep` is set or the answer is a failure. The
   * body of the request is a text or bytes; `headers` are whole lines.
   */
  request(method, path, body, { keep = false, type = "application/json", accept = "application/json", headers = "" } = {}) {
    this.#keep = keep;
    const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\nUser-Agent: bench\r\n${headers}`;
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
      if (body === undefined) {
        this.#socket.write(`${head}\r\n`);
        return;
      }
      const whole = `${head}Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
      this.#socket.write(typeof body === "string" ? whole + body : Buffer.concat([Buffer.from(whole), body]));
    });
  }

  close() {
    this.#socket.destroy();
  }

  #read(chunk) {
    let rest = chunk;
    if (this.#missing < 0) {
      if (this.#head.length > 0) rest = Buffer.concat([...this.#head, chunk]);
      const end = rest.indexOf(HEAD_END);
      if (end < 0) {
        this.#head = [rest];
        return;
      }
      this.#head = [];
      const head = rest.latin1Slice(0, end);
      this.#status = Number(head.slice(9, 12));
      const length = /content-length: (\d+)/i.exec(head);
      if (length === null) throw new Error(`an answer without length: ${head}`);
      this.#missing = Number(length[1]);
      this.#bytes = this.#missing;
      rest = rest.subarray(end + HEAD_END.length);
    }
    this.#missing -= rest.length;
    if (rest.length > 0 && (this.#keep || this.#status >= 300)) this.#body.push(rest);
    if (this.#missing > 0) return;
    const body = this.#body;
    this.#body = [];
    this.#missing = -1;
    const { resolve } = this.#answer;
    this.#answer = undefined;
    const data = () => Buffer.concat(body);
    resolve({ status: this.#status, bytes: this.#bytes, data, text: () => data().toString() });
  }
}
