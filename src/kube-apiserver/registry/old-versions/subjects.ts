import type { ApiObject } from "#apimachinery/meta/api-object.ts";

const RBAC = "rbac.authorization.k8s.io";
const SELF = `${RBAC}/v1alpha1`;
const EVERYBODY = "system:authenticated";

/** A subject of `v1alpha1`, which names its group with a version. */
type OldSubject = { kind?: string; apiVersion?: string; name?: string; namespace?: string };
type Subject = { kind?: string; apiGroup?: string; name?: string; namespace?: string };
interface Binding<S> {
  subjects?: S[];
  roleRef?: { apiGroup?: string };
}

/** What subjects are of, by their kind, where it is left out. */
export function oldBindingDefaults(object: ApiObject): void {
  const binding = object as unknown as Binding<OldSubject>;
  if (binding.roleRef !== undefined) binding.roleRef.apiGroup ||= RBAC;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === "ServiceAccount") subject.apiVersion ||= "v1";
    if (subject.kind === "User" || subject.kind === "Group") subject.apiVersion ||= SELF;
  }
}

/** From `v1alpha1`, in which the user `*` is everybody who says who they are. */
export function fromOldBinding(object: ApiObject): ApiObject {
  const { subjects } = object as unknown as Binding<OldSubject>;
  if (subjects === undefined) return object;
  return { ...object, subjects: subjects.map(today) };
}

/** To `v1alpha1`. */
export function toOldBinding(object: ApiObject): ApiObject {
  const { subjects } = object as unknown as Binding<Subject>;
  if (subjects === undefined) return object;
  return { ...object, subjects: subjects.map(old) };
}

function today({ apiVersion = "", ...subject }: OldSubject): Subject {
  const { kind } = subject;
  if (kind === "ServiceAccount") return subject;
  if (kind === "User" && subject.name === "*") return { ...subject, kind: "Group", apiGroup: RBAC, name: EVERYBODY };
  if (kind === "User" || kind === "Group") return { ...subject, apiGroup: RBAC };
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return group === "" ? subject : { ...subject, apiGroup: group };
}

function old({ apiGroup = "", ...subject }: Subject): OldSubject {
  const { kind } = subject;
  if (kind === "ServiceAccount" && apiGroup === "") return { ...subject, apiVersion: "v1" };
  if ((kind === "User" || kind === "Group") && apiGroup === RBAC) return { ...subject, apiVersion: SELF };
  return apiGroup === "" ? subject : { ...subject, apiVersion: `${apiGroup}/` };
}
