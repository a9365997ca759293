import { FlagError, type FlagSpec } from "#component-base/flags.ts";
import type { EtcdEndpoints } from "#storage/etcd/etcd-client.ts";

type EtcdFlagTypes = {
  readonly "etcd-cafile": "string";
  readonly "etcd-certfile": "string";
  readonly "etcd-keyfile": "string";
  readonly "etcd-prefix": "string";
};

/** How an etcd is reached, and where in it a cluster lies: for every program that uses one. */
export const etcdFlags: { readonly [N in keyof EtcdFlagTypes]: FlagSpec<EtcdFlagTypes[N]> } = {
  "etcd-cafile": { type: "string", default: "", placeholder: "FILE", help: "Certificate authority of etcd." },
  "etcd-certfile": { type: "string", default: "", placeholder: "FILE", help: "Client certificate for etcd." },
  "etcd-keyfile": { type: "string", default: "", placeholder: "FILE", help: "Key of the client certificate for etcd." },
  "etcd-prefix": { type: "string", default: "/registry", placeholder: "PREFIX", help: "Prefix of all keys in etcd." },
};

/** Checks the addresses that `--{flag}` was given. */
export function etcdUrls(flag: string, addresses: readonly string[]): readonly string[] {
  return addresses.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !["http:", "https:"].includes(url.protocol) || url.hostname === "")
      throw new FlagError(`flag --${flag} takes addresses such as https://10.0.0.1:2379, not "${text}"`);
    return url.origin;
  });
}

/** The files that {@link etcdFlags} name. */
export function etcdTls(flags: {
  readonly "etcd-cafile": string;
  readonly "etcd-certfile": string;
  readonly "etcd-keyfile": string;
}): EtcdEndpoints["tls"] {
  if ((flags["etcd-certfile"] === "") !== (flags["etcd-keyfile"] === ""))
    throw new FlagError("flags --etcd-certfile and --etcd-keyfile are given together");
  const file = (name: string, path: string): object => (path === "" ? {} : { [name]: path });
  return {
    ...file("caFile", flags["etcd-cafile"]),
    ...file("certFile", flags["etcd-certfile"]),
    ...file("keyFile", flags["etcd-keyfile"]),
  };
}

/** `--etcd-prefix` as keys begin with it. */
export function etcdKeyPrefix(prefix: string): string {
  const parts = prefix.split("/").filter(Boolean);
  return parts.length === 0 ? "/" : `/${parts.join("/")}/`;
}
