import type { FlagSpec } from "#component-base/flags.ts";
import { file, list, text } from "./flag-specs.ts";

type EtcdFlagTypes = {
  readonly "etcd-servers": "strings";
  readonly "etcd-cafile": "string";
  readonly "etcd-certfile": "string";
  readonly "etcd-keyfile": "string";
  readonly "etcd-prefix": "string";
};

/** Upstream's flags that say where the state is kept. */
export const etcdFlags: { readonly [N in keyof EtcdFlagTypes]: FlagSpec<EtcdFlagTypes[N]> } = {
  "etcd-servers": list("URLS", "Keep the state in this etcd (http or https, with commas between) instead of an embedded store."),
  "etcd-cafile": file("Certificate authority of etcd."),
  "etcd-certfile": file("Client certificate for etcd."),
  "etcd-keyfile": file("Key of the client certificate for etcd."),
  "etcd-prefix": text("PREFIX", "Prefix of all keys in etcd.", "/registry"),
};
