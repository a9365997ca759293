import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { ComponentHealth } from "#kube-apiserver/registry/core/component-status/component-status.ts";
import { etcdTls, etcdUrls } from "./flags/etcd-flags.ts";

const TIMEOUT_MS = 5_000;
/** The longest answer that is shown. */
const ANSWER_BYTES_MAX = 1_000;

type EtcdFlags = { readonly "etcd-servers": readonly string[] } & Parameters<typeof etcdTls>[0];

/** Asks the components of this machine and every member of etcd how they are, for `componentstatuses`: as upstream, at their usual ports. */
export function componentHealth(flags: EtcdFlags): Readonly<Record<string, ComponentHealth>> {
  const etcd = etcdUrls("etcd-servers", flags["etcd-servers"]).map((url, i) => [`etcd-${i}`, () => askEtcd(url, flags)] as const);
  return {
    "controller-manager": () => askEither("https://127.0.0.1:10257/healthz", "http://127.0.0.1:10252/healthz"),
    scheduler: () => askEither("https://127.0.0.1:10259/healthz", "http://127.0.0.1:10251/healthz"),
    ...Object.fromEntries(etcd),
  };
}

async function askEither(secure: string, plain: string): Promise<string> {
  // Self-made certificates: what is asked lies on this machine, and tells nothing but that it is well.
  const asked = ask(secure, { rejectUnauthorized: false });
  return asked.catch((error: unknown) =>
    ask(plain, {}).catch(() => {
      throw error;
    }),
  );
}

async function askEtcd(url: string, flags: EtcdFlags): Promise<string> {
  const { caFile, certFile, keyFile } = etcdTls(flags);
  const pem = async (path: string | undefined): Promise<string | undefined> => path && readFile(path, "utf8");
  const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map(pem));
  const answer = await ask(`${url}/health`, { ca, cert, key });
  const { health } = JSON.parse(answer) as { readonly health?: string };
  if (health !== "true") throw new Error(answer);
  return answer;
}

/** The text of an answer 200; rejects with any other. */
function ask(url: string, options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const sent = (url.startsWith("http:") ? httpRequest : httpsRequest)(url, { ...options, agent: false, signal }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        if (text.length < ANSWER_BYTES_MAX) text += chunk;
      });
      response.on("end", () => (response.statusCode === 200 ? resolve(text.trim()) : reject(new Error(text.trim()))));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}
