import { X509Certificate } from "node:crypto";
import type { LeafRequest } from "./certificate.ts";

const SERVER = "1.3.6.1.5.5.7.3.1";

/** What a certificate says of its holder, so that another like it can be made. One that says no use is for both. */
export function leafRequestOf(pem: string): LeafRequest {
  const certificate = new X509Certificate(pem);
  const subject = certificate.subject.split("\n");
  const parts = (name: string): string[] =>
    subject.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1));
  const [commonName = ""] = parts("CN");
  const hosts = hostsOf(certificate);
  const uses = certificate.keyUsage as readonly string[] | undefined;
  const isServer = uses === undefined || uses.includes(SERVER);
  const isClient = uses === undefined || uses.some((use) => use !== SERVER);
  return {
    commonName,
    organizations: parts("O"),
    usages: [...(isServer ? (["server"] as const) : []), ...(isClient ? (["client"] as const) : [])],
    ...(hosts.length > 0 ? { hosts } : {}),
  };
}

/** The names and addresses of a certificate. */
function hostsOf({ subjectAltName = "" }: X509Certificate): string[] {
  return subjectAltName.split(", ").flatMap((name) => (name === "" ? [] : [name.slice(name.indexOf(":") + 1)]));
}
