import type { ServerResponse } from "node:http";
import { posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { sendText } from "./answer.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";

type NodeLogFiles = NonNullable<KubeletHost["nodeLogFiles"]>;

/** Where a node keeps its logs. */
const ROOT = "/var/log/";

/** `/logs/`: the files below `/var/log`, which are the logs of containers, with a page for each folder. */
export const nodeLogs: readonly KubeletRoute[] = [
  { path: "/logs", methods: ["GET"], serve },
  { path: "/logs/{path:*}", methods: ["GET"], serve },
];

async function serve(call: KubeletCall): Promise<void> {
  const { host, parameters, response } = call;
  const path = (parameters.path ?? "").replace(/^\/+/, "");
  if (host.nodeLogFiles !== undefined) {
    await serveFile(host.nodeLogFiles, path, call);
    return;
  }
  const known = (await host.runtime.containerStatuses()).map(({ logPath }) => logPath).filter((one) => one.startsWith(ROOT));
  const files = known.map((one) => one.slice(ROOT.length));
  if (files.includes(path)) {
    const log = await host.logFiles.open(ROOT + path);
    const start = log.start();
    const text = await log.read(start, (await log.end()) - start);
    await log.close();
    sendText(response, 200, text.toString("utf8"));
    return;
  }
  const folder = path === "" || path.endsWith("/") ? path : `${path}/`;
  const inside = files.filter((file) => file.startsWith(folder)).map((file) => file.slice(folder.length));
  if (inside.length === 0 && folder !== "") {
    sendText(response, 404, "404 page not found\n");
    return;
  }
  sendFolder(response, [...new Set(inside.map((file) => file.replace(/\/.*/s, "/")))]);
}

/** A file or a folder of a real node, and nothing that a link leads to elsewhere: pods may write links there. */
async function serveFile(files: NodeLogFiles, path: string, { request, response }: KubeletCall): Promise<void> {
  const root = await files.realpath(ROOT);
  const real = await files.realpath(posix.join(root, posix.normalize(`/${path}`))).catch(() => undefined);
  if (real === undefined || (real !== root && !real.startsWith(`${root}/`))) {
    sendText(response, 404, "404 page not found\n");
    return;
  }
  const found = await files.stat(real);
  if (found.isDirectory()) {
    const entries = await files.readdir(real, { withFileTypes: true });
    sendFolder(
      response,
      entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)),
    );
    return;
  }
  if (!found.isFile()) {
    sendText(response, 404, "404 page not found\n");
    return;
  }
  const file = await files.open(real, "r");
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  if (request.method === "HEAD") {
    await file.close();
    response.end();
  } else await pipeline(file.createReadStream(), response);
}

function sendFolder(response: ServerResponse, names: readonly string[]): void {
  const links = [...names]
    .sort()
    .map((name) => `<a href="${encodeURI(name)}">${name.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</a>\n`);
  sendText(response, 200, `<!doctype html>\n<pre>\n${links.join("")}</pre>\n`, { "content-type": "text/html; charset=utf-8" });
}
