import type { FlagSpec } from "#component-base/flags.ts";
import { CONTROL_PLANE_COMPONENTS } from "#envtest/control-plane.ts";
import { etcdFlags } from "../flags/etcd-flags.ts";
import { runtimeConfigFlag } from "../flags/runtime-config-flag.ts";
import { securityFlags } from "../flags/security-flags.ts";
import { servingFlags } from "../flags/serving-flags.ts";
import { storageFlags } from "../flags/storage-flags.ts";
import { kubeletClientFlags } from "../kubelet/client-flags.ts";

type UpFlagTypes = {
  readonly "data-dir": "string";
  readonly "secure-port": "int";
  readonly "bind-address": "string";
  readonly components: "strings";
  readonly nodes: "int";
  readonly "node-runtime": "string";
  readonly "container-runtime-endpoint": "string";
  readonly "service-cluster-ip-range": "string";
  readonly "storage-backend": "string";
  readonly "etcd-servers": "strings";
  readonly "from-etcd-snapshot": "string";
  readonly "enable-swagger-ui": "bool";
  readonly "log-level": "string";
  readonly help: "bool";
};

/** The flags of `kybern up`. */
export const upFlags: { readonly [N in keyof UpFlagTypes]: FlagSpec<UpFlagTypes[N]> } & typeof etcdFlags &
  typeof storageFlags &
  typeof securityFlags &
  typeof servingFlags &
  typeof kubeletClientFlags &
  typeof runtimeConfigFlag = {
  "data-dir": {
    type: "string",
    default: "./.kybern",
    placeholder: "DIR",
    help: "Where store, certificates and admin.kubeconfig are kept.",
  },
  "secure-port": {
    type: "int",
    default: 6443,
    min: 0,
    max: 65535,
    placeholder: "PORT",
    help: "Port of the API; 0 takes a free one.",
  },
  "bind-address": { type: "string", default: "127.0.0.1", placeholder: "IP", help: "Address that the API listens on." },
  components: {
    type: "strings",
    default: CONTROL_PLANE_COMPONENTS,
    placeholder: "NAMES",
    help: "What runs beside the API server; nothing when empty.",
  },
  nodes: { type: "int", default: 1, min: 0, max: 10_000, placeholder: "N", help: "Number of simulated nodes." },
  "node-runtime": {
    type: "string",
    default: "auto",
    placeholder: "NAME",
    help: "containerd: this machine is a node, with real containers; simulated: it is not; auto: it is where it can be and --nodes is not given.",
  },
  "container-runtime-endpoint": {
    type: "string",
    default: "",
    placeholder: "unix://PATH",
    help: "Socket of this machine's container runtime; the first usual one that is there when empty.",
  },
  "service-cluster-ip-range": {
    type: "string",
    default: "10.96.0.0/12",
    placeholder: "CIDRS",
    help: "Addresses of Services: one network, or one of each family with a comma between, the default one first.",
  },
  "storage-backend": {
    type: "string",
    default: "",
    placeholder: "NAME",
    help: "lmdb keeps the state in the data directory, memory nowhere, etcd3 in --etcd-servers; what is there decides when empty.",
  },
  "etcd-servers": {
    type: "strings",
    default: [],
    placeholder: "URLS",
    help: "Keep the state in this etcd (http or https, with commas between) instead of an embedded store.",
  },
  ...etcdFlags,
  ...storageFlags,
  "from-etcd-snapshot": {
    type: "string",
    default: "",
    placeholder: "FILE",
    help: "Open a snapshot of etcd for a look, by etcd's own programs: an API server alone, for reading only, in a temporary folder.",
  },
  "enable-swagger-ui": { type: "bool", default: false, help: "Serve a page at /swagger-ui/ that shows and tries the API." },
  ...securityFlags,
  ...servingFlags,
  ...kubeletClientFlags,
  ...runtimeConfigFlag,
  "log-level": {
    type: "string",
    default: "warn",
    placeholder: "LEVEL",
    help: "debug, info, warn, error or silent; to standard error.",
  },
  help: { type: "bool", default: false, help: "Show this help." },
};
