import { assert } from "#base/assert.ts";
import { collectFunctions, type Environment } from "./declarations.ts";
import { AUTHORIZER_TYPES, authorizers } from "./library/authorizer.ts";
import { conversions } from "./library/conversions.ts";
import { extendedLists, kubernetesLists } from "./library/lists.ts";
import { NAMED_FORMAT, namedFormats } from "./library/named-format.ts";
import { CIDR, IP, networks } from "./library/network.ts";
import { operators } from "./library/operators.ts";
import { optionals } from "./library/optionals.ts";
import { QUANTITY, quantities } from "./library/quantity.ts";
import { regexes } from "./library/regex.ts";
import { SEMVER, semvers } from "./library/semver.ts";
import { strings } from "./library/strings.ts";
import { times } from "./library/times.ts";
import { URL_TYPE, urls } from "./library/url.ts";
import { loadRegexEngine, type RegexEngine } from "./regex-engine.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
} from "./types.ts";

/** The functions and types that every expression in Kubernetes v1.36 knows; upstream's `environment.MustBaseEnvSet`. */
export interface KubernetesCel {
  readonly environment: Environment;
  /** Compiles patterns for checks of literals. */
  readonly regex: RegexEngine;
}

let loading: Promise<KubernetesCel> | undefined;
let loaded: KubernetesCel | undefined;

/** Loads the environment when the first expression needs it. */
export function loadKubernetesCel(): Promise<KubernetesCel> {
  loading ??= loadRegexEngine().then((regex) => {
    loaded = { environment: kubernetesEnvironment(regex), regex };
    return loaded;
  });
  return loading;
}

/** For where nothing can be awaited; {@link loadKubernetesCel} has resolved before. */
export function loadedKubernetesCel(): KubernetesCel {
  assert(loaded !== undefined, "expressions are loaded");
  return loaded;
}

const TYPES: readonly CelType[] = [
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  INT,
  NULL,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
  DYN,
  QUANTITY,
  URL_TYPE,
  SEMVER,
  NAMED_FORMAT,
  IP,
  CIDR,
  ...AUTHORIZER_TYPES,
];

function kubernetesEnvironment(regex: RegexEngine): Environment {
  const names = new Map(TYPES.map((type) => [type.name, type]));
  names.set("list", listOf(DYN));
  names.set("map", mapOf(DYN, DYN));
  names.set("optional_type", optionalOf(DYN));
  names.delete("dyn");
  return {
    functions: collectFunctions(
      operators,
      conversions,
      strings,
      regexes(regex),
      times,
      optionals,
      kubernetesLists,
      extendedLists,
      quantities,
      networks,
      semvers,
      urls,
      namedFormats,
      authorizers,
    ),
    variables: new Map(),
    typeNames: names,
    fields: () => undefined,
  };
}
