import type { AdmissionResponse } from "#api/generated/admission/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { exactJson } from "#apimachinery/schema/exact-json.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { AdmissionAttributes } from "../admission.ts";
import type { Invocation } from "./invocation.ts";

const KNOWN_VERSIONS = ["v1", "v1beta1"] as const;
const GROUP = "admission.k8s.io";

/** A version of AdmissionReview. */
export type ReviewVersion = (typeof KNOWN_VERSIONS)[number];

/** The first version that the webhook and this server know; undefined for none. */
export function reviewVersionOf(accepted: readonly string[]): ReviewVersion | undefined {
  for (const version of accepted) {
    const known = KNOWN_VERSIONS.find((each) => each === version);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** What an AdmissionReview says of the request, without the objects. */
export function requestHead(
  attributes: AdmissionAttributes,
  { kind, group, version }: Pick<Invocation, "kind" | "group" | "version">,
): Record<string, unknown> {
  const { resource, subresource, operation, dryRun, namespace, name, context } = attributes;
  const { user } = context;
  const requestKind = attributes.objectKind ?? { group: attributes.group, version: attributes.version, kind: attributes.kind };
  const extra = Object.keys(user.extra).length > 0 ? { extra: user.extra } : {};
  return {
    kind: { group: kind.group, version: kind.version, kind: kind.kind },
    resource: { group, version, resource },
    ...(subresource === "" ? {} : { subResource: subresource }),
    requestKind: { group: requestKind.group, version: requestKind.version, kind: requestKind.kind },
    requestResource: { group: attributes.group, version: attributes.version, resource },
    ...(subresource === "" ? {} : { requestSubResource: subresource }),
    ...(name === "" ? {} : { name }),
    ...(namespace === "" ? {} : { namespace }),
    operation,
    userInfo: {
      ...(user.name === "" ? {} : { username: user.name }),
      ...(user.uid === "" ? {} : { uid: user.uid }),
      ...(user.groups.length === 0 ? {} : { groups: user.groups }),
      ...extra,
    },
    dryRun,
    options: operationOptions(attributes),
  };
}

/** The AdmissionReview to send. Go writes absent objects as null. */
export function admissionReview(
  version: ReviewVersion,
  uid: string,
  head: Readonly<Record<string, unknown>>,
  object: ApiObject | undefined,
  oldObject: ApiObject | undefined,
): string {
  const request = { uid, ...head, object: object ?? null, oldObject: oldObject ?? null };
  return exactJson({ kind: "AdmissionReview", apiVersion: `${GROUP}/${version}`, request });
}

const OPTIONS_KINDS = { CREATE: "CreateOptions", UPDATE: "UpdateOptions", DELETE: "DeleteOptions", CONNECT: "" } as const;

function operationOptions({ operation, options, context, dryRun }: AdmissionAttributes): object | null {
  const kind = OPTIONS_KINDS[operation];
  if (kind === "") return null;
  const head = { kind, apiVersion: "meta.k8s.io/v1" };
  if (operation === "DELETE") return { ...options, ...head };
  const fieldManager = context.query.get("fieldManager") ?? "";
  const fieldValidation = context.query.get("fieldValidation") ?? "";
  return {
    ...head,
    ...(dryRun ? { dryRun: ["All"] } : {}),
    ...(fieldManager === "" ? {} : { fieldManager }),
    ...(fieldValidation === "" ? {} : { fieldValidation }),
  };
}

/** A JSON patch out of a webhook's answer, in bytes; empty for none. */
export interface ReviewAnswer {
  readonly response: AdmissionResponse;
  readonly patch: Buffer;
  /** `JSONPatch`, or what the webhook said. */
  readonly patchType: string;
}

/** Upstream's `VerifyAdmissionResponse`. Throws an Error that says what is wrong with the answer. */
export function verifyAnswer(version: ReviewVersion, uid: string, mutating: boolean, review: unknown): ReviewAnswer {
  const { apiVersion = "", kind = "", response } = review as { apiVersion?: string; kind?: string; response?: AdmissionResponse };
  if (response === undefined || response === null) throw new Error("webhook response was absent");
  const patch = Buffer.from(response.patch ?? "", "base64");
  if (version === "v1beta1") {
    return { response, patch: mutating ? patch : Buffer.alloc(0), patchType: patch.length > 0 ? "JSONPatch" : "" };
  }
  if (response.uid !== uid) throw new Error(`expected response.uid=${goQuote(uid)}, got ${goQuote(response.uid ?? "")}`);
  if (apiVersion !== `${GROUP}/v1` || kind !== "AdmissionReview") {
    const given = apiVersion.includes("/") || apiVersion === "" ? apiVersion || "/" : `/${apiVersion}`;
    throw new Error(`expected webhook response of ${GROUP}/v1, Kind=AdmissionReview, got ${given}, Kind=${kind}`);
  }
  checkPatch(mutating, patch, response.patchType ?? undefined);
  return { response, patch, patchType: response.patchType ?? "" };
}

function checkPatch(mutating: boolean, patch: Buffer, patchType: string | undefined): void {
  if (!mutating) {
    if (patch.length > 0) throw new Error("validating webhook may not return response.patch");
    if (patchType !== undefined) throw new Error("validating webhook may not return response.patchType");
    return;
  }
  if (patch.length > 0 && patchType === undefined) {
    throw new Error("webhook returned response.patch but not response.patchType");
  }
  if (patch.length === 0 && patchType !== undefined) {
    throw new Error("webhook returned response.patchType but not response.patch");
  }
  if (patchType === "") throw new Error('webhook returned invalid response.patchType of ""');
}
