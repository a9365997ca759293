// What the steps of a workload share: a server that runs, connections to it, and where figures go.
import { connect } from "./http1-client.mjs";
import { endSession, Http2Client, openSession } from "./http2-client.mjs";
import { connectAll } from "./steps/measure.mjs";

export class Context {
  server;
  #add;
  #skip;
  #connections = [];
  #sessions = [];
  #stream;
  #serial = 0;

  /** `add` takes name, value, unit and more of a figure, `skip` why a step is left out. */
  constructor(server, add, skip = () => {}) {
    this.server = server;
    this.#add = add;
    this.#skip = skip;
  }

  report(name, value, unit, more) {
    this.#add(name, value, unit, more);
  }

  /** Says why a step is left out here. */
  skip(why) {
    this.#skip(why);
  }

  /** Names that no other object of the workload has. */
  newName() {
    return `b-${(this.#serial++).toString(36)}`;
  }

  /** So many clients: connections of HTTP/1.1, or streams of one connection of HTTP/2. */
  async clients(count, over = "h1") {
    if (over === "h2") {
      if (this.#stream?.isOpen() !== true) {
        const [session] = await this.sessions(1);
        this.#stream = new Http2Client(session, this.server);
      }
      return Array.from({ length: count }, () => this.#stream);
    }
    const missing = count - this.#connections.length;
    if (missing > 0) this.#connections.push(...(await connectAll(missing, () => connect(this.server))));
    return this.#connections.slice(0, count);
  }

  /** New connections of HTTP/2, for watches. */
  async sessions(count) {
    const opened = await connectAll(count, () => openSession(this.server));
    this.#sessions.push(...opened);
    return opened;
  }

  /** Path of the namespaced collection of a plural of the core group. */
  path(plural) {
    return `/api/v1/namespaces/${this.server.namespace}/${plural}`;
  }

  close() {
    for (const client of this.#connections) client.close();
    for (const session of this.#sessions) endSession(session);
  }
}
