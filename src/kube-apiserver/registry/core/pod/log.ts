import type { Pod } from "#api/generated/core/v1.ts";
import { badRequest, genericServerResponse, internalError, invalid } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { ApiResponse, ResourceRequest } from "#apiserver/endpoints/response.ts";
import { backendErrorText } from "#apiserver/proxy/backend-error.ts";
import { type BackendAnswer, hostPort } from "#apiserver/proxy/backend-transport.ts";
import { readErrorText, streamOf } from "#apiserver/proxy/streamed-answer.ts";
import { streamOverWebSocket } from "#apiserver/proxy/web-socket-reader.ts";
import type { ConnectSubresource, Store } from "#apiserver/registry/resource.ts";
import type { RegistryModules } from "../../modules.ts";
import { type LogOptions, logOptionErrors, logOptions } from "./log-options.ts";
import { chooseContainer, requireNode } from "./stream-target.ts";

/** GET of a pod's log: asked of the node, and sent on as it comes, over a WebSocket where the client wants that. */
export function logSubresource(modules: RegistryModules): ConnectSubresource<Pod> {
  return {
    type: "connect",
    kind: { group: "", version: "v1", kind: "Pod" },
    verbs: ["get"],
    connect: (name, request, store) => readLog(name, request, store, modules),
  };
}

async function readLog(
  name: string,
  request: ResourceRequest,
  store: Store<Pod>,
  { stores, network }: RegistryModules,
): Promise<ApiResponse> {
  const options = logOptions(request.query);
  const errors = logOptionErrors(options);
  if (errors.length > 0) throw invalid({ group: "", kind: "PodLogOptions" }, name, errors);
  const pod = await store.get(request.info.namespace, name);
  const container = chooseContainer(pod, options.container);
  if (!pod.spec?.nodeName) return { status: 204, headers: {}, body: "" };
  const { to, transport, insecureTransport } = network.kubelets.connectionTo(requireNode(pod, stores));
  const path = ["", "containerLogs", pod.metadata?.namespace ?? "", pod.metadata?.name ?? "", container].join("/");
  const target = `${path}?${logQuery(options)}`;
  const { signal } = request;
  network.metrics.askedForLog(options.insecureSkipTLSVerifyBackend);
  const over = options.insecureSkipTLSVerifyBackend ? insecureTransport : transport;
  const shown = `${to.scheme}://${hostPort(to)}${target}`;
  let answer: BackendAnswer;
  try {
    const headers = { Host: hostPort(to), "User-Agent": "Go-http-client/1.1" };
    answer = await over.send({ method: "GET", to, target, headers, body: undefined, signal });
  } catch (error) {
    const text = backendErrorText(error);
    if (text.includes("x509:")) network.metrics.logUnverified();
    throw plainError(`Get ${JSON.stringify(shown)}: ${text}`);
  }
  const { response } = answer;
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400 && response.headers.location !== undefined) {
    response.destroy();
    throw plainError(`Get ${JSON.stringify(response.headers.location)}: redirects forbidden`);
  }
  if (status < 200 || status > 206) throw refusal(status, await readErrorText(response), name);
  const overWebSocket = streamOverWebSocket(network.clock, request, response);
  return overWebSocket ?? { status: 200, headers: { "content-type": "text/plain" }, body: streamOf(response) };
}

/** Upstream's `GenericHttpResponseChecker`. */
function refusal(code: number, text: string, name: string): Error {
  if (code === 500) return internalError(text);
  if (code === 400) return badRequest(text);
  const resource = { group: "", resource: "pods/log" };
  return genericServerResponse({ code, verb: "", resource, name, serverMessage: text });
}

/** In the order of the alphabet, as Go writes queries. */
function logQuery(options: LogOptions): string {
  const query = new URLSearchParams();
  if (options.follow) query.set("follow", "true");
  if (options.limitBytes !== undefined) query.set("limitBytes", String(options.limitBytes));
  if (options.previous) query.set("previous", "true");
  if (options.sinceSeconds !== undefined) query.set("sinceSeconds", String(options.sinceSeconds));
  if (options.sinceTime !== undefined) query.set("sinceTime", options.sinceTime);
  query.set("stream", options.stream);
  if (options.tailLines !== undefined) query.set("tailLines", String(options.tailLines));
  if (options.timestamps) query.set("timestamps", "true");
  return query.toString();
}
