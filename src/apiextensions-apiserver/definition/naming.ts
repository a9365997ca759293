import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from "#api/generated/apiextensions/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import { isTrue, withCondition } from "./conditions.ts";
import { caBundleProblem } from "./validation/conversion.ts";

type Condition = Omit<CustomResourceDefinitionCondition, "lastTransitionTime">;

/** Names that definitions of the same group have been given, this one too: what it has in one place it cannot get in another. */
interface TakenNames {
  /** Plural, singular and short names. */
  readonly resources: ReadonlySet<string>;
  /** Kinds and kinds of lists. */
  readonly kinds: ReadonlySet<string>;
}

/**
 * The status with the names that the definition gets, and whether it is established: a name that another definition of the
 * group has stays with that one. Upstream's naming and establishing controllers.
 */
export function acceptNames(
  definition: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
  now: string,
): CustomResourceDefinitionStatus {
  // Whoever has what it wants is not looked at again, whatever is said of it.
  if (semanticEqual(definition.spec.names, definition.status?.acceptedNames)) {
    const { status = {} } = definition;
    return isTrue(definition, "NamesAccepted") ? establish(definition, status, now) : status;
  }
  const { names, accepted } = judge(definition, takenBy(definition, others));
  let status: CustomResourceDefinitionStatus = { ...definition.status, acceptedNames: names };
  status = withCondition(status, accepted, now);
  if (accepted.status === "True") return establish(definition, status, now);
  if (isTrue(definition, "Established")) return status;
  return withCondition(
    status,
    { type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted" },
    now,
  );
}

function establish(
  definition: CustomResourceDefinition,
  status: CustomResourceDefinitionStatus,
  now: string,
): CustomResourceDefinitionStatus {
  if (isTrue(definition, "Established")) return status;
  const caBundle = definition.spec.conversion?.webhook?.clientConfig?.caBundle ?? "";
  const unreadable = caBundle !== "" && caBundleProblem(caBundle) !== undefined;
  return withCondition(status, unreadable ? INVALID_CA_BUNDLE : ESTABLISHED, now);
}

const INVALID_CA_BUNDLE: Condition = {
  type: "Established",
  status: "False",
  reason: "InvalidCABundle",
  message: "The conversion webhook CABundle is invalid",
};

const ESTABLISHED: Condition = {
  type: "Established",
  status: "True",
  reason: "InitialNamesAccepted",
  message: "the initial names have been accepted",
};

function takenBy(definition: CustomResourceDefinition, others: Iterable<CustomResourceDefinition>): TakenNames {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const other of others) {
    if (other.spec.group !== definition.spec.group) continue;
    const names = other.status?.acceptedNames;
    for (const name of [names?.plural, names?.singular, ...(names?.shortNames ?? [])]) if (name) resources.add(name);
    for (const name of [names?.kind, names?.listKind]) if (name) kinds.add(name);
  }
  return { resources, kinds };
}

/** Each name by itself: a definition may get some names and not others. The last refusal is told. */
function judge(
  definition: CustomResourceDefinition,
  taken: TakenNames,
): { names: CustomResourceDefinitionNames; accepted: Condition } {
  const wanted = definition.spec.names;
  const given = definition.status?.acceptedNames;
  let refusal: Pick<Condition, "reason" | "message"> | undefined;
  const pick = (field: "plural" | "singular" | "kind" | "listKind", reason: string, used: ReadonlySet<string>): string => {
    const name = wanted[field] ?? "";
    if (name === (given?.[field] ?? "")) return name;
    if (!used.has(name)) return name;
    refusal = { reason, message: `${goQuote(name)} is already in use` };
    return given?.[field] ?? "";
  };
  const plural = pick("plural", "PluralConflict", taken.resources);
  const singular = pick("singular", "SingularConflict", taken.resources);
  const conflicts = (wanted.shortNames ?? []).filter((name) => !given?.shortNames?.includes(name) && taken.resources.has(name));
  if (conflicts.length > 0) refusal = { reason: "ShortNamesConflict", message: shortNamesMessage(conflicts) };
  const shortNames = conflicts.length > 0 ? given?.shortNames : wanted.shortNames;
  const kind = pick("kind", "KindConflict", taken.kinds);
  const listKind = pick("listKind", "ListKindConflict", taken.kinds);
  const names: CustomResourceDefinitionNames = {
    plural,
    kind,
    ...(singular !== "" && { singular }),
    ...(listKind !== "" && { listKind }),
    ...(shortNames !== undefined && { shortNames }),
    ...(wanted.categories !== undefined && { categories: wanted.categories }),
  };
  if (refusal !== undefined) return { names, accepted: { type: "NamesAccepted", status: "False", ...refusal } };
  return { names, accepted: { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" } };
}

function shortNamesMessage(names: readonly string[]): string {
  const texts = names.map((name) => `${goQuote(name)} is already in use`);
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}
