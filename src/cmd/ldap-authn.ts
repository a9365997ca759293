import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { realClock } from "#base/clock.ts";
import { describeFlags, FlagError, parseFlags } from "#component-base/flags.ts";
import { createLogger, type Logger, type LogLevel } from "#component-base/logging.ts";
import { Authenticator, TOKEN_KINDS, type TokenKind } from "#ldap-authn/authenticator.ts";
import { Directory } from "#ldap-authn/directory.ts";
import type { DirectoryOptions } from "#ldap-authn/directory-options.ts";
import { LoginTokens } from "#ldap-authn/login-tokens.ts";
import { LdapAuthnServer, type ServingCertificate } from "#ldap-authn/server.ts";
import { type LdapAuthnFlags, ldapAuthnFlags } from "./ldap-authn-flags.ts";
import { StartupError } from "./startup-error.ts";

/** How often the files of the certificate are looked at. */
const RELOAD_PERIOD_MS = 10_000;

const USAGE = `Answers the TokenReviews of an API server's --authentication-token-webhook-config-file from an LDAP directory.

Usage: kybern ldap-authn --ldap-url=ldaps://HOST --ldap-base-dn=DN --tls-cert-file=FILE --tls-private-key-file=FILE [flags]

  POST /authenticate         TokenReviews of authentication.k8s.io/v1 and v1beta1
  GET  /ldapAuth             a token for the name and password of HTTP's basic authentication
  GET  /healthz, /readyz     whether it runs; whether the directory can be asked
`;

/** `kybern ldap-authn`: a webhook for token authentication in front of a directory. */
export async function ldapAuthn(args: readonly string[]): Promise<void> {
  const flags = parseFlags(ldapAuthnFlags, args);
  if (flags.help) {
    process.stdout.write(`${USAGE}\n${describeFlags(ldapAuthnFlags)}\n`);
    return;
  }
  const logger = createLogger({ component: "ldap-authn", level: flags["log-level"] as LogLevel });
  const directory = await openDirectory(flags);
  const authenticator = new Authenticator(
    { kinds: tokenKinds(flags), usernamePrefix: flags["username-prefix"], groupsPrefix: flags["groups-prefix"] },
    { directory, tokens: await loginTokens(flags) },
  );
  const certificate = await readCertificate(flags);
  const server = new LdapAuthnServer(
    { bindAddress: flags["bind-address"], port: flags["secure-port"], allowedNames: flags["allowed-client-names"] },
    certificate,
    { authenticator, directory, logger },
  );
  await server.listen().catch((error: Error) => {
    throw new StartupError(`cannot listen on ${flags["bind-address"]}:${flags["secure-port"]}: ${error.message}`);
  });
  const stopReloading = keepCertificate(flags, server, certificate, logger);
  process.stdout.write(`Serving on https://${hostInUrl(flags["bind-address"])}:${server.port}\n`);
  await untilSignalled();
  stopReloading();
  await server.stop();
  await directory.close();
}

function hostInUrl(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function untilSignalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}

async function openDirectory(flags: LdapAuthnFlags): Promise<Directory> {
  try {
    return new Directory(await directoryOptions(flags), realClock);
  } catch (error) {
    if (error instanceof StartupError || error instanceof FlagError) throw error;
    throw new FlagError(`flags --ldap-user-filter and --ldap-group-filter take filters of RFC 4515: ${(error as Error).message}`);
  }
}

async function directoryOptions(flags: LdapAuthnFlags): Promise<DirectoryOptions> {
  checkFlags(flags);
  const cert = await readIfNamed(flags["ldap-cert-file"]);
  const key = await readIfNamed(flags["ldap-key-file"]);
  const passwordFile = flags["ldap-search-user-password-file"];
  // Once at the start, so that a wrong path is seen; later for each connection, so that a new password is taken up.
  if (passwordFile !== "") await read(passwordFile);
  const password = async (): Promise<string> => (await readFile(passwordFile, "utf8")).split(/\r?\n/, 1)[0] ?? "";
  return {
    urls: flags["ldap-url"],
    startTls: flags["ldap-start-tls"],
    ca: await readIfNamed(flags["ldap-ca-file"]),
    clientCertificate: cert === undefined || key === undefined ? undefined : { cert, key },
    searcher: flags["ldap-search-user-dn"] === "" ? undefined : { dn: flags["ldap-search-user-dn"], password },
    userBase: flags["ldap-base-dn"],
    userFilter: flags["ldap-user-filter"],
    userAttribute: flags["ldap-user-attribute"],
    uidAttribute: flags["ldap-uid-attribute"],
    extraAttributes: flags["ldap-extra-attributes"],
    memberOfAttribute: flags["ldap-member-of-attribute"],
    groupBase: flags["ldap-group-base-dn"],
    groupFilter: flags["ldap-group-filter"],
    groupAttribute: flags["ldap-group-attribute"],
    memberAttributes: flags["ldap-group-member-attributes"],
    memberValue: flags["ldap-group-member-value"] as "dn" | "name",
    tokenAttribute: flags["ldap-token-attribute"],
    timeoutMs: duration(flags, "ldap-timeout"),
  };
}

