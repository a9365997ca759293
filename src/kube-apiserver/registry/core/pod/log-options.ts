import { badRequest } from "#apimachinery/api-errors/errors.ts";
import { canonicalTime } from "#apimachinery/schema/go-time.ts";
import { type FieldError, forbidden, invalid, notSupported } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";

/** Upstream prints the path of the whole object so. */
const WHOLE = FieldPath.root.key("");
const STREAMS = ["All", "Stderr", "Stdout"];

/** `PodLogOptions`, as a query gives them. */
export interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly insecureSkipTLSVerifyBackend: boolean;
  readonly sinceSeconds: number | undefined;
  /** RFC 3339, in whole seconds. */
  readonly sinceTime: string | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  /** `All` when the query says nothing. */
  readonly stream: string;
}

/** Reads the options out of a query. Throws 400 for what is no number or no time. */
export function logOptions(query: URLSearchParams): LogOptions {
  return {
    container: query.get("container") ?? "",
    follow: booleanOption(query, "follow"),
    previous: booleanOption(query, "previous"),
    timestamps: booleanOption(query, "timestamps"),
    insecureSkipTLSVerifyBackend: booleanOption(query, "insecureSkipTLSVerifyBackend"),
    sinceSeconds: integerOption(query, "sinceSeconds"),
    sinceTime: timeOption(query, "sinceTime"),
    tailLines: integerOption(query, "tailLines"),
    limitBytes: integerOption(query, "limitBytes"),
    stream: query.get("stream") ?? "All",
  };
}

/** What is wrong with them (upstream's `ValidatePodLogOptions`). */
export function logOptionErrors(options: LogOptions): FieldError[] {
  const { sinceSeconds, tailLines, limitBytes, stream } = options;
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) {
    errors.push(invalid(FieldPath.of("tailLines"), tailLines, "must be greater than or equal to 0"));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    errors.push(invalid(FieldPath.of("limitBytes"), limitBytes, "must be greater than 0"));
  }
  if (sinceSeconds !== undefined && options.sinceTime !== undefined) {
    errors.push(forbidden(WHOLE, "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(invalid(FieldPath.of("sinceSeconds"), sinceSeconds, "must be greater than 0"));
  }
  if (!STREAMS.includes(stream)) errors.push(notSupported(FieldPath.of("stream"), stream, STREAMS));
  if (stream !== "All" && tailLines !== undefined) {
    errors.push(forbidden(WHOLE, "`tailLines` and specific `stream` are mutually exclusive for now"));
  }
  return errors;
}

/** Any value but `false` and `0` means yes. */
function booleanOption(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && text.toLowerCase() !== "false" && text !== "0";
}

function integerOption(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function timeOption(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name);
  if (text === null || text === "" || text === "null") return undefined;
  try {
    return canonicalTime(text) ?? undefined;
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}
