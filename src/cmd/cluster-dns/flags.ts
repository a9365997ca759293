import type { FlagSpec, ParsedFlags } from "#component-base/flags.ts";
import { file, list, port, text } from "../flags/flag-specs.ts";
import { logFlags } from "../flags/log-flags.ts";

type OwnFlagTypes = {
  readonly kubeconfig: "string";
  readonly master: "string";
  readonly "bind-address": "strings";
  readonly port: "int";
  readonly "cluster-domain": "string";
  readonly pods: "string";
  readonly upstream: "strings";
  readonly "resolv-conf": "string";
  readonly "health-bind-address": "string";
  readonly "ready-bind-address": "string";
  readonly "metrics-bind-address": "string";
};

const ownFlags: { readonly [N in keyof OwnFlagTypes]: FlagSpec<OwnFlagTypes[N]> } = {
  kubeconfig: file("How the API server is reached; as every pod does when it and --master are empty."),
  master: text("URL", "Where it is, in place of what the kubeconfig says; http without authentication."),
  "bind-address": list("IPS", "Where queries are answered, over UDP and TCP.", ["0.0.0.0"]),
  port: port("The port of it; 0 for any.", 53),
  "cluster-domain": text("NAME", "What names of the cluster end in.", "cluster.local"),
  pods: text(
    "MODE",
    "Names of pods' addresses: insecure answers for any address, verified for those of pods that are there, disabled for none.",
    "insecure",
  ),
  upstream: list(
    "IPS",
    "Servers that are asked for other names, each with :PORT where it is not 53; those of --resolv-conf when empty.",
  ),
  "resolv-conf": file("The file that names them; empty for none.", "/etc/resolv.conf"),
  "health-bind-address": text("IP:PORT", "Where /health is served; empty for nowhere.", "0.0.0.0:8080"),
  "ready-bind-address": text("IP:PORT", "Where /ready is served; empty for nowhere.", "0.0.0.0:8181"),
  "metrics-bind-address": text("IP:PORT", "Where /metrics is served; empty for nowhere.", "127.0.0.1:9153"),
};

/** The flags of `kybern cluster-dns`. */
export const clusterDnsFlags: typeof ownFlags & typeof logFlags = {
  ...ownFlags,
  ...logFlags,
};

/** What {@link clusterDnsFlags} say. */
export type ClusterDnsFlags = ParsedFlags<typeof clusterDnsFlags>;
