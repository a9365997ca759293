import type { JSONSchemaProps } from "#api/generated/apiextensions/v1.ts";

/**
 * A structural schema, made ready for walking values: what a custom resource's schema says about the shape, apart from what
 * it says about values (`props`, for validation). KEP-1693.
 */
export interface Structural {
  readonly props: JSONSchemaProps;
  /** Empty where any type goes. */
  readonly type: string;
  readonly nullable: boolean;
  readonly preserveUnknownFields: boolean;
  readonly embeddedResource: boolean;
  readonly intOrString: boolean;
  readonly properties: ReadonlyMap<string, Structural>;
  /** Undefined: no further fields are known. `schema` is absent for `additionalProperties: true`. */
  readonly additional: { readonly schema: Structural | undefined } | undefined;
  readonly items: Structural | undefined;
  /** Deep-copy before use; undefined for none. */
  readonly default: unknown;
}

/** Compiles a schema. Says nothing about whether it is structural; where it is not, what is not structural is ignored. */
export function compileStructural(props: JSONSchemaProps): Structural {
  const { additionalProperties, items } = props;
  return {
    props,
    type: props.type ?? "",
    nullable: props.nullable === true,
    preserveUnknownFields: props["x-kubernetes-preserve-unknown-fields"] === true,
    embeddedResource: props["x-kubernetes-embedded-resource"] === true,
    intOrString: props["x-kubernetes-int-or-string"] === true,
    properties: new Map(Object.entries(props.properties ?? {}).map(([name, child]) => [name, compileStructural(child)])),
    additional: compileAdditional(additionalProperties),
    items: items === undefined || Array.isArray(items) ? undefined : compileStructural(items as JSONSchemaProps),
    default: props.default,
  };
}

function compileAdditional(given: JSONSchemaProps["additionalProperties"]): Structural["additional"] {
  if (given === undefined || given === false) return undefined;
  return { schema: given === true ? undefined : compileStructural(given) };
}

/** The members that every resource has, embedded ones too, whatever its schema says. */
export function isMetaField(name: string): boolean {
  return name === "apiVersion" || name === "kind" || name === "metadata";
}
