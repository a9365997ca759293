import type { Pod } from "#api/generated/core/v1.ts";
import { badRequest, invalid } from "#apimachinery/api-errors/errors.ts";
import { type FieldError, forbidden, invalid as invalidField, notSupported } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { ConnectResponse, ConnectSubresource, Store } from "#apiserver/registry/resource.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { chooseContainer, noKubelet, requireNode } from "./stream-target.ts";

/** Upstream prints the path of the whole object so. */
const WHOLE = FieldPath.root.key("");
const STREAMS = ["All", "Stderr", "Stdout"];

/** GET of a pod's log: checked as upstream does, then asked of the node. */
export function logSubresource(stores: () => Stores): ConnectSubresource<Pod> {
  return {
    type: "connect",
    kind: { group: "", version: "v1", kind: "Pod" },
    verbs: ["get"],
    connect: (name, context, store) => readLog(name, context, store, stores()),
  };
}

async function readLog(name: string, context: RequestContext, store: Store<Pod>, stores: Stores): Promise<ConnectResponse> {
  const { query } = context;
  const errors = logOptionErrors(query);
  if (errors.length > 0) throw invalid({ group: "", kind: "PodLogOptions" }, name, errors);
  const pod = await store.get(context.info.namespace, name);
  chooseContainer(pod, query.get("container") ?? "");
  if (!pod.spec?.nodeName) return { status: 204, contentType: "text/plain", body: "" };
  throw noKubelet(requireNode(pod, stores));
}

function integerOption(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function logOptionErrors(query: URLSearchParams): FieldError[] {
  const errors: FieldError[] = [];
  const sinceSeconds = integerOption(query, "sinceSeconds");
  const tailLines = integerOption(query, "tailLines");
  const limitBytes = integerOption(query, "limitBytes");
  if (tailLines !== undefined && tailLines < 0) {
    errors.push(invalidField(FieldPath.of("tailLines"), tailLines, "must be greater than or equal to 0"));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    errors.push(invalidField(FieldPath.of("limitBytes"), limitBytes, "must be greater than 0"));
  }
  if (sinceSeconds !== undefined && query.get("sinceTime")) {
    errors.push(forbidden(WHOLE, "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(invalidField(FieldPath.of("sinceSeconds"), sinceSeconds, "must be greater than 0"));
  }
  const stream = query.get("stream");
  if (stream) {
    if (!STREAMS.includes(stream)) errors.push(notSupported(FieldPath.of("stream"), stream, STREAMS));
    if (stream !== "All" && tailLines !== undefined) {
      errors.push(forbidden(WHOLE, "`tailLines` and specific `stream` are mutually exclusive for now"));
    }
  }
  return errors;
}
