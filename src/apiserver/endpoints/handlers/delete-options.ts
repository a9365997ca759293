import { badRequest } from "#apimachinery/api-errors/errors.ts";
import { parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { decodeJson } from "#apimachinery/schema/decode.ts";
import { bodyFormat } from "#apimachinery/schema/decode-body.ts";
import { schemaByName } from "#apimachinery/schema/registry.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { assert } from "#base/assert.ts";
import type { DeleteOptions } from "../../registry/resource.ts";
import { checkDeleteOptions } from "../../registry/store/deletion.ts";
import { jsonType, syntaxError, toJsonText } from "./body.ts";
import { queryBoolean, queryInteger, queryList } from "./query-values.ts";

const SCHEME = "pkg/apis/meta/internalversion/scheme/register.go:27";
const TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** A DELETE's options: from its body where it has one, else from the query. Throws 400, 415 and 422. */
export function parseDeleteOptions(body: Uint8Array, contentType: string, query: URLSearchParams): DeleteOptions {
  const options = body.byteLength > 0 ? fromBody(body, contentType) : fromQuery(query);
  checkDeleteOptions(options);
  return options;
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const options: DeleteOptions = {};
  const grace = queryInteger(query, "gracePeriodSeconds");
  const policy = query.get("propagationPolicy");
  const orphan = queryBoolean(query, "orphanDependents");
  const dryRun = queryList(query, "dryRun");
  if (grace !== undefined) options.gracePeriodSeconds = grace;
  if (policy !== null && policy !== "") options.propagationPolicy = policy;
  if (orphan !== undefined) options.orphanDependents = orphan;
  if (dryRun !== undefined) options.dryRun = dryRun;
  return options;
}

function fromBody(body: Uint8Array, contentType: string): DeleteOptions {
  const json = toJsonText(body, bodyFormat(contentType), badRequest);
  checkKind(json);
  const schema = schemaByName("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions");
  assert(schema !== undefined, "DeleteOptions is a known type");
  try {
    return decodeJson(schema, json, { strict: false }).object as DeleteOptions;
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function checkKind(json: string): void {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw badRequest(`couldn't get version/kind; json parse error: ${syntaxError(json)}`);
  }
  if (value === null) return;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(value)} into Go value of type ${TYPE_META}`,
    );
  }
  const { kind, apiVersion } = value as { kind?: unknown; apiVersion?: unknown };
  if (typeof kind !== "string" || kind === "" || kind === "DeleteOptions") return;
  const { group, version } = parseGroupVersion(typeof apiVersion === "string" && apiVersion !== "" ? apiVersion : "v1");
  const full = group === "" ? version : `${group}/${version}`;
  throw badRequest(`no kind ${goQuote(kind)} is registered for version ${goQuote(full)} in scheme ${goQuote(SCHEME)}`);
}
