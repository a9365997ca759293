import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { load } from "js-yaml";
import type { ServerAddress } from "./http2-pool.ts";

/** What a kubeconfig's context says about reaching a server and about who asks. PEM texts. */
export interface KubeconfigContext extends ServerAddress {
  readonly token?: string;
  /** Where the token comes from, if it may change: whoever goes on for long reads it again. */
  readonly tokenFile?: string;
  readonly namespace?: string;
}

interface Named<K extends string, V> {
  readonly name: string;
  readonly entry: V;
  readonly key: K;
}

/**
 * Parses a kubeconfig (YAML or JSON). `context` defaults to `current-context`. File references are read by
 * `read`, which gets the path as written; inline data wins over files but for tokens, as upstream.
 */
export function parseKubeconfig(text: string, read: (path: string) => string, context?: string): KubeconfigContext {
  const config = record(load(text));
  const contextName = context ?? string(config["current-context"]) ?? "";
  const chosen = named(config, "contexts", "context", contextName).entry;
  const cluster = named(config, "clusters", "cluster", string(chosen.cluster) ?? "").entry;
  const user = named(config, "users", "user", string(chosen.user) ?? "").entry;
  const server = string(cluster.server);
  if (server === undefined) throw new Error(`kubeconfig: cluster "${chosen.cluster}" names no server`);
  const ca = pem(cluster, "certificate-authority", read);
  const cert = pem(user, "client-certificate", read);
  const key = pem(user, "client-key", read);
  const tokenFile = string(user.tokenFile);
  const token = tokenFile === undefined ? string(user.token) : read(tokenFile).trim();
  const namespace = string(chosen.namespace);
  return {
    server,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** Loads a kubeconfig file; relative file references are relative to it. */
export async function loadKubeconfig(path: string, context?: string): Promise<KubeconfigContext> {
  const text = await readFile(path, "utf8");
  const referenced = new Map<string, string>();
  const missing = new Set<string>();
  const read = (file: string): string => {
    const content = referenced.get(file);
    if (content === undefined) missing.add(file);
    return content ?? "";
  };
  parseKubeconfig(text, read, context);
  const whole = (file: string): string => resolve(dirname(path), file);
  for (const file of missing) referenced.set(file, await readFile(whole(file), "utf8"));
  const found = parseKubeconfig(text, read, context);
  return found.tokenFile === undefined ? found : { ...found, tokenFile: whole(found.tokenFile) };
}

function named<K extends string>(
  config: Readonly<Record<string, unknown>>,
  list: string,
  key: K,
  name: string,
): Named<K, Record<string, unknown>> {
  const entries = Array.isArray(config[list]) ? (config[list] as unknown[]) : [];
  const found = entries.map(record).find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`kubeconfig: no ${key} named "${name}"`);
  return { name, key, entry: record(found[key]) };
}

function pem(entry: Readonly<Record<string, unknown>>, field: string, read: (path: string) => string): string | undefined {
  const data = string(entry[`${field}-data`]);
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  const file = string(entry[field]);
  return file === undefined ? undefined : read(file);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function string(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
