import type { Descriptions } from "./descriptions.ts";
import type { Parameter } from "./operation.ts";

type QueryType = Parameter["type"];

const LIST: Readonly<Record<string, QueryType>> = {
  continue: "string",
  fieldSelector: "string",
  labelSelector: "string",
  limit: "integer",
  resourceVersion: "string",
  resourceVersionMatch: "string",
  sendInitialEvents: "boolean",
  shardSelector: "string",
  timeoutSeconds: "integer",
};

const DELETE: Readonly<Record<string, QueryType>> = {
  dryRun: "string",
  gracePeriodSeconds: "integer",
  ignoreStoreReadErrorWithClusterBreakingPotential: "boolean",
  orphanDependents: "boolean",
  propagationPolicy: "string",
};

const WRITE: Readonly<Record<string, QueryType>> = { dryRun: "string", fieldManager: "string", fieldValidation: "string" };

/** What each action takes in the query, `pretty` aside. */
const QUERIES: Readonly<Record<string, Readonly<Record<string, QueryType>>>> = {
  list: { ...LIST, allowWatchBookmarks: "boolean", watch: "boolean" },
  deletecollection: { ...LIST, ...DELETE },
  delete: DELETE,
  post: WRITE,
  put: WRITE,
  patch: { ...WRITE, force: "boolean" },
  get: {},
  attach: { container: "string", stderr: "boolean", stdin: "boolean", stdout: "boolean", tty: "boolean" },
  exec: { command: "string", container: "string", stderr: "boolean", stdin: "boolean", stdout: "boolean", tty: "boolean" },
  portforward: { ports: "integer" },
  proxy: { path: "string" },
  log: {
    container: "string",
    follow: "boolean",
    insecureSkipTLSVerifyBackend: "boolean",
    limitBytes: "integer",
    previous: "boolean",
    sinceSeconds: "integer",
    stream: "string",
    tailLines: "integer",
    timestamps: "boolean",
  },
};

/** Where a parameter's text differs from that of the same name elsewhere. */
const VARIANTS: Readonly<Record<string, string>> = {
  patch: "patch",
  attach: "Attach",
  exec: "Exec",
  portforward: "Portforward",
  log: "Log",
};

/** The query parameters of an action such as `list` or `exec`. */
export function queryParameters(action: string, texts: Descriptions["parameters"]): Parameter[] {
  const variant = VARIANTS[action];
  return Object.entries(QUERIES[action] ?? {}).map(([name, type]) => ({
    name,
    in: "query",
    type,
    description: (variant === undefined ? undefined : texts[`${name}:${variant}`]) ?? texts[name] ?? "",
  }));
}

/** `pretty`, which every operation on objects takes. */
export function prettyParameter(texts: Descriptions["parameters"]): Parameter {
  return { name: "pretty", in: "query", type: "string", description: texts.pretty ?? "" };
}

/** The namespace in a path. */
export function namespaceParameter(texts: Descriptions["parameters"]): Parameter {
  return { name: "namespace", in: "path", type: "string", description: texts.namespace ?? "" };
}

/** The name in a path; upstream tells of which kind. */
export function nameParameter(kind: string): Parameter {
  return { name: "name", in: "path", type: "string", description: `name of the ${kind}` };
}
