import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  CustomResourceValidation,
  SelectableField,
} from "#api/generated/apiextensions/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";

/** What versions declare each for itself. */
export interface VersionParts {
  readonly schema?: CustomResourceValidation;
  readonly subresources?: CustomResourceSubresources;
  readonly additionalPrinterColumns?: readonly CustomResourceColumnDefinition[];
  readonly selectableFields?: readonly SelectableField[];
}

/**
 * A definition's spec as upstream's internal form has it, which errors speak of: what all versions declare alike stands once,
 * at the top (`spec.validation.openAPIV3Schema`), and the versions go without.
 */
export interface InternalSpec extends Omit<CustomResourceDefinitionSpec, "versions"> {
  /** The first version's name. */
  readonly version: string;
  readonly common: VersionParts;
  /** Absent where the client sent none, which errors tell from an empty list. */
  readonly versions: readonly CustomResourceDefinitionVersion[] | undefined;
}

const PARTS = ["schema", "subresources", "additionalPrinterColumns", "selectableFields"] as const;

/** Upstream's `Convert_v1_CustomResourceDefinitionSpec_To_apiextensions_CustomResourceDefinitionSpec`. */
export function internalSpec(spec: CustomResourceDefinitionSpec): InternalSpec {
  const versions = spec.versions as InternalSpec["versions"] | null;
  const [first] = versions ?? [];
  if (versions === undefined || versions === null || first === undefined) {
    return { ...spec, version: "", common: {}, versions: versions ?? undefined };
  }
  const alike = PARTS.filter((part) => versions.every((version) => semanticEqual(version[part], first[part])));
  const common = Object.fromEntries(alike.flatMap((part) => (first[part] === undefined ? [] : [[part, first[part]]])));
  const without = versions.map((version) => {
    const own = { ...version };
    for (const part of alike) Reflect.deleteProperty(own, part);
    return own;
  });
  return { ...spec, version: first.name, common, versions: without };
}

/** The parts of a definition's version, wherever they are declared. */
export function partsOf(spec: InternalSpec, version: CustomResourceDefinitionVersion): VersionParts {
  return { ...version, ...spec.common };
}
