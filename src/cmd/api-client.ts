import { readFile } from "node:fs/promises";
import type { Clock } from "#base/clock.ts";
import { type KubeconfigContext, loadKubeconfig } from "#client/kubeconfig.ts";
import { createRestClient, type RestClient, type RestClientOptions } from "#client/rest-client.ts";
import { FlagError } from "#component-base/flags.ts";
import { StartupError } from "./startup-error.ts";
import { kybernVersion } from "./version.ts";

/** Where a pod finds what it shows to the API server. */
const IN_CLUSTER = "/var/run/secrets/kubernetes.io/serviceaccount";
/** How often a token's file is read again, in milliseconds (client-go's `NewCachedFileTokenSource`). */
const TOKEN_PERIOD_MS = 60_000;

/**
 * How the API server is reached: as `--kubeconfig` says, at `--master` where that is given; inside a pod as every pod does.
 * Throws a {@link FlagError} where nothing says it.
 */
export async function apiServerAddress(flags: {
  readonly kubeconfig: string;
  readonly master: string;
}): Promise<KubeconfigContext> {
  const master = flags.master === "" || /^https?:\/\//.test(flags.master) ? flags.master : `http://${flags.master}`;
  if (master !== "" && !URL.canParse(master)) throw new FlagError(`flag --master takes a URL, not "${flags.master}"`);
  if (flags.kubeconfig !== "") {
    const context = await readKubeconfig(flags.kubeconfig);
    return master === "" ? context : { ...context, server: master };
  }
  return master === "" ? inCluster() : { server: master };
}

/** A kubeconfig that a flag names. Rejects with a {@link StartupError} for one that says too little. */
export async function readKubeconfig(path: string): Promise<KubeconfigContext> {
  try {
    return await loadKubeconfig(path);
  } catch (error) {
    // What the system refuses is put into words elsewhere.
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    throw new StartupError(`${path}: ${(error as Error).message}`);
  }
}

async function inCluster(): Promise<KubeconfigContext> {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "" } = process.env;
  if (host === "" || port === "") throw new FlagError("--kubeconfig or --master must say where the API server is");
  const tokenFile = `${IN_CLUSTER}/token`;
  const [token, ca] = await Promise.all([readFile(tokenFile, "utf8"), readFile(`${IN_CLUSTER}/ca.crt`, "utf8")]);
  return { server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`, token: token.trim(), tokenFile, ca };
}

/** Where a server is and who asks, who may still be without a certificate. */
type ClientAddress = KubeconfigContext & Pick<RestClientOptions, "awaitsCertificate">;

/** A client that calls itself by the program's name. A token out of a file is read again each minute, for it ends some time. */
export function clientOf(address: ClientAddress, program: string, clock: Clock): RestClient {
  const { tokenFile, ...server } = address;
  const client = createRestClient({ ...server, userAgent: `${program}/kybern-${kybernVersion()}`, clock });
  return tokenFile === undefined ? client : withToken(client, tokenFile, clock);
}

function withToken(client: RestClient, tokenFile: string, clock: Clock): RestClient {
  const look = async (): Promise<void> => {
    // A file that cannot be read now may be read the next time; until then the token that is known may still do.
    const token = (await readFile(tokenFile, "utf8").catch(() => "")).trim();
    if (token !== "") client.useToken(token);
  };
  const timer = clock.setInterval(() => void look(), TOKEN_PERIOD_MS, { unref: true });
  const close = client.close.bind(client);
  client.close = () => {
    timer.clear();
    close();
  };
  return client;
}
