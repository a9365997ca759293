import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { load } from "js-yaml";

/** What a user of a kubeconfig proves itself with. PEM texts. */
export interface KubeconfigUser {
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  /** For whom it asks. */
  readonly impersonate?: {
    readonly user: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

/** All users of a kubeconfig by their names, and which of them its current context names. */
export interface KubeconfigUsers {
  readonly users: ReadonlyMap<string, KubeconfigUser>;
  readonly current?: string;
}

type Written = Readonly<Record<string, unknown>>;

/**
 * Loads the users of a kubeconfig file, whatever its clusters; files that it names are relative to it. Rejects for users
 * whose credentials come from a program: the API server starts none.
 */
export async function loadKubeconfigUsers(path: string): Promise<KubeconfigUsers> {
  const config = record(load(await readFile(path, "utf8")));
  const read = (file: string): Promise<string> => readFile(resolve(dirname(path), file), "utf8");
  const users = new Map<string, KubeconfigUser>();
  for (const entry of list(config.users)) users.set(text(entry.name) ?? "", await userOf(record(entry.user), read));
  const context = list(config.contexts).find(({ name }) => name === config["current-context"]);
  const current = text(record(context?.context).user);
  return { users, ...(current === undefined ? {} : { current }) };
}

async function userOf(user: Written, read: (file: string) => Promise<string>): Promise<KubeconfigUser> {
  if (user["auth-provider"] !== undefined) throw new Error("auth provider not supported");
  if (user.exec !== undefined) throw new Error("kubeconfig: credentials from a program (exec) are not supported here");
  const cert = await pem(user, "client-certificate", read);
  const key = await pem(user, "client-key", read);
  const tokenFile = text(user.tokenFile);
  const token = tokenFile === undefined ? text(user.token) : (await read(tokenFile)).trim();
  const [username, password, as, uid] = [user.username, user.password, user.as, user["as-uid"]].map(text);
  const groups = user["as-groups"] as readonly string[] | undefined;
  const extra = user["as-user-extra"] as Readonly<Record<string, readonly string[]>> | undefined;
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(token === undefined ? {} : { token }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(as === undefined
      ? {}
      : { impersonate: { user: as, ...(uid && { uid }), ...(groups && { groups }), ...(extra && { extra }) } }),
  };
}

async function pem(user: Written, field: string, read: (file: string) => Promise<string>): Promise<string | undefined> {
  const data = text(user[`${field}-data`]);
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  const file = text(user[field]);
  return file === undefined ? undefined : read(file);
}

function list(value: unknown): readonly Written[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function record(value: unknown): Written {
  return typeof value === "object" && value !== null ? (value as Written) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
