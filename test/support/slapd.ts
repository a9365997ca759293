import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "#base/clock.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { eventually } from "./kubectl.ts";

const SLAPD = "/usr/sbin/slapd";

/** Whether OpenLDAP's server is on the machine (Debian's package slapd). */
export const hasSlapd: boolean = existsSync(SLAPD) && existsSync("/etc/ldap/schema/inetorgperson.schema");

/** The tree that a test directory holds. */
export const SUFFIX = "dc=example,dc=org";
const SEARCHER = `cn=searcher,${SUFFIX}`;
/** The password of who may look people up. */
export const SEARCHER_PASSWORD = "look-up";

/** A real directory of this machine, with a database and a certificate of its own. Passwords are taken over TLS only. */
export class Slapd implements AsyncDisposable {
  readonly #dir: string;
  readonly port: number;
  readonly tlsPort: number;
  /** A file with the authority of its certificate. */
  readonly caFile: string;
  readonly searcherDn: string = SEARCHER;
  readonly searcherPasswordFile: string;
  #process: ChildProcess | undefined;

  private constructor(dir: string, port: number, tlsPort: number) {
    this.#dir = dir;
    this.port = port;
    this.tlsPort = tlsPort;
    this.caFile = join(dir, "ca.pem");
    this.searcherPasswordFile = join(dir, "searcher.password");
  }

  /** `ldif` are the entries below the suffix. */
  static async start(ldif: string): Promise<Slapd> {
    const dir = mkdtempSync(join(tmpdir(), "kybern-slapd-"));
    const [port, tlsPort] = await Promise.all([freePort(), freePort()]);
    const slapd = new Slapd(dir, port, tlsPort);
    slapd.#writeFiles(ldif);
    const config = join(dir, "slapd.conf");
    const added = spawnSync("/usr/sbin/slapadd", ["-q", "-f", config, "-l", join(dir, "entries.ldif")], { encoding: "utf8" });
    if (added.status !== 0) throw new Error(`slapadd: ${added.stderr}`);
    await slapd.resume();
    return slapd;
  }

  #writeFiles(ldif: string): void {
    const file = (name: string): string => join(this.#dir, name);
    const now = realClock.now();
    const ca = createAuthority("directory-ca", now);
    const leaf = issueCertificate(ca, { commonName: "directory", usages: ["server"], hosts: ["127.0.0.1", "localhost"] }, now);
    writeFileSync(this.caFile, ca.cert);
    writeFileSync(file("tls.pem"), leaf.cert);
    writeFileSync(file("tls-key.pem"), leaf.key, { mode: 0o600 });
    writeFileSync(this.searcherPasswordFile, `${SEARCHER_PASSWORD}\n`, { mode: 0o600 });
    mkdirSync(file("db"));
    const schemas = ["core", "cosine", "inetorgperson", "nis"].map((name) => `include /etc/ldap/schema/${name}.schema`);
    writeFileSync(
      file("slapd.conf"),
      `${schemas.join("\n")}
pidfile ${file("slapd.pid")}
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile ${this.caFile}
TLSCertificateFile ${file("tls.pem")}
TLSCertificateKeyFile ${file("tls-key.pem")}
security simple_bind=128
database mdb
maxsize 16777216
suffix "${SUFFIX}"
rootdn "cn=admin,${SUFFIX}"
directory ${file("db")}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${SEARCHER}" read by anonymous auth by * none
`,
    );
    const base = `dn: ${SUFFIX}
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: ${SEARCHER}
objectClass: simpleSecurityObject
objectClass: organizationalRole
cn: searcher
userPassword: ${SEARCHER_PASSWORD}

`;
    writeFileSync(file("entries.ldif"), base + ldif, { mode: 0o600 });
  }

  /** Starts it on its database, at the first time and after {@link suspend}. */
  async resume(): Promise<void> {
    const urls = `ldap://127.0.0.1:${this.port}/ ldaps://127.0.0.1:${this.tlsPort}/`;
    this.#process = spawn(SLAPD, ["-h", urls, "-f", join(this.#dir, "slapd.conf"), "-d", "0"], { stdio: "ignore" });
    const answers = (): boolean =>
      spawnSync("ldapsearch", ["-x", "-H", `ldap://127.0.0.1:${this.port}`, "-s", "base", "-b", "", "1.1"], { stdio: "ignore" })
        .status === 0;
    await eventually(answers, 15_000, "the directory answers");
  }

  /** Ends its process, as a crash does. */
  async suspend(): Promise<void> {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await ended;
  }

  /** Lets it hold its connections and answer nothing, until {@link thaw}. */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.suspend();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
