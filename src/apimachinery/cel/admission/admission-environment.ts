import { type Environment, extendEnvironment } from "../declarations.ts";
import { AUTHORIZER, RESOURCE_CHECK } from "../library/authorizer.ts";
import { BOOL, type CelType, DYN, INT, listOf, mapOf, STRING, structOf, TIMESTAMP } from "../types.ts";

/** Which variables there are beside `object`, `oldObject`, `request` and `namespaceObject`. */
export interface AdmissionVariablesOptions {
  readonly params: boolean;
  readonly authorizer: boolean;
}

type Fields = Readonly<Record<string, CelType>>;

const KIND = structOf("kubernetes.GroupVersionKind");
const RESOURCE = structOf("kubernetes.GroupVersionResource");
const USER = structOf("kubernetes.UserInfo");
const REQUEST = structOf("kubernetes.AdmissionRequest");
const NAMESPACE = structOf("kubernetes.Namespace");
const NAMESPACE_METADATA = structOf("kubernetes.NamespaceMetadata");
const NAMESPACE_SPEC = structOf("kubernetes.NamespaceSpec");
const NAMESPACE_STATUS = structOf("kubernetes.NamespaceStatus");
const NAMESPACE_CONDITION = structOf("kubernetes.NamespaceCondition");

/** The declared types of what an expression in admission sees (upstream's `BuildRequestType` and `BuildNamespaceType`). */
const STRUCTS: readonly (readonly [CelType, Fields])[] = [
  [KIND, { group: STRING, version: STRING, kind: STRING }],
  [RESOURCE, { group: STRING, version: STRING, resource: STRING }],
  [USER, { username: STRING, uid: STRING, groups: listOf(STRING), extra: mapOf(STRING, listOf(STRING)) }],
  [
    REQUEST,
    {
      kind: KIND,
      resource: RESOURCE,
      subResource: STRING,
      requestKind: KIND,
      requestResource: RESOURCE,
      requestSubResource: STRING,
      name: STRING,
      namespace: STRING,
      operation: STRING,
      userInfo: USER,
      dryRun: BOOL,
      options: DYN,
    },
  ],
  [NAMESPACE, { metadata: NAMESPACE_METADATA, spec: NAMESPACE_SPEC, status: NAMESPACE_STATUS }],
  [NAMESPACE_SPEC, { finalizers: listOf(STRING) }],
  [NAMESPACE_STATUS, { conditions: listOf(NAMESPACE_CONDITION), phase: STRING }],
  [NAMESPACE_CONDITION, { status: STRING, type: STRING, lastTransitionTime: TIMESTAMP, message: STRING, reason: STRING }],
  [
    NAMESPACE_METADATA,
    {
      name: STRING,
      generateName: STRING,
      namespace: STRING,
      labels: mapOf(STRING, STRING),
      annotations: mapOf(STRING, STRING),
      UID: STRING,
      creationTimestamp: TIMESTAMP,
      deletionGracePeriodSeconds: INT,
      deletionTimestamp: TIMESTAMP,
      generation: INT,
      resourceVersion: STRING,
      finalizers: listOf(STRING),
    },
  ],
];

const NAMED: ReadonlyMap<string, ReadonlyMap<string, CelType>> = new Map(
  STRUCTS.map(([{ name }, fields]) => [name, new Map(Object.entries(fields))]),
);

/** What expressions of admission know: match conditions, and policies. */
export function admissionEnvironment(base: Environment, { params, authorizer }: AdmissionVariablesOptions): Environment {
  return extendEnvironment(
    base,
    {
      object: DYN,
      oldObject: DYN,
      namespaceObject: NAMESPACE,
      request: REQUEST,
      ...(params ? { params: DYN } : {}),
      ...(authorizer ? { authorizer: AUTHORIZER, "authorizer.requestResource": RESOURCE_CHECK } : {}),
    },
    NAMED,
  );
}
