import type { FlowSchema } from "#api/generated/flowcontrol/v1.ts";
import { type FieldError, forbidden, notSupported, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { dnsLabelErrors, dnsSubdomainErrors } from "../../core/pod/validation/field-checks.ts";

type Subject = NonNullable<NonNullable<NonNullable<FlowSchema["spec"]>["rules"]>[number]["subjects"]>[number];

const FIELD_OF_KIND = { Group: "group", ServiceAccount: "serviceAccount", User: "user" } as const;
type SubjectKind = keyof typeof FIELD_OF_KIND;
/** The order in which upstream complains of fields that belong to another kind. */
const ORDER: readonly SubjectKind[] = ["ServiceAccount", "User", "Group"];

/** Upstream's `ValidateFlowSchemaSubject`: the field of its kind, and no other. */
export function validateSubject(subject: Subject, path: FieldPath): FieldError[] {
  const { kind = "" } = subject;
  if (!isKind(kind)) return [notSupported(path.child("kind"), kind, Object.keys(FIELD_OF_KIND))];
  const field = FIELD_OF_KIND[kind];
  const others = ORDER.filter((other) => other !== kind && subject[FIELD_OF_KIND[other]] !== undefined);
  return [
    ...validateNamed(subject, kind, path.child(field)),
    ...others.map((other) => {
      const name = FIELD_OF_KIND[other];
      return forbidden(path.child(name), `${name} is forbidden when subject kind is not '${other}'`);
    }),
  ];
}

function isKind(kind: string): kind is SubjectKind {
  return Object.hasOwn(FIELD_OF_KIND, kind);
}

function validateNamed(subject: Subject, kind: SubjectKind, path: FieldPath): FieldError[] {
  const field = FIELD_OF_KIND[kind];
  const named = subject[field];
  if (!named) return [required(path, `${field} is required when subject kind is '${kind}'`)];
  const errors: FieldError[] = [];
  const { name } = named;
  if (!name) errors.push(required(path.child("name"), ""));
  if (kind !== "ServiceAccount") return errors;
  if (name && name !== "*") errors.push(...dnsSubdomainErrors(name, path.child("name")));
  const namespace = subject.serviceAccount?.namespace;
  if (!namespace) errors.push(required(path.child("namespace"), "must specify namespace for service account"));
  else errors.push(...dnsLabelErrors(namespace, path.child("namespace")));
  return errors;
}
