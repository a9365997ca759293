import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { isElf, librariesOf, stripElf } from "./elf.mjs";

/** Programs that kube-proxy and the kubelet call, with the Debian package that has them. */
const TOOLS = {
  nft: "nftables",
  "xtables-nft-multi": "iptables",
  "xtables-legacy-multi": "iptables",
  conntrack: "conntrack",
  ip: "iproute2",
  mount: "mount",
  umount: "mount",
  nsenter: "util-linux",
};
/** Names by which iptables' two programs are called. */
const TABLES = ["iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"];
const FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
/** Names of protocols and services, which iptables and nft look up. */
const DATABASES = ["/etc/protocols", "/etc/services"];

/** Files of the machine in an image, each with the libraries that it is linked to. */
class MachineFiles {
  /** @type {Map<string, import("./tar.mjs").Entry>} */
  #entries = new Map();

  get entries() {
    return [...this.#entries.values()];
  }

  /** Puts a file of the machine at a path of the image. */
  add(path, at) {
    const where = at.slice(1);
    if (this.#entries.has(where)) return;
    const bytes = readFileSync(path);
    const executable = isElf(bytes);
    this.#entries.set(where, {
      path: where,
      data: executable ? stripElf(bytes) : bytes,
      mode: executable || statSync(path).mode & 0o111 ? 0o755 : 0o644,
    });
    if (executable) for (const library of librariesOf(path)) this.add(library, library);
  }

  link(at, target) {
    this.#entries.set(at.slice(1), { path: at.slice(1), target });
  }
}

/**
 * What the image has of this machine: the running Node, kube-proxy's tools, certificates of authorities.
 * @returns {{ entries: import("./tar.mjs").Entry[], absent: string[] }} `absent` names what the machine does not have.
 */
export function machineEntries() {
  const files = new MachineFiles();
  const absent = [];
  files.add(realpathSync(process.execPath), "/usr/local/bin/node");
  for (const [name, debianPackage] of Object.entries(TOOLS)) {
    const path = FOLDERS.map((folder) => join(folder, name)).find(existsSync);
    if (path === undefined) absent.push(`${name} (Debian package ${debianPackage})`);
    else files.add(realpathSync(path), `/usr/sbin/${name}`);
  }
  linkTables(files, absent);
  if (existsSync(CERTIFICATES)) files.add(CERTIFICATES, CERTIFICATES);
  else absent.push(`${CERTIFICATES} (Debian package ca-certificates)`);
  for (const path of DATABASES) if (existsSync(path)) files.add(path, path);
  return { entries: files.entries, absent };
}

/** `iptables` is what the machine has chosen to be it; the other kind stands beside it under its own name. */
function linkTables(files, absent) {
  const chosen = FOLDERS.map((folder) => join(folder, "iptables")).find(existsSync);
  if (chosen === undefined) return;
  const program = realpathSync(chosen).split("/").at(-1);
  for (const kind of ["nft", "legacy"]) {
    if (absent.some((one) => one.startsWith(`xtables-${kind}-multi `))) continue;
    for (const name of TABLES) {
      files.link(`/usr/sbin/${name.replace("tables", `tables-${kind}`)}`, `xtables-${kind}-multi`);
      if (program === `xtables-${kind}-multi`) files.link(`/usr/sbin/${name}`, program);
    }
  }
  // iptables' own extensions, which it loads by name.
  const extensions = librariesOf(chosen)
    .map((library) => join(library.replace(/^\/lib/, "/usr/lib"), "../xtables"))
    .find(existsSync);
  if (extensions === undefined) return;
  for (const name of readdirSync(extensions)) {
    const path = join(extensions, name);
    if (statSync(path).isFile() && realpathSync(path) === path) files.add(path, path);
    else files.link(path, readlinkSync(path));
  }
}
