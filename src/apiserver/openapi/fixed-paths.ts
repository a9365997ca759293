import type { Operation, Parameter } from "./operation.ts";
import { capitalised, groupTag, groupTitle } from "./operations.ts";
import type { ServedResource } from "./served-resource.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const DISCOVERY = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const RESOURCES = [...DISCOVERY, "application/cbor"];

/** OpenAPI name of what `/version` answers with. */
export const VERSION_INFO = "io.k8s.apimachinery.pkg.version.Info";

const LOG_PATH: Parameter = { name: "logpath", in: "path", type: "string", description: "path of the log" };

/** Writes the operations that no resource makes: discovery, the version, keys, logs. */
export function addFixedOperations(paths: Map<string, Operation[]>, resources: readonly ServedResource[]): void {
  const get = (path: string, operation: Omit<Operation, "method" | "codes" | "parameters"> & Partial<Operation>): void => {
    paths.set(path, [{ method: "get", codes: [200], parameters: [], ...operation }]);
  };
  const discovery = (path: string, id: string, description: string, tag: string, type: string): void =>
    get(path, { id, description, tag, consumes: DISCOVERY, produces: DISCOVERY, content: { type: `${META}${type}` } });

  discovery("/api/", "getCoreAPIVersions", "get available API versions", "core", "APIVersions");
  discovery("/apis/", "getAPIVersions", "get available API versions", "apis", "APIGroupList");
  const versions = new Map<string, { group: string; version: string }>();
  for (const { group, version } of resources) versions.set(`${group}/${version}`, { group, version });
  for (const { group, version } of versions.values()) {
    const title = groupTitle(group);
    if (group !== "")
      discovery(`/apis/${group}/`, `get${title}APIGroup`, "get information of a group", groupTag(group), "APIGroup");
    get(group === "" ? `/api/${version}/` : `/apis/${group}/${version}/`, {
      id: `get${title}${capitalised(version)}APIResources`,
      description: "get available resources",
      tag: groupTag(group, version),
      consumes: RESOURCES,
      produces: RESOURCES,
      content: { type: `${META}APIResourceList` },
    });
  }
  get("/version/", {
    id: "getCodeVersion",
    description: "get the server's version",
    tag: "version",
    consumes: ["application/json"],
    produces: ["application/json"],
    content: { type: VERSION_INFO },
  });
  get("/openid/v1/jwks/", {
    id: "getServiceAccountIssuerOpenIDKeyset",
    description: "get the public keys that service accounts' tokens can be checked with, as a JSON Web Key Set",
    tag: "openid",
    produces: ["application/jwk-set+json"],
    content: "string",
  });
  get("/.well-known/openid-configuration/", {
    id: "getServiceAccountIssuerOpenIDConfiguration",
    description: "get the OpenID configuration of the issuer of service accounts' tokens",
    tag: "WellKnown",
    produces: ["application/json"],
    content: "string",
  });
  get("/logs/", { id: "logFileListHandler", tag: "logs", codes: [] });
  get("/logs/{logpath}", { id: "logFileHandler", tag: "logs", codes: [], parameters: [LOG_PATH] });
}
