import type { Node } from "#api/generated/core/v1.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import { type BackendAddress, type BackendTls, BackendTransport } from "#apiserver/proxy/backend-transport.ts";
import type { NetworkDialer } from "#apiserver/proxy/network-dialer.ts";
import type { Clock } from "#base/clock.ts";

/** Upstream's default of `--kubelet-preferred-address-types`. */
export const PREFERRED_ADDRESS_TYPES: readonly string[] = ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"];
/** Where kubelets listen that do not say where. */
const KUBELET_PORT = 10250;
/** Upstream's default of `--kubelet-timeout`. */
const DIAL_TIMEOUT_MS = 5_000;

/** How kubelets are reached, as upstream's `KubeletClientConfig`. */
export interface KubeletClientOptions {
  /** Which address of a node is taken: the first type of these that it has. */
  readonly preferredAddressTypes?: readonly string[];
  /** Where the node's status names no port. */
  readonly port?: number;
  /** Default true. */
  readonly https?: boolean;
  /** What this server shows to kubelets. PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** Whom kubelets' certificates have to come from. PEM. When absent they are not looked at, as upstream. */
  readonly ca?: string;
  /** How long a kubelet may take to answer a connection, in milliseconds. Default 5 s. */
  readonly dialTimeoutMs?: number;
}

/** The way to one kubelet. */
export interface KubeletConnection {
  readonly to: BackendAddress;
  readonly transport: BackendTransport;
  /** Looks at no certificate: for who asks for logs in spite of one. */
  readonly insecureTransport: BackendTransport;
}

/** Knows the way to nodes' kubelets by what the nodes' status says (upstream's `NodeConnectionInfoGetter`). */
export class KubeletClient {
  readonly #options: KubeletClientOptions;
  readonly #transport: BackendTransport;
  readonly #insecure: BackendTransport;

  constructor(options: KubeletClientOptions, modules: { readonly clock: Clock; readonly dialer?: NetworkDialer | undefined }) {
    const { ca, cert, key, dialTimeoutMs = DIAL_TIMEOUT_MS } = options;
    this.#options = options;
    const own = { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
    const over = (tls: BackendTls): BackendTransport =>
      new BackendTransport({ ...modules, tls, proxyableOnly: false, dialTimeoutMs });
    this.#transport = over({ ...own, ...(ca === undefined ? {} : { ca }), verify: ca !== undefined });
    this.#insecure = over({ ...own, verify: false });
  }

  /** Throws where the node names no address of a type that is wanted. */
  connectionTo(node: Node): KubeletConnection {
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
    return {
      to: {
        scheme: this.#options.https === false ? "http" : "https",
        host: this.#preferredAddress(node),
        port: port > 0 ? port : (this.#options.port ?? KUBELET_PORT),
      },
      transport: this.#transport,
      insecureTransport: this.#insecure,
    };
  }

  #preferredAddress(node: Node): string {
    const addresses = node.status?.addresses ?? [];
    for (const wanted of this.#options.preferredAddressTypes ?? PREFERRED_ADDRESS_TYPES) {
      const found = addresses.find(({ type }) => type === wanted);
      if (found !== undefined) return found.address;
    }
    const known = addresses.map(({ type, address }) => `{${type} ${address}}`).join(" ");
    throw plainError(`no preferred addresses found; known addresses: [${known}]`);
  }
}
