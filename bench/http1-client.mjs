// A keep-alive HTTP/1.1 connection on a bare TLS socket with one request at a time. Node's own client costs more than
// the server under test; this one must not be what the figures show.
import tls from "node:tls";

const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_END_BYTES = 2;
const NEWLINE = 10;
/** The head of the answer is not there yet. */
const NO_HEAD = -1;

/** Connects; resolves when the handshake is done. */
export async function connect(server) {
  return new Http1Client(await openSocket(server), server);
}

function openSocket({ host = "127.0.0.1", port, ca, cert, key }) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host, port, ca, cert, key });
    socket.setNoDelay(true);
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.removeListener("error", reject);
      resolve(socket);
    });
  });
}

class Http1Client {
  #server;
  #socket;
  #isClosed = false;
  #answer;
  #head;
  #body;
  #missing;
  #chunked;
  #bytes = 0;
  #status = 0;
  #keep = false;
  #authorization;

  constructor(socket, server) {
    this.#server = server;
    const { token } = server;
    this.#authorization = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
    this.#use(socket);
  }

  #use(socket) {
    this.#socket = socket;
    this.#head = [];
    this.#body = [];
    this.#missing = NO_HEAD;
    this.#chunked = undefined;
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("connection closed")));
    socket.on("data", (chunk) => {
      try {
        this.#read(chunk);
      } catch (error) {
        this.#fail(error);
        socket.destroy();
      }
    });
  }

  #fail(error) {
    this.#answer?.reject(error);
    this.#answer = undefined;
  }

  /**
   * Resolves with `{ status, bytes, data(), text() }`; the body is kept when `keep` is set or the answer is a failure. The
   * body of the request is a text or bytes; `headers` are by name.
   */
  request(method, path, body, options = {}) {
    if (!this.#socket.destroyed || this.#isClosed) return this.#send(method, path, body, options);
    // Servers close connections on which nobody asks.
    return openSocket(this.#server).then((socket) => {
      this.#use(socket);
      return this.#send(method, path, body, options);
    });
  }

  #send(method, path, body, { keep = false, type = "application/json", accept = "application/json", headers = {} }) {
    this.#keep = keep;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const asked = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\nUser-Agent: bench\r\n`;
    const head = `${asked}${this.#authorization}${lines.join("")}`;
    return new Promise((resolve, reject) => {
      // Writing to what is closed neither answers nor fails.
      if (this.#socket.destroyed) throw new Error("connection closed");
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
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #read(chunk) {
    let rest = chunk;
    if (this.#missing === NO_HEAD) {
      if (this.#head.length > 0) rest = Buffer.concat([...this.#head, chunk]);
      const end = rest.indexOf(HEAD_END);
      if (end < 0) {
        this.#head = [rest];
        return;
      }
      this.#head = [];
      this.#begin(rest.latin1Slice(0, end));
      rest = rest.subarray(end + HEAD_END.length);
    }
    if (this.#chunked !== undefined) {
      for (const part of this.#chunked.parts(rest)) this.#take(part);
      if (this.#chunked.ended) this.#end();
      return;
    }
    this.#missing -= rest.length;
    this.#take(rest);
    if (this.#missing === 0) this.#end();
  }

  #begin(head) {
    this.#status = Number(head.slice(9, 12));
    this.#bytes = 0;
    const length = /content-length: (\d+)/i.exec(head);
    if (length !== null) this.#missing = Number(length[1]);
    else if (/transfer-encoding: chunked/i.test(head)) [this.#missing, this.#chunked] = [0, new Chunked()];
    else throw new Error(`an answer without length: ${head}`);
  }

  #take(part) {
    this.#bytes += part.length;
    if (part.length > 0 && (this.#keep || this.#status >= 300)) this.#body.push(part);
  }

  #end() {
    const { resolve } = this.#answer;
    const [status, bytes, body] = [this.#status, this.#bytes, this.#body];
    this.#answer = this.#chunked = undefined;
    this.#body = [];
    this.#missing = NO_HEAD;
    const data = () => Buffer.concat(body);
    resolve({ status, bytes, data, text: () => data().toString() });
  }
}

/** Undoes the chunked transfer coding: what comes is cut anywhere. */
class Chunked {
  ended = false;
  /** Of the chunk that is under way, with the line break behind it. */
  #missing = 0;
  #line = "";

  *parts(bytes) {
    let at = 0;
    while (at < bytes.length && !this.ended) {
      if (this.#missing > 0) {
        const end = Math.min(bytes.length, at + this.#missing);
        const data = Math.min(end, at + this.#missing - LINE_END_BYTES);
        if (data > at) yield bytes.subarray(at, data);
        this.#missing -= end - at;
        at = end;
        continue;
      }
      const end = bytes.indexOf(NEWLINE, at);
      this.#line += bytes.latin1Slice(at, end < 0 ? bytes.length : end + 1);
      at = end < 0 ? bytes.length : end + 1;
      if (end < 0) continue;
      const size = Number.parseInt(this.#line, 16);
      // No trailers are asked for: the line behind the last chunk is empty.
      if (this.#line === "\r\n") this.ended = true;
      else if (size > 0) this.#missing = size + LINE_END_BYTES;
      this.#line = "";
    }
  }
}
