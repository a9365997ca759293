import { badRequest, invalid } from "#apimachinery/api-errors/errors.ts";
import { type FieldSelector, parseFieldSelector } from "#apimachinery/fields/selector.ts";
import { parseLabelSelector } from "#apimachinery/labels/parse.ts";
import type { LabelSelector } from "#apimachinery/labels/selector.ts";
import { type FieldError, forbidden, notSupported } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { queryBoolean, queryInteger } from "./query-values.ts";

/** `metav1.ListOptions`, read and validated. */
export interface ParsedListOptions {
  readonly labelSelector: LabelSelector;
  readonly fieldSelector: FieldSelector;
  readonly watch: boolean;
  readonly allowWatchBookmarks: boolean;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly timeoutSeconds: number | undefined;
  /** 0 for none. */
  readonly limit: number;
  readonly continue: string;
  readonly sendInitialEvents: boolean | undefined;
}

const NOT_OLDER_THAN = "NotOlderThan";
const EXACT = "Exact";

/** Reads the query of a list or watch. Throws 400 for what does not parse and 422 for what does not go together. */
export function parseListOptions(query: URLSearchParams, watch: boolean): ParsedListOptions {
  const options: ParsedListOptions = {
    labelSelector: parseOr400(() => parseLabelSelector(query.get("labelSelector") ?? "")),
    fieldSelector: parseOr400(() => parseFieldSelector(query.get("fieldSelector") ?? "")),
    watch,
    allowWatchBookmarks: queryBoolean(query, "allowWatchBookmarks") ?? false,
    resourceVersion: query.get("resourceVersion") ?? "",
    resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
    timeoutSeconds: queryInteger(query, "timeoutSeconds"),
    limit: Math.max(0, queryInteger(query, "limit") ?? 0),
    continue: query.get("continue") ?? "",
    sendInitialEvents: queryBoolean(query, "sendInitialEvents"),
  };
  const errors = watch ? validateWatch(options) : validateList(options);
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  return options;
}

function parseOr400<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function validateWatch({ resourceVersionMatch: match, sendInitialEvents }: ParsedListOptions): FieldError[] {
  const path = FieldPath.of("resourceVersionMatch");
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined) {
    if (match !== NOT_OLDER_THAN) {
      errors.push(forbidden(path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
    }
  } else if (match !== "") {
    errors.push(forbidden(path, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
  }
  if (match !== "" && match !== NOT_OLDER_THAN) errors.push(notSupported(path, match, [NOT_OLDER_THAN]));
  return errors;
}

function validateList(options: ParsedListOptions): FieldError[] {
  const { resourceVersionMatch: match, resourceVersion: version } = options;
  const path = FieldPath.of("resourceVersionMatch");
  const errors: FieldError[] = [];
  if (options.sendInitialEvents !== undefined) {
    errors.push(forbidden(FieldPath.of("sendInitialEvents"), "sendInitialEvents is forbidden for list"));
  }
  if (match === "") return errors;
  if (version === "") errors.push(forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
  if (options.continue !== "") errors.push(forbidden(path, "resourceVersionMatch is forbidden when continue is provided"));
  if (match !== EXACT && match !== NOT_OLDER_THAN) errors.push(notSupported(path, match, [EXACT, NOT_OLDER_THAN, ""]));
  if (match === EXACT && version === "0") {
    errors.push(forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  return errors;
}
