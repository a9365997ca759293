/** What a client asked of one object, whose values are unique: no two writes write the same. */
export type Call =
  | { readonly kind: "read" }
  | { readonly kind: "create"; readonly value: string }
  /** Whatever is there, if something is. */
  | { readonly kind: "replace"; readonly value: string }
  /** By the resourceVersion of a value. */
  | { readonly kind: "swap"; readonly expected: string; readonly value: string }
  /** Without `expected` whatever is there. */
  | { readonly kind: "delete"; readonly expected?: string };

/** What came of it. */
export type Outcome =
  /** `value` is what a read found: undefined for nothing. */
  | { readonly kind: "ok"; readonly value?: string | undefined }
  /** Not done, for what was there: the object was absent, or was there already or with another value. */
  | { readonly kind: "refused"; readonly why: "absent" | "conflict" }
  /** Nobody knows whether it was done, or will be. */
  | { readonly kind: "unknown" };

/** One call on one object, and its answer. Times are of one clock, in milliseconds. */
export interface Operation {
  readonly client: string;
  readonly call: Call;
  readonly outcome: Outcome;
  readonly invoked: number;
  /** When its answer came; what is unknown may take effect at any time after it was invoked. */
  readonly returned: number;
}

/** What an object holds: undefined when it is absent. */
export type State = string | undefined;

/** The state after an operation, where its outcome could come of the state before; `"impossible"` where it could not. */
export function apply(state: State, { call, outcome }: Operation): { readonly after: State } | "impossible" {
  if (outcome.kind === "unknown") return effect(state, call) ?? "impossible";
  if (call.kind === "read") return outcome.kind === "ok" && outcome.value === state ? { after: state } : "impossible";
  const done = effect(state, call);
  if (outcome.kind === "ok") return done ?? "impossible";
  if (done !== undefined) return "impossible";
  return (state === undefined) === (outcome.why === "absent") ? { after: state } : "impossible";
}

/** What a call makes of a state; undefined where it is refused. */
function effect(state: State, call: Call): { readonly after: State } | undefined {
  switch (call.kind) {
    case "read":
      return { after: state };
    case "create":
      return state === undefined ? { after: call.value } : undefined;
    case "replace":
      return state === undefined ? undefined : { after: call.value };
    case "swap":
      return state === call.expected ? { after: call.value } : undefined;
    case "delete":
      if (state === undefined || (call.expected !== undefined && call.expected !== state)) return undefined;
      return { after: undefined };
  }
}
