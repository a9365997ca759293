import type { Secret } from "#api/generated/core/v1.ts";
import type { AuthConfig } from "#cri/image-service.ts";

/** Docker's own registry is known by this name to who wrote credentials in former years. */
const DOCKER_HUB = "index.docker.io";
const DOCKER_IO = "docker.io";
/** Credentials that are read of one pod. */
const ENTRIES_MAX = 1000;

interface Entry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

interface Known {
  readonly host: string;
  readonly path: string;
  readonly config: AuthConfig;
}

/** What a pod's secrets tell of who may pull from which registry (upstream's `BasicDockerKeyring`). */
export class Keyring {
  readonly #known: readonly Known[];

  private constructor(known: readonly Known[]) {
    this.#known = known;
  }

  /** Secrets that are not about registries, or cannot be read, say nothing. */
  static of(secrets: readonly Secret[]): Keyring {
    const entries = secrets.flatMap((secret) => Object.entries(entriesOf(secret))).slice(0, ENTRIES_MAX);
    const known = entries.flatMap(([location, entry]) => knownOf(location, entry));
    // The longest is the most exact: it is tried first.
    known.sort((a, b) => compare(`${b.host}${b.path}`, `${a.host}${a.path}`));
    return new Keyring(known);
  }

  /** Credentials for a repository such as `quay.io/coreos/etcd`, in the order in which they are tried. */
  lookup(repository: string): readonly AuthConfig[] {
    const parsed = splitLocation(repository);
    const found = this.#known.filter((one) => matches(one, parsed)).map(({ config }) => config);
    if (found.length > 0 || parsed.host !== DOCKER_HUB) return found;
    return this.#known.filter(({ host }) => host === DOCKER_HUB).map(({ config }) => config);
  }
}

function entriesOf({ type, data = {} }: Secret): Readonly<Record<string, Entry>> {
  if (type === "kubernetes.io/dockerconfigjson") {
    const parsed = parse(data[".dockerconfigjson"]);
    return (parsed.auths ?? {}) as Readonly<Record<string, Entry>>;
  }
  return type === "kubernetes.io/dockercfg" ? (parse(data[".dockercfg"]) as Readonly<Record<string, Entry>>) : {};
}

function parse(base64: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64 ?? "", "base64").toString());
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

function knownOf(location: string, entry: Entry): readonly Known[] {
  if (typeof entry !== "object" || entry === null) return [];
  const { username, password } = loginOf(entry);
  const { identitytoken: identityToken, registrytoken: registryToken } = entry;
  if (username === undefined && identityToken === undefined && registryToken === undefined) return [];
  const config = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(identityToken === undefined ? {} : { identityToken }),
    ...(registryToken === undefined ? {} : { registryToken }),
  };
  return [{ ...splitLocation(location), config }];
}

/** `auth` is name and password with a colon between them. */
function loginOf({ username, password, auth }: Entry): Pick<Entry, "username" | "password"> {
  if (auth === undefined || auth === "") {
    return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
  }
  const text = Buffer.from(auth, "base64").toString();
  const colon = text.indexOf(":");
  return colon < 0 ? {} : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Host and path; what docker writes after its own registry's name (`/v1/`) says nothing. */
function splitLocation(location: string): { readonly host: string; readonly path: string } {
  const bare = location.replace(/^https?:\/\//, "");
  const slash = bare.indexOf("/");
  const host = slash < 0 ? bare : bare.slice(0, slash);
  const path = slash < 0 ? "" : bare.slice(slash).replace(/\/+$/, "");
  return {
    host: host === DOCKER_IO || host === `registry-1.${DOCKER_IO}` ? DOCKER_HUB : host,
    path: path === "/v1" || path === "/v2" ? "" : path,
  };
}

/** Stars stand for any text within one part of a host's name; a path is what the repository begins with. */
function matches(known: Known, { host, path }: { readonly host: string; readonly path: string }): boolean {
  const [own, ownPort] = splitPort(known.host);
  const [wanted, port] = splitPort(host);
  if (ownPort !== port) return false;
  const [ownParts, parts] = [own.split("."), wanted.split(".")];
  if (ownParts.length !== parts.length) return false;
  if (!ownParts.every((pattern, at) => glob(pattern, parts[at] ?? ""))) return false;
  return path.startsWith(known.path);
}

function splitPort(host: string): readonly [string, string] {
  const [, name = host, port = ""] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  return [name, port];
}

function glob(pattern: string, text: string): boolean {
  if (!pattern.includes("*")) return pattern === text;
  const [first = "", ...rest] = pattern.split("*");
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const [index, part] of rest.entries()) {
    const isLast = index === rest.length - 1;
    const found = isLast ? text.length - part.length : text.indexOf(part, at);
    if (found < at || !text.startsWith(part, found)) return false;
    at = found + part.length;
  }
  return true;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
