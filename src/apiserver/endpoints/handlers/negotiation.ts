import { notAcceptable } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { memoized } from "#base/memo.ts";

/** A form that answers are written in. */
export type AnswerFormat = "json" | "yaml" | "protobuf";

/** The media type of each form. */
export const CONTENT_TYPES: Readonly<Record<AnswerFormat, string>> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
};

/** What the client wants to see instead of the object itself. */
export interface Transform {
  readonly kind: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  readonly version: "v1" | "v1beta1";
}

/** How an answer is to be written. */
export interface Negotiated {
  readonly format: AnswerFormat;
  readonly transform: Transform | undefined;
  readonly pretty: boolean;
}

const MEDIA_TYPES = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const STREAM_TYPES = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
const ROUTED = new Set(["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]);
const ROUTED_STREAMS = new Set(["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"]);

interface AcceptClause {
  readonly type: string;
  readonly params: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Clients send a handful of different headers: what they mean is worked out once. */
const HEADERS_REMEMBERED = 256;

/** Refuses what no route of the resource produces, with the router's text; `streams` for routes that can watch. */
export function checkRouteAccept(accept: string, streams: boolean): void {
  if (accept === "" || accept === CONTENT_TYPES.json) return;
  for (const clause of accept.split(",")) {
    const whole = clause.trim();
    const type = (whole.split(";")[0] ?? "").trim();
    if (type === "*/*" || ROUTED.has(type)) return;
    if (streams && ROUTED_STREAMS.has(whole.replaceAll(" ", ""))) return;
  }
  const available = streams ? `${MEDIA_TYPES}, ${STREAM_TYPES}` : MEDIA_TYPES;
  const status = notAcceptable(`406: Not Acceptable\n\nAvailable representations: ${available}`).status;
  throw new StatusError({ ...status, details: {} });
}

/**
 * Upstream's `NegotiateOutputMediaType`. Throws 406. `hasProtobuf` is false for custom resources, whose objects have no protobuf
 * form; their metadata has.
 */
export function negotiate(accept: string, hasProtobuf = true): Negotiated {
  return hasProtobuf ? anyFormat(accept) : textFormat(accept);
}

/** The same for what is answered once and never listed, such as reviews and bindings: it has no table. Throws 406. */
export const negotiateWithoutTables: (accept: string) => Negotiated = memoized(HEADERS_REMEMBERED, (accept) =>
  choose(accept, true, false),
);

const anyFormat = memoized(HEADERS_REMEMBERED, (accept) => choose(accept, true));
const textFormat = memoized(HEADERS_REMEMBERED, (accept) => choose(accept, false));

function choose(accept: string, hasProtobuf: boolean, hasTables = true): Negotiated {
  if (accept.trim() === "") return { format: "json", transform: undefined, pretty: false };
  for (const clause of parseAccept(accept)) {
    const format = formatOf(clause.type);
    if (format === undefined) continue;
    const transform = transformOf(clause, format);
    if (transform === "refused" || !streamAllowed(clause, format)) continue;
    if (!hasTables && transform?.kind === "Table") continue;
    if (format === "protobuf" && transform === undefined && !hasProtobuf) continue;
    const pretty = clause.params.get("pretty");
    return { format, transform, pretty: pretty === "1" || pretty === "true" };
  }
  throw notAcceptable(`only the following media types are accepted: ${MEDIA_TYPES}`);
}

/** In which form aggregated discovery (KEP-3352) is wanted; undefined when it is not. Other clauses do not count. */
export function negotiateAggregated(accept: string): AnswerFormat | undefined {
  for (const clause of parseAccept(accept)) {
    const format = formatOf(clause.type);
    const { params } = clause;
    if (format === undefined || params.get("as") !== "APIGroupDiscoveryList") continue;
    if (params.get("g") === "apidiscovery.k8s.io" && params.get("v") === "v2") return format;
  }
  return undefined;
}

/** The format to report a failure in: what the client accepts, JSON where it accepts nothing. */
export function statusFormat(accept: string): AnswerFormat {
  for (const clause of parseAccept(accept)) {
    const format = formatOf(clause.type);
    if (format !== undefined && transformOf(clause, format) === undefined && streamAllowed(clause, format)) return format;
  }
  return "json";
}

/** Watches are never written as YAML. Throws 406. */
export function negotiateWatch(accept: string, hasProtobuf = true): Negotiated {
  const negotiated = negotiate(accept, hasProtobuf);
  if (negotiated.format === "yaml") throw notAcceptable(`only the following media types are accepted: ${STREAM_TYPES}`);
  return negotiated;
}

function formatOf(type: string): AnswerFormat | undefined {
  if (type === "application/json" || type === "*/*" || type === "application/*") return "json";
  if (type === "application/yaml") return "yaml";
  return type === "application/vnd.kubernetes.protobuf" ? "protobuf" : undefined;
}

/** Tables have no protobuf form. */
function transformOf({ params }: AcceptClause, format: AnswerFormat): Transform | undefined | "refused" {
  const [as, group, version] = [params.get("as"), params.get("g"), params.get("v")];
  if (as === undefined && group === undefined && version === undefined) return undefined;
  if (group !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return "refused";
  if (as === "Table") return format === "protobuf" ? "refused" : { kind: as, version };
  return as === "PartialObjectMetadata" || as === "PartialObjectMetadataList" ? { kind: as, version } : "refused";
}

function streamAllowed({ params }: AcceptClause, format: AnswerFormat): boolean {
  const stream = params.get("stream") ?? "";
  return stream === "" || (stream === "watch" && format !== "yaml");
}

/** The clauses in order of preference: quality first, then as they stand. */
function parseAccept(accept: string): AcceptClause[] {
  const clauses = accept.split(",").map((text): AcceptClause => {
    const [type = "", ...rest] = text.split(";").map((part) => part.trim());
    const params = new Map<string, string>();
    for (const part of rest) {
      const equals = part.indexOf("=");
      if (equals > 0) params.set(part.slice(0, equals), part.slice(equals + 1));
    }
    const quality = Number(params.get("q") ?? "1");
    return { type, params, quality: Number.isNaN(quality) ? 1 : quality };
  });
  return clauses.sort((a, b) => b.quality - a.quality);
}
