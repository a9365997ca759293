import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import type { NetworkDialer } from "#apiserver/proxy/network-dialer.ts";
import type { StorageSettings } from "#apiserver/registry/store/storage-settings.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";
import type { NamedCertificate } from "#apiserver/server/named-certificates.ts";
import type { ServingOptions } from "#apiserver/server/serving-options.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import type { Logger } from "#component-base/logging.ts";
import type { CertificatePair, SigningKeyPair } from "#pki/key-pair.ts";
import type { KVStore } from "#storage/kv.ts";
import type { AdmissionPluginChoice } from "./admission/plugins.ts";
import type { AuditOptions } from "./audit/audit.ts";
import type { AuthenticationOptions } from "./authentication/authentication-options.ts";
import type { AuthorizationOptions } from "./authorization/authorization.ts";
import type { EncryptionOptions } from "./encryption/encryption-at-rest.ts";
import type { EndpointReconcilerType } from "./endpoint-reconciler/endpoint-reconciler.ts";
import type { KubeletClientOptions } from "./kubelet-client/kubelet-client.ts";
import type { Profiles } from "./profile-routes.ts";
import type { ComponentHealth } from "./registry/core/component-status/component-status.ts";
import type { RuntimeConfig } from "./runtime-config.ts";

/** What an API server proves itself with, and whom it trusts. PEM texts; an authority may be empty. */
export interface ServerAssets {
  /** Signs clients' certificates. */
  readonly ca: Pick<CertificatePair, "cert">;
  readonly frontProxyCa: Pick<CertificatePair, "cert">;
  readonly apiserver: CertificatePair;
  /** Shown in place of that to clients who ask for their names. */
  readonly named?: readonly NamedCertificate[];
  readonly kubeletClient?: CertificatePair;
  readonly frontProxyClient?: CertificatePair;
  readonly serviceAccount: () => Promise<SigningKeyPair>;
}

/** What an API server is started with. */
export interface KubeApiServerOptions {
  /** Stays the caller's: it is not closed. */
  readonly kv: KVStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  readonly assets: ServerAssets;
  readonly bindAddress: string;
  /** 0 takes a free one. */
  readonly port: number;
  /**
   * Networks that Services get their cluster IPs from, one CIDR or one of each family with a comma between; the first address of the
   * first is the API server's own.
   */
  readonly serviceClusterIpRange: string;
  /** Default `30000-32767`. */
  readonly serviceNodePortRange?: string;
  /** How clients prove who they are, beside certificates of the cluster's authority and service-account tokens. */
  readonly authentication?: AuthenticationOptions;
  /** Who decides what they may do. */
  readonly authorization?: AuthorizationOptions;
  /** Which admission plugins run. Default: those that run unasked. */
  readonly admission?: AdmissionPluginChoice;
  /** Which versions of the API are served. Default: the stable ones. */
  readonly runtimeConfig?: RuntimeConfig;
  /** How values are encrypted before they are stored; not at all when absent. */
  readonly encryption?: EncryptionOptions;
  /** How objects are stored. */
  readonly storage?: StorageSettings;
  /** What is written down of requests; nothing when absent. */
  readonly audit?: AuditOptions;
  /** How it speaks with its clients. Default: as upstream. */
  readonly serving?: ServingOptions;
  /** What is served at `/debug/pprof/`; nothing when absent. */
  readonly profiles?: Profiles;
  /** Serves the page at `/swagger-ui/`. Default: false. */
  readonly swaggerUi?: boolean;
  /** The IP address that members of the cluster reach the server by. Default: the bound one, or the machine's first. */
  readonly advertiseAddress?: string;
  /** How kubelets are reached. Default: by upstream's defaults, with the cluster's certificate for that. */
  readonly kubelet?: KubeletClientOptions;
  /** How much `exec`, `port-forward` and other upgraded connections may carry each way; any amount when 0 or absent. */
  readonly maxConnectionBytesPerSecond?: number;
  /** Where else it listens: without TLS, and whoever comes may do everything. Nowhere when absent. */
  readonly insecure?: { readonly bindAddress: string; readonly port: number };
  /** How servers of one store enter themselves in `default/kubernetes`. Default: by leases. */
  readonly endpointReconciler?: { readonly type: EndpointReconcilerType; readonly count: number };
  /** Whether pods may have privileged containers. Default: true. */
  readonly allowPrivileged?: boolean;
  /** How long an event is kept after its last write. Default: an hour. */
  readonly eventTtlSeconds?: number;
  /** Leads to nodes and pods that are simulated. */
  readonly network?: NetworkDialer;
  /** For `componentstatuses`, beside an `etcd-0` that may be told otherwise here. */
  readonly componentHealth?: Readonly<Record<string, ComponentHealth>>;
  /**
   * Called with the server's URL as soon as it can be connected with. Requests for objects wait until what a new cluster begins with is
   * there; `/readyz` says when.
   */
  readonly onListening?: (url: string) => Promise<void>;
}

/** An API server that answers. */
export interface KubeApiServer {
  /** `https://HOST:PORT` */
  readonly url: string;
  readonly port: number;
  /** Of the listener without TLS. */
  readonly insecurePort?: number;
  readonly stores: StoreRegistry;
  readonly authorizer: Authorizer;
  /** The API as this user, without sockets. Authorized as over HTTPS. */
  inProcessClient(user: UserInfo): Client;
  /**
   * Shows other serving certificates, and takes those of other authorities, from the next connection on; the files that
   * options name are read anew, and what is published of authorities follows. Rejects where they cannot be used: the last
   * ones stay.
   */
  useCertificates(assets: Pick<ServerAssets, "ca" | "frontProxyCa" | "apiserver" | "named">): Promise<void>;
  /** All objects that a cluster begins with are there. */
  readonly ready: Promise<void>;
  /** Ends watches, finishes what is in progress, closes all connections. Can be called again. */
  stop(): Promise<void>;
}
