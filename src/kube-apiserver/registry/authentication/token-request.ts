import type { Node, Pod, ServiceAccount } from "#api/generated/core/v1.ts";
import { badRequest, conflict, invalid } from "#apimachinery/api-errors/errors.ts";
import { type ApiObject, parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import { type FieldError, invalid as invalidField } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { ConnectSubresource } from "#apiserver/registry/resource.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { Clock } from "#base/clock.ts";
import type { KubernetesClaims, ServiceAccountTokens } from "../../authentication/service-account-tokens.ts";
import { trackReview } from "./track-review.ts";

const GROUP = "authentication.k8s.io";
const KIND = { group: GROUP, kind: "TokenRequest" };
const DEFAULT_EXPIRATION_SECONDS = 3600;
const EXPIRATION_SECONDS_MIN = 600;
const EXPIRATION_SECONDS_MAX = 2 ** 32;

interface BoundObjectRef {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly uid?: string;
}

interface TokenRequestSpec {
  audiences?: string[] | null;
  expirationSeconds?: number | null;
  boundObjectRef?: BoundObjectRef | null;
}

/** What the kubelet asks for when a pod's token names no time of its own: such tokens outlive it (KEP-1205). */
const EXTENDED_EXPIRATION_SECONDS = 3607;
/** How long they live instead. */
const EXTENSION_SECONDS: number = 365 * 24 * 60 * 60;

/** What {@link tokenSubresource} works with. */
export interface TokenRequestModules {
  readonly tokens: ServiceAccountTokens;
  /** What a request that names no audiences gets. */
  readonly apiAudiences: readonly string[];
  /** No token lives longer, in seconds. */
  readonly maxExpirationSeconds?: number;
  /** Whether tokens of pods live longer than they were asked for. */
  readonly extendExpiration: boolean;
  readonly stores: Stores;
  readonly clock: Clock;
}

/** `serviceaccounts/token`: issues a token for the account, bound to a Pod, Secret or Node if asked. */
export function tokenSubresource(modules: TokenRequestModules): ConnectSubresource<ServiceAccount> {
  const { tokens, stores, clock } = modules;
  return {
    type: "connect",
    kind: { ...KIND, version: "v1" },
    verbs: ["create"],
    async create(name, body, context, store) {
      const { namespace } = context.info;
      const spec: TokenRequestSpec = (body.spec as TokenRequestSpec | undefined) ?? {};
      spec.expirationSeconds ??= DEFAULT_EXPIRATION_SECONDS;
      body.spec = spec;
      trackReview(body, GROUP, KIND.kind, context, clock);
      checkMatches(body, namespace, name);
      const account = await store.get(namespace, name);
      if ((spec.audiences ?? []).length === 0) spec.audiences = [...modules.apiAudiences];
      const errors = validateSpec(spec);
      if (errors.length > 0) throw invalid(KIND, "", errors);
      const uid = account.metadata.uid ?? "";
      const serviceaccount = { name, uid };
      const bound = spec.boundObjectRef ? await boundClaims(stores, namespace, name, spec.boundObjectRef) : {};
      const asked = Math.min(spec.expirationSeconds, modules.maxExpirationSeconds ?? EXPIRATION_SECONDS_MAX);
      if (asked < spec.expirationSeconds) {
        context.warnings.push(`requested expiration of ${spec.expirationSeconds} seconds shortened to ${asked} seconds`);
      }
      const life = lifetime(modules, spec, asked, bound.pod !== undefined, Math.floor(clock.now() / 1000));
      const issued = await tokens.issue(
        { namespace, serviceaccount, ...bound, ...life.claims },
        spec.audiences ?? [],
        life.seconds,
      );
      spec.expirationSeconds = asked;
      body.metadata = { ...body.metadata, name, namespace, uid, creationTimestamp: formatTime(clock.now()) };
      body.status = { token: issued.token, expirationTimestamp: formatTime(issued.expiresAt - (life.seconds - asked) * 1000) };
      return body;
    },
  };
}

/** How long the token really lives; its holder is told the shorter time, and the server when that is over. */
function lifetime(
  { extendExpiration, apiAudiences }: TokenRequestModules,
  spec: TokenRequestSpec,
  asked: number,
  isPods: boolean,
  now: number,
): { readonly seconds: number; readonly claims: { readonly warnafter?: number } } {
  const isForServer = (spec.audiences ?? []).every((audience) => apiAudiences.includes(audience));
  if (!extendExpiration || !isPods || asked !== EXTENDED_EXPIRATION_SECONDS || !isForServer)
    return { seconds: asked, claims: {} };
  return { seconds: EXTENSION_SECONDS, claims: { warnafter: now + asked } };
}

function checkMatches(body: ApiObject, namespace: string, name: string): void {
  const { metadata } = body;
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (metadata.name && metadata.name !== name) {
    const path = FieldPath.of("metadata", "name");
    throw invalid(KIND, name, [invalidField(path, metadata.name, "must match the service account name if specified")]);
  }
}

function validateSpec(spec: TokenRequestSpec): FieldError[] {
  const path = FieldPath.of("spec", "expirationSeconds");
  const seconds = spec.expirationSeconds ?? DEFAULT_EXPIRATION_SECONDS;
  if (seconds < EXPIRATION_SECONDS_MIN) return [invalidField(path, seconds, "may not specify a duration less than 10 minutes")];
  if (seconds > EXPIRATION_SECONDS_MAX)
    return [invalidField(path, seconds, "may not specify a duration larger than 2^32 seconds")];
  return [];
}

async function boundClaims(
  stores: Stores,
  namespace: string,
  account: string,
  ref: BoundObjectRef,
): Promise<Pick<KubernetesClaims, "pod" | "secret" | "node">> {
  const { group, version } = parseGroupVersion(ref.apiVersion ?? "");
  const { kind = "", name = "" } = ref;
  const named = (object: { metadata?: { uid?: string } }): { name: string; uid: string } => {
    const uid = object.metadata?.uid ?? "";
    if (ref.uid && ref.uid !== uid) {
      const reason = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw conflict({ group, resource: kind }, name, reason);
    }
    return { name, uid };
  };
  if (group === "" && kind === "Pod") {
    const pod = await stores.of<Pod>("", "pods").get(namespace, name);
    if (pod.spec?.serviceAccountName !== account) {
      throw badRequest(`cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name.`);
    }
    const nodeName = pod.spec.nodeName ?? "";
    const node = nodeName === "" ? undefined : stores.of<Node>("", "nodes").cached("", nodeName);
    return { pod: named(pod), ...(nodeName === "" ? {} : { node: { name: nodeName, uid: node?.metadata?.uid ?? "" } }) };
  }
  if (group === "" && kind === "Secret") return { secret: named(await stores.of("", "secrets").get(namespace, name)) };
  if (group === "" && kind === "Node") return { node: named(await stores.of("", "nodes").get("", name)) };
  throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
}
