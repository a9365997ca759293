import { sendText } from "./answer.ts";
import type { KubeletCall, KubeletRoute } from "./routes.ts";

/** Where a node keeps its logs. */
const ROOT = "/var/log/";

/** `/logs/`: the files below `/var/log`, which are the logs of containers, with a page for each folder. */
export const nodeLogs: readonly KubeletRoute[] = [
  { path: "/logs", methods: ["GET"], serve },
  { path: "/logs/{path:*}", methods: ["GET"], serve },
];

async function serve({ host, parameters, response }: KubeletCall): Promise<void> {
  const path = (parameters.path ?? "").replace(/^\/+/, "");
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
  const names = [...new Set(inside.map((file) => file.replace(/\/.*/s, "/")))].sort();
  const links = names.map(
    (name) => `<a href="${encodeURI(name)}">${name.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</a>\n`,
  );
  sendText(response, 200, `<!doctype html>\n<pre>\n${links.join("")}</pre>\n`, { "content-type": "text/html; charset=utf-8" });
}
