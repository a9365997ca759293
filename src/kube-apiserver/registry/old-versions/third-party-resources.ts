import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import { alreadyExists, badRequest, conflict, invalid, isAlreadyExists, notFound } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject, Draft } from "#apimachinery/meta/api-object.ts";
import { duplicate, type FieldError, invalid as invalidField, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { isDns1123Label, nameIsDnsSubdomain } from "#apimachinery/validation/names.ts";
import type { Store, VirtualResource } from "#apiserver/registry/resource.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { deprecationWarning } from "../deprecation.ts";
import { fromDefinition, type ThirdPartyResource, thirdPartyNames, toDefinition } from "./third-party-resource.ts";

const SELF = { group: "extensions", version: "v1beta1", kind: "ThirdPartyResource" };
const RESOURCE = { group: SELF.group, resource: "thirdpartyresources" };
const metadata = FieldPath.of("metadata");
const versionsPath = FieldPath.of("versions");

/** Third-party resources: another sight of the CustomResourceDefinitions that they are kept as. */
export function thirdPartyResources(stores: Stores): VirtualResource {
  const definitions = (): Store<CustomResourceDefinition> =>
    stores.of<CustomResourceDefinition>("apiextensions.k8s.io", "customresourcedefinitions");
  const find = (namespace: string, name: string): CustomResourceDefinition => {
    const names = thirdPartyNames(name);
    const definition = names && definitions().cached("", `${names.plural}.${names.group}`);
    const origin = definition && fromDefinition(definition);
    const gone = definition?.metadata.deletionTimestamp !== undefined;
    if (definition === undefined || gone || origin?.metadata.name !== name || origin.metadata.namespace !== namespace) {
      throw notFound(RESOURCE, name);
    }
    return definition;
  };
  const warning = deprecationWarning(SELF.group, SELF.version, SELF.kind);
  return {
    ...SELF,
    plural: RESOURCE.resource,
    singular: "thirdpartyresource",
    scope: "Namespaced",
    ...(warning !== undefined && { deprecationWarning: warning }),
    create: async (body, context, dryRun) => {
      const resource = checked(body, context.info.namespace);
      const definition = toDefinition(resource);
      try {
        return shown(await definitions().create(definition, context, { dryRun, fieldManager: context.userAgent }));
      } catch (error) {
        throw isAlreadyExists(error) ? alreadyExists(RESOURCE, resource.metadata.name ?? "") : error;
      }
    },
    get: async (name, context) => shown(find(context.info.namespace, name)),
    list: async (context) => {
      const { namespace } = context.info;
      const all = definitions()
        .listCached("")
        .flatMap((definition) => fromDefinition(definition) ?? []);
      const here = all.filter((resource) => namespace === "" || resource.metadata.namespace === namespace);
      // Its objects are deleted behind it, as they were.
      return here.filter(({ metadata: { deletionTimestamp } }) => deletionTimestamp === undefined);
    },
    update: async (name, body, context, dryRun) => {
      const old = find(context.info.namespace, name);
      const resource = checked(body, context.info.namespace);
      const { resourceVersion } = resource.metadata;
      if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) {
        const message = "the object has been modified; please apply your changes to the latest version and try again";
        throw conflict(RESOURCE, name, message);
      }
      const { metadata: meta, spec } = toDefinition(resource) as Draft<CustomResourceDefinition>;
      const change = (definition: Draft<CustomResourceDefinition>): void => {
        definition.spec.versions = spec.versions;
        definition.metadata.annotations = meta.annotations ?? {};
        if (meta.labels) definition.metadata.labels = meta.labels;
        else delete definition.metadata.labels;
      };
      return shown(await definitions().update("", old.metadata.name ?? "", change, context, { dryRun }));
    },
    delete: async (name, options, context) => {
      const { metadata: meta } = find(context.info.namespace, name);
      await definitions().delete("", meta.name ?? "", options, context);
      const details = { name, group: SELF.group, kind: RESOURCE.resource, ...(meta.uid !== undefined && { uid: meta.uid }) };
      return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
    },
  };
}

function shown(definition: CustomResourceDefinition): ApiObject {
  return fromDefinition(definition) ?? (definition as unknown as ApiObject);
}

/** The body, in the namespace of its path. Throws 422. */
function checked(body: ApiObject, namespace: string): ThirdPartyResource {
  const resource = body as unknown as ThirdPartyResource;
  const given = resource.metadata.namespace ?? "";
  if (given !== "" && given !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  const errors = faultsOf(resource);
  if (errors.length > 0) throw invalid(SELF, resource.metadata.name ?? "", errors);
  return { ...resource, metadata: { ...resource.metadata, namespace } };
}

/** Upstream's `ValidateThirdPartyResource`, of when there was one. */
function faultsOf({ metadata: { name = "" }, versions = [] }: ThirdPartyResource): FieldError[] {
  const errors: FieldError[] = [];
  const at = metadata.child("name");
  if (name === "") errors.push(required(at, "name or generateName is required"));
  else {
    for (const message of nameIsDnsSubdomain(name, false)) errors.push(invalidField(at, name, message));
    if (thirdPartyNames(name) === undefined) {
      errors.push(invalidField(at, name, "must be at least three segments long: <kind>.<domain>.<tld>"));
    }
  }
  if (versions.length === 0) errors.push(required(versionsPath, "must specify at least one version"));
  const seen = new Set<string>();
  versions.forEach(({ name: version = "" }, i) => {
    const path = versionsPath.index(i).child("name");
    for (const message of isDns1123Label(version)) errors.push(invalidField(path, version, message));
    if (seen.has(version)) errors.push(duplicate(path, version));
    seen.add(version);
  });
  return errors;
}
