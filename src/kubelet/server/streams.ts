import type { Pod } from "#api/generated/core/v1.ts";
import { isWebSocketRequest, webSocketProtocols } from "#apimachinery/httpstream/upgrade-headers.ts";
import { isTunnelProtocol } from "#apimachinery/httpstream/websocket/channels.ts";
import type { AttachRequest } from "#cri/runtime-service.ts";
import { TOKEN_TTL_MS, TooManyRequestsError } from "#cri/streaming/request-cache.ts";
import { sendText } from "./answer.ts";
import { podByName, readySandbox, runningContainer } from "./kubelet-host.ts";
import { passOn } from "./pass-on.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";

const METHODS = ["GET", "POST"];

function routes(name: string, rest: string, serve: KubeletRoute["serve"]): readonly KubeletRoute[] {
  return [
    { path: `/${name}/{namespace}/{pod}${rest}`, methods: METHODS, serve },
    { path: `/${name}/{namespace}/{pod}/{uid}${rest}`, methods: METHODS, serve },
  ];
}

/** `/exec`, `/attach` and `/portForward`: the runtime says where, and the connection is passed on there. */
export const streams: readonly KubeletRoute[] = [
  ...routes("exec", "/{container}", (call) => serveCommand(call, true)),
  ...routes("attach", "/{container}", (call) => serveCommand(call, false)),
  ...routes("portForward", "", servePortForward),
];

async function serveCommand(call: KubeletCall, isExec: boolean): Promise<void> {
  const { host, query, parameters, response } = call;
  const wants = (name: string): boolean => query.get(name) === "1";
  const [tty, stdin, stdout] = [wants("tty"), wants("input"), wants("output")];
  const stderr = wants("error") && !tty;
  if (!stdin && !stdout && !stderr) {
    sendText(response, 400, "you must specify at least 1 of stdin, stdout, stderr");
    return;
  }
  const pod = podOf(call);
  if (pod === undefined) return;
  const { uid = "", container = "" } = parameters;
  const containerId = await runningContainer(host, pod, uid, container);
  if (containerId === undefined) {
    sendText(response, 500, `container not found ("${container}")`);
    return;
  }
  const request: AttachRequest = { containerId, tty, stdin, stdout, stderr };
  const { runtime } = host;
  await passOnTo(call, isExec ? runtime.exec({ ...request, cmd: query.getAll("command") }) : runtime.attach(request));
}

async function servePortForward(call: KubeletCall): Promise<void> {
  const { host, request, query, parameters, response } = call;
  const isTunnel = webSocketProtocols(request.headers).some(isTunnelProtocol);
  const ports = isWebSocketRequest(request.headers) && !isTunnel ? portsOf(query.getAll("port")) : [];
  if (typeof ports === "string") {
    sendText(response, 400, ports);
    return;
  }
  const pod = podOf(call);
  if (pod === undefined) return;
  const { uid = "" } = parameters;
  if (uid !== "" && uid !== pod.metadata.uid) {
    sendText(response, 404, "pod not found");
    return;
  }
  const podSandboxId = await readySandbox(host, pod);
  if (podSandboxId === undefined) {
    sendText(response, 500, `pod not found ("${pod.metadata.name}_${pod.metadata.namespace}")`);
    return;
  }
  await passOnTo(call, host.runtime.portForward({ podSandboxId, ports }));
}

function podOf({ host, parameters, response }: KubeletCall): Pod | undefined {
  const pod = podByName(host, parameters.namespace ?? "", parameters.pod ?? "");
  if (pod === undefined) sendText(response, 404, "pod does not exist");
  return pod;
}

async function passOnTo(call: KubeletCall, answer: Promise<string>): Promise<void> {
  const { host, clock, request, response, upgrade } = call;
  let url: URL;
  try {
    url = new URL(await answer);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof TooManyRequestsError) sendText(response, 429, message, { "retry-after": String(TOKEN_TTL_MS / 1000) });
    else sendText(response, 500, message);
    return;
  }
  if (upgrade === undefined) sendText(response, 500, "Upgrade request required\n");
  else await passOn(request, upgrade, url, await host.dialStreaming(url), clock);
}

/** The ports of a WebSocket's query, or what is wrong with them (upstream's `NewV4Options`). */
function portsOf(values: readonly string[]): readonly number[] | string {
  if (values.length === 0) return 'query parameter "port" is required';
  const ports: number[] = [];
  for (const value of values) {
    if (value === "") return 'query parameter "port" cannot be empty';
    for (const text of value.split(",")) {
      const port = Number(text);
      if (!/^\d{1,5}$/.test(text) || port > 65535) {
        return `unable to parse "${value}" as a port: strconv.ParseUint: parsing "${text}": ${/^\d+$/.test(text) ? "value out of range" : "invalid syntax"}`;
      }
      if (port < 1) return `port "${value}" must be > 0`;
      ports.push(port);
    }
  }
  return ports;
}
