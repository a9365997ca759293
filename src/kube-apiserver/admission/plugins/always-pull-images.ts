import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { type FieldError, notSupported } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { type AdmissionAttributes, type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";

const ALWAYS = "Always";
const KINDS = ["initContainers", "containers", "ephemeralContainers"] as const;

/** Images are pulled for every pod, so that nobody uses one that another's credentials brought to the node. */
export const alwaysPullImages: AdmissionPluginFactory = () => ({
  name: "AlwaysPullImages",
  mutate: (attributes) => {
    if (!concerns(attributes)) return;
    const { spec } = attributes.object as unknown as Draft<Pod>;
    for (const kind of KINDS) for (const container of spec?.[kind] ?? []) container.imagePullPolicy = ALWAYS;
    for (const { image } of spec?.volumes ?? []) if (image) image.pullPolicy = ALWAYS;
  },
  validate: (attributes) => {
    if (!concerns(attributes)) return;
    const [first] = faults(attributes.object as unknown as Pod);
    if (first !== undefined) throw admissionForbidden(attributes, `${first.field}: ${first.message}`);
  },
});

function concerns({ operation, group, resource, subresource, object, oldObject }: AdmissionAttributes): boolean {
  if (group !== "" || resource !== "pods" || subresource !== "") return false;
  if (operation === "CREATE") return true;
  return operation === "UPDATE" && hasNewImages(object as unknown as Pod, oldObject as unknown as Pod);
}

function faults({ spec }: Pod): FieldError[] {
  const at = FieldPath.of("spec");
  return [
    ...KINDS.flatMap((kind) =>
      (spec?.[kind] ?? []).flatMap(({ imagePullPolicy = "" }, i) =>
        imagePullPolicy === ALWAYS
          ? []
          : [notSupported(at.child(kind).index(i).child("imagePullPolicy"), imagePullPolicy, [ALWAYS])],
      ),
    ),
    ...(spec?.volumes ?? []).flatMap(({ image }, i) =>
      image === undefined || image.pullPolicy === ALWAYS
        ? []
        : [notSupported(at.child("volumes").index(i).child("image", "pullPolicy"), image.pullPolicy ?? "", [ALWAYS])],
    ),
  ];
}

function hasNewImages(pod: Pod, old: Pod): boolean {
  const known = new Set(images(old));
  return images(pod).some((image) => !known.has(image));
}

function images({ spec }: Pod): string[] {
  const containers: readonly Pick<Container, "image">[] = KINDS.flatMap((kind) => spec?.[kind] ?? []);
  const volumes = (spec?.volumes ?? []).flatMap(({ image }) => (image?.reference ? [image.reference] : []));
  return [...containers.map(({ image = "" }) => image), ...volumes];
}
