import { invalid } from "#apimachinery/api-errors/errors.ts";
import { type FieldError, forbidden } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";

interface PodContent {
  readonly initContainers?: readonly Container[];
  readonly containers?: readonly Container[];
}

interface Container {
  readonly securityContext?: { readonly privileged?: boolean };
}

/** Where pods' specifications lie, by resource. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  "/pods": ["spec"],
  "/podtemplates": ["template", "spec"],
  "/replicationcontrollers": ["spec", "template", "spec"],
  "apps/daemonsets": ["spec", "template", "spec"],
  "apps/deployments": ["spec", "template", "spec"],
  "apps/replicasets": ["spec", "template", "spec"],
  "apps/statefulsets": ["spec", "template", "spec"],
  "batch/jobs": ["spec", "template", "spec"],
  "batch/cronjobs": ["spec", "jobTemplate", "spec", "template", "spec"],
};

/**
 * Refuses privileged containers where `--allow-privileged` does not let them be, in the words of upstream's validation
 * (`ValidateSecurityContext`). It comes after all other checks, and so alone.
 */
export const denyPrivilegedContainers: AdmissionPluginFactory = () => ({
  name: "AllowPrivileged",
  validate: ({ operation, group, resource, subresource, kind, object }) => {
    const place = PLACES[`${group}/${resource}`];
    if (place === undefined || subresource !== "" || object === undefined || (operation !== "CREATE" && operation !== "UPDATE"))
      return;
    const [first = "", ...rest] = place;
    const path = rest.reduce((at, name) => at.child(name), FieldPath.of(first));
    const spec = place.reduce<unknown>((value, name) => (value as Readonly<Record<string, unknown>> | undefined)?.[name], object);
    const errors = privileged((spec ?? {}) as PodContent, path);
    if (errors.length > 0) throw invalid({ group, kind }, object.metadata.name ?? "", errors);
  },
});

function privileged(spec: PodContent, path: FieldPath): FieldError[] {
  return (["initContainers", "containers"] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap(({ securityContext }, i) =>
      securityContext?.privileged === true
        ? [forbidden(path.child(list).index(i).child("securityContext").child("privileged"), "disallowed by cluster policy")]
        : [],
    ),
  );
}
