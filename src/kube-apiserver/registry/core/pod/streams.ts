import type { Pod } from "#api/generated/core/v1.ts";
import { badRequest } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { ApiResponse, ResourceRequest } from "#apiserver/endpoints/response.ts";
import { translateToBackend, wantsTranslation } from "#apiserver/proxy/stream-translator.ts";
import { tunnelToBackend, wantsTunnel } from "#apiserver/proxy/stream-tunnel.ts";
import { proxyToBackend } from "#apiserver/proxy/upgrade-aware-proxy.ts";
import type { ConnectSubresource, Store } from "#apiserver/registry/resource.ts";
import type { RegistryModules } from "../../modules.ts";
import { proxyRequestOf } from "../proxy/proxy-request.ts";
import { chooseContainer, requireNode } from "./stream-target.ts";

/** The kubelet's path of each. */
type Stream = "attach" | "exec" | "portForward";

const KINDS: Readonly<Record<Stream, string>> = {
  attach: "PodAttachOptions",
  exec: "PodExecOptions",
  portForward: "PodPortForwardOptions",
};

/** `PodExecOptions` and its like, as the query gave them. */
interface StreamOptions {
  readonly container?: string;
  readonly command?: readonly string[];
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly tty?: boolean;
  readonly ports?: readonly number[];
}

/**
 * `exec`, `attach` and `portforward`: joined with the pod's kubelet. A client that speaks SPDY, or a WebSocket protocol
 * of the kubelet, is passed on; one that speaks `v5.channel.k8s.io` or SPDY inside a WebSocket is translated for.
 */
export function streamSubresource(stream: Stream, modules: RegistryModules): ConnectSubresource<Pod> {
  return {
    type: "connect",
    kind: { group: "", version: "v1", kind: KINDS[stream] },
    verbs: ["create", "get"],
    admitted: true,
    needsCreate: true,
    connect: (name, request, store, options) => connectStream(stream, modules, { name, request, store, options }),
  };
}

async function connectStream(
  stream: Stream,
  { stores, network }: RegistryModules,
  asked: { readonly name: string; readonly request: ResourceRequest; readonly store: Store<Pod>; readonly options: ApiObject },
): Promise<ApiResponse> {
  const { name, request, store } = asked;
  const options = asked.options as StreamOptions;
  const pod = await store.get(request.info.namespace, name);
  const container = stream === "portForward" ? "" : chooseContainer(pod, options.container ?? "");
  if (!pod.spec?.nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
  const { to, transport } = network.kubelets.connectionTo(requireNode(pod, stores));
  const parts = ["", stream, pod.metadata?.namespace ?? "", pod.metadata?.name ?? ""];
  if (container !== "") parts.push(container);
  const location = { to, path: parts.join("/"), query: streamQuery(options) };
  const proxied = proxyRequestOf(request);
  const { clock, maxBytesPerSecond, metrics } = network;
  const proxy = { location, transport, clock, maxBytesPerSecond, rewrites: false, upgradeRequired: true };
  if (stream === "portForward" && wantsTunnel(request.headers)) {
    const told = (code: number): void => metrics.tunnelled(code);
    const answer = tunnelToBackend(proxy, proxied);
    answer.then(
      ({ status }) => told(status),
      (error: unknown) => told(error instanceof StatusError ? (error.status.code ?? 500) : 500),
    );
    return answer;
  }
  if (stream === "portForward") return proxyToBackend(proxy, proxied);
  if (!wantsTranslation(request.headers)) return proxyToBackend(proxy, proxied);
  const { stdin = false, stdout = false, stderr = false, tty = false } = options;
  const onEnd = (code: number): void => metrics.translated(code);
  const streams = { stdin, stdout, stderr, tty };
  return translateToBackend({ location, transport, clock, streams, maxBytesPerSecond, onEnd }, proxied);
}

/** Upstream's `streamParams`, in the order of the alphabet as Go writes queries. */
function streamQuery({ command = [], ports = [], ...options }: StreamOptions): string {
  const query = new URLSearchParams();
  for (const word of command) query.append("command", word);
  if (options.stderr) query.set("error", "1");
  if (options.stdin) query.set("input", "1");
  if (options.stdout) query.set("output", "1");
  if (ports.length > 0) query.set("port", ports.join(","));
  if (options.tty) query.set("tty", "1");
  return query.toString();
}
