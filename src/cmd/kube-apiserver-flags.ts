import type { FlagSet, FlagSpec } from "#component-base/flags.ts";
import { etcdFlags } from "./flags/etcd-flags.ts";
import { count, list, port, text, toggle } from "./flags/flag-specs.ts";
import { type FormerFlags, formerFlagSpecs } from "./flags/former-flags.ts";
import { frontProxyFlags } from "./flags/front-proxy-flags.ts";
import { logFlags } from "./flags/log-flags.ts";
import { runtimeConfigFlag } from "./flags/runtime-config-flag.ts";
import { securityFlags } from "./flags/security-flags.ts";
import { servingFlags } from "./flags/serving-flags.ts";
import { storageFlags } from "./flags/storage-flags.ts";
import { kubeletClientFlags } from "./kubelet/client-flags.ts";
import { namedCertificateFlags, servingCertificateFlags } from "./serving-certificate.ts";

/** Former flags of the API server, and what they come to. */
export const formerApiServerFlags: FormerFlags = {
  "tls-ca-file": {
    type: "string",
    says: "clients trust the authority that they are given; certificates that lead up to it may stand in --tls-cert-file",
  },
  "experimental-bootstrap-token-auth": { type: "bool", says: "taken as --enable-bootstrap-token-auth" },
  "storage-backend": { type: "string", says: "etcd is asked by its third protocol, whatever is named" },
  "enable-aggregator-routing": { type: "bool", says: "aggregated API servers are always reached at their endpoints" },
  "target-ram-mb": { type: "int", says: "caches are as large as what is stored" },
  "cloud-provider": { type: "string", says: "no cloud is asked for anything" },
  "cloud-config": { type: "string", says: "no cloud is asked for anything" },
  logtostderr: { type: "bool", says: "the log goes to standard error" },
};

type OwnFlagTypes = {
  readonly "etcd-servers": "strings";
  readonly "secure-port": "int";
  readonly "bind-address": "string";
  readonly "advertise-address": "string";
  readonly "insecure-port": "int";
  readonly "insecure-bind-address": "string";
  readonly "service-cluster-ip-range": "string";
  readonly "service-node-port-range": "string";
  readonly "allow-privileged": "bool";
  readonly "apiserver-count": "int";
  readonly "endpoint-reconciler-type": "string";
  readonly "event-ttl": "string";
  readonly "enable-swagger-ui": "bool";
  readonly "feature-gates": "strings";
};

const ownFlags: { readonly [N in keyof OwnFlagTypes]: FlagSpec<OwnFlagTypes[N]> } = {
  "etcd-servers": list("URLS", "Where etcd is: http or https, with commas between."),
  "secure-port": port("Port of the API; 0 takes a free one.", 6443),
  "bind-address": text("IP", "Address that the API listens on.", "0.0.0.0"),
  "advertise-address": text("IP", "Address that members of the cluster reach this server by; the machine's first when empty."),
  "insecure-port": port(
    "Port without TLS, authentication and authorization; 8080 where --insecure-bind-address or the name hyperkube asks for it.",
    0,
  ),
  "insecure-bind-address": text("IP", "Address of that port; 127.0.0.1 when empty."),
  "service-cluster-ip-range": text(
    "CIDRS",
    "Addresses of Services: one network, or one of each family with a comma between, the default one first.",
    "10.0.0.0/24",
  ),
  "service-node-port-range": text("RANGE", "Ports of nodes that Services may take.", "30000-32767"),
  "allow-privileged": toggle("Let pods have privileged containers."),
  "apiserver-count": count("How many servers --endpoint-reconciler-type=master-count leaves in default/kubernetes.", 1),
  "endpoint-reconciler-type": text("TYPE", "How servers enter themselves there: lease, master-count or none.", "lease"),
  "event-ttl": text("DURATION", "How long events are kept.", "1h0m0s"),
  "enable-swagger-ui": toggle("Serve a page at /swagger-ui/ that shows and tries the API."),
  "feature-gates": list("PAIRS", "Name=true|false; what is there is on in any case."),
};

/** The flags of `kybern kube-apiserver`. What several programs have is declared once; some have upstream's defaults of this one. */
export const kubeApiServerFlags: typeof ownFlags &
  typeof etcdFlags &
  typeof storageFlags &
  typeof servingCertificateFlags &
  typeof namedCertificateFlags &
  typeof securityFlags &
  typeof servingFlags &
  typeof frontProxyFlags &
  typeof kubeletClientFlags &
  typeof runtimeConfigFlag &
  typeof logFlags &
  FlagSet = {
  ...ownFlags,
  ...etcdFlags,
  ...storageFlags,
  ...servingCertificateFlags,
  ...namedCertificateFlags,
  "cert-dir": { ...servingCertificateFlags["cert-dir"], default: "/var/run/kubernetes" },
  ...securityFlags,
  "anonymous-auth": { ...securityFlags["anonymous-auth"], default: true },
  "authorization-mode": { ...securityFlags["authorization-mode"], default: ["AlwaysAllow"] },
  ...servingFlags,
  ...frontProxyFlags,
  ...kubeletClientFlags,
  ...runtimeConfigFlag,
  ...formerFlagSpecs(formerApiServerFlags),
  ...logFlags,
};
