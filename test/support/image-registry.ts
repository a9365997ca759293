import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Blob, OciImage } from "./oci-image.ts";

/** A registry of images on loopback, where container runtimes speak to it without TLS (the distribution specification, reading only). */
export class ImageRegistry implements AsyncDisposable {
  readonly #server: Server = createServer((request, response) => this.#answer(request, response));
  readonly #manifests = new Map<string, Blob>();
  readonly #blobs = new Map<string, Blob>();
  /** Names of images that only this user may have, with the password. */
  readonly #guarded = new Map<string, string>();
  /** What goes wrong with images of these names: nothing is answered, or half of each layer. */
  readonly broken: Map<string, "away" | "half"> = new Map();

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  /** `127.0.0.1:<port>`, to which image names are appended. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Puts an image in; gives its whole name. `login` is `user:password`, which is asked for then. */
  add(name: string, tag: string, { manifest, blobs }: OciImage, login?: string): string {
    for (const key of [tag, manifest.digest]) this.#manifests.set(`${name}/${key}`, manifest);
    for (const blob of blobs) this.#blobs.set(blob.digest, blob);
    if (login !== undefined) this.#guarded.set(name, login);
    return `${this.host}/${name}:${tag}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer({ url = "", headers, method }: IncomingMessage, response: ServerResponse): void {
    const [, name = "", kind, reference = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/?]+)/.exec(url) ?? [];
    const fault = this.broken.get(name);
    if (fault === "away") {
      response.destroy();
      return;
    }
    const login = this.#guarded.get(name);
    if (login !== undefined && headers.authorization !== `Basic ${Buffer.from(login).toString("base64")}`) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="registry"' }).end();
      return;
    }
    const found = kind === "manifests" ? this.#manifests.get(`${name}/${reference}`) : this.#blobs.get(reference);
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { mediaType, digest, bytes } = found;
    const head = { "content-type": mediaType, "docker-content-digest": digest, "content-length": bytes.length };
    response.writeHead(200, head);
    if (fault === "half" && kind === "blobs" && method !== "HEAD") {
      response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
      return;
    }
    response.end(method === "HEAD" ? undefined : bytes);
  }
}
