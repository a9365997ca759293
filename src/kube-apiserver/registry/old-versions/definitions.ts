import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "#api/generated/apiextensions/v1.ts";
import type { ApiObject, Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";

type Version = Draft<CustomResourceDefinitionVersion>;
type OldColumn = { JSONPath?: string };

/** A version of `v1beta1`, and what the spec says of all versions in it. */
interface OldShared {
  subresources?: object | undefined;
  additionalPrinterColumns?: OldColumn[] | undefined;
  selectableFields?: object[] | undefined;
}
interface OldSpec extends OldShared {
  version?: string;
  scope?: string;
  names?: { kind?: string; singular?: string; listKind?: string };
  validation?: object;
  versions?: (OldShared & { name: string; served?: boolean; storage?: boolean; schema?: object })[];
  preserveUnknownFields?: boolean;
  conversion?: { strategy?: string; webhookClientConfig?: object; conversionReviewVersions?: string[] };
}

/** Defaults of `apiextensions.k8s.io/v1beta1`. */
export function oldDefinitionDefaults(object: ApiObject): void {
  const spec = object.spec as OldSpec | undefined;
  if (spec === undefined) return;
  spec.scope ||= "Namespaced";
  spec.names ??= {};
  spec.names.singular ||= (spec.names.kind ?? "").toLowerCase();
  if (spec.names.kind) spec.names.listKind ||= `${spec.names.kind}List`;
  if (!spec.versions?.length && spec.version) spec.versions = [{ name: spec.version, served: true, storage: true }];
  spec.version ||= spec.versions?.[0]?.name ?? "";
  spec.conversion ??= { strategy: "None" };
  if (spec.conversion.strategy === "Webhook") spec.conversion.conversionReviewVersions ??= ["v1beta1"];
  spec.preserveUnknownFields ??= true;
}

/** From `v1beta1`, where a spec may say for all versions what each says in `v1`. */
export function fromOldDefinition(object: ApiObject): ApiObject {
  const { version, validation, subresources, additionalPrinterColumns, selectableFields, conversion, versions, ...rest } =
    (object.spec ?? {}) as OldSpec;
  const named = versions?.length ? versions : version ? [{ name: version, served: true, storage: true }] : [];
  const shared = { schema: validation, subresources, additionalPrinterColumns, selectableFields };
  return {
    ...object,
    spec: {
      ...rest,
      versions: named.map((each) =>
        withColumns({ ...present(shared), ...each }, ({ JSONPath, ...column }: OldColumn) => ({ ...column, jsonPath: JSONPath })),
      ),
      ...(conversion && { conversion: today(conversion) }),
    },
  };
}

/** To `v1beta1`: what all versions say alike is said once. */
export function toOldDefinition(object: ApiObject): ApiObject {
  const { versions = [], conversion, ...rest } = object.spec as Draft<CustomResourceDefinition["spec"]>;
  const old = versions.map((each) => withColumns(each, ({ jsonPath, ...column }) => ({ ...column, JSONPath: jsonPath })));
  const [first] = old;
  const shared: Record<string, unknown> = {};
  for (const field of ["schema", "subresources", "additionalPrinterColumns", "selectableFields"] as const) {
    if (first?.[field] === undefined || !old.every((each) => semanticEqual(each[field], first[field]))) continue;
    shared[field === "schema" ? "validation" : field] = first[field];
    for (const each of old) delete each[field];
  }
  const { webhook, ...strategy } = conversion ?? {};
  return {
    ...object,
    spec: {
      ...rest,
      preserveUnknownFields: rest.preserveUnknownFields ?? false,
      ...shared,
      ...(first && { version: first.name }),
      versions: old,
      ...(conversion && {
        conversion: {
          ...strategy,
          ...(webhook?.clientConfig && { webhookClientConfig: webhook.clientConfig }),
          ...(webhook && { conversionReviewVersions: webhook.conversionReviewVersions }),
        },
      }),
    },
  };
}

function today({ strategy, webhookClientConfig, conversionReviewVersions }: NonNullable<OldSpec["conversion"]>): object {
  if (webhookClientConfig === undefined && conversionReviewVersions === undefined) return { strategy };
  return { strategy, webhook: present({ clientConfig: webhookClientConfig, conversionReviewVersions }) };
}

type AnyVersion = Omit<Version, "additionalPrinterColumns"> & { additionalPrinterColumns?: object[] };

function withColumns<C extends object>(
  version: { additionalPrinterColumns?: C[] | undefined },
  convert: (column: C) => object,
): AnyVersion {
  const { additionalPrinterColumns, ...rest } = version;
  const columns = additionalPrinterColumns && { additionalPrinterColumns: additionalPrinterColumns.map(convert) };
  return { ...rest, ...columns } as unknown as AnyVersion;
}

/** Without what is undefined. */
function present<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