function checkFlags(flags: LdapAuthnFlags): void {
  const urls = flags["ldap-url"];
  if (urls.length === 0 || flags["ldap-base-dn"] === "") throw new FlagError("flags --ldap-url and --ldap-base-dn are needed");
  for (const url of urls) {
    if (!/^ldaps?:\/\/(?:[^/?#:@[\]]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?\/?$/.test(url)) {
      throw new FlagError(`flag --ldap-url takes ldaps://HOST:PORT or ldap://HOST:PORT, not "${url}"`);
    }
    if (url.startsWith("ldap:") && !flags["ldap-start-tls"] && !flags["ldap-allow-plain-text"]) {
      throw new FlagError(
        `${url} would get passwords without encryption. Use ldaps://, or --ldap-start-tls; or say --ldap-allow-plain-text`,
      );
    }
  }
  if ((flags["ldap-search-user-dn"] === "") !== (flags["ldap-search-user-password-file"] === "")) {
    throw new FlagError("flags --ldap-search-user-dn and --ldap-search-user-password-file go together");
  }
  if ((flags["ldap-cert-file"] === "") !== (flags["ldap-key-file"] === "")) {
    throw new FlagError("flags --ldap-cert-file and --ldap-key-file go together");
  }
  if (!["dn", "name"].includes(flags["ldap-group-member-value"])) {
    throw new FlagError(`flag --ldap-group-member-value takes dn or name, not "${flags["ldap-group-member-value"]}"`);
  }
  if (tokenKinds(flags).includes("attribute") && flags["ldap-token-attribute"] === "") {
    throw new FlagError("--token-kinds=attribute needs --ldap-token-attribute");
  }
}

function tokenKinds(flags: LdapAuthnFlags): readonly TokenKind[] {
  const kinds = flags["token-kinds"];
  const wrong = kinds.find((kind) => !(TOKEN_KINDS as readonly string[]).includes(kind));
  if (wrong === undefined && kinds.length > 0) return kinds as readonly TokenKind[];
  throw new FlagError(`flag --token-kinds takes some of ${TOKEN_KINDS.join(", ")}, not "${wrong ?? ""}"`);
}

function duration(flags: LdapAuthnFlags, name: "ldap-timeout" | "token-lifetime"): number {
  try {
    const parsed = parseGoDuration(flags[name]);
    if (parsed >= 1000) return parsed;
  } catch {
    // Said below.
  }
  throw new FlagError(`flag --${name} takes a duration of a second or more, such as 30s or 12h, not "${flags[name]}"`);
}

async function loginTokens(flags: LdapAuthnFlags): Promise<LoginTokens> {
  const path = flags["token-signing-key-file"];
  const lifetimeMs = duration(flags, "token-lifetime");
  return new LoginTokens({ privateKey: path === "" ? newKey() : await readKey(path), lifetimeMs }, realClock);
}

function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
}

async function readKey(path: string): Promise<KeyObject> {
  const pem = await read(path);
  try {
    return createPrivateKey(pem);
  } catch {
    throw new StartupError(`${path} holds no private key in PEM`);
  }
}

async function readCertificate(flags: LdapAuthnFlags): Promise<ServingCertificate> {
  const certFile = flags["tls-cert-file"];
  const keyFile = flags["tls-private-key-file"];
  if (certFile === "" || keyFile === "") throw new FlagError("flags --tls-cert-file and --tls-private-key-file are needed");
  return { cert: await read(certFile), key: await read(keyFile), clientCa: await readIfNamed(flags["client-ca-file"]) };
}

/** Takes up what lies in the certificate's files. Half a change, such as a key that does not fit yet, waits for the next look. */
function keepCertificate(flags: LdapAuthnFlags, server: LdapAuthnServer, first: ServingCertificate, logger: Logger): () => void {
  let shown = JSON.stringify(first);
  const timer = realClock.setInterval(async () => {
    try {
      const next = await readCertificate(flags);
      if (JSON.stringify(next) === shown) return;
      server.useCertificate(next);
      shown = JSON.stringify(next);
      logger.info({}, "another certificate is shown");
    } catch (error) {
      logger.warn({ err: error }, "the files of the certificate cannot be taken up");
    }
  }, RELOAD_PERIOD_MS);
  return () => timer.clear();
}

function readIfNamed(path: string): Promise<string | undefined> {
  return path === "" ? Promise.resolve(undefined) : read(path);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new StartupError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`);
  }
}
