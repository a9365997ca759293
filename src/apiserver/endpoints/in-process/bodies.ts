import { type ApiObject, formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { ownValue } from "#base/own-value.ts";
import { type ConnectSubresource, subresourcesOf } from "../../registry/resource.ts";
import { decodePatched, type ExpectedKind } from "../handlers/body.ts";
import { kindOf } from "../handlers/connect.ts";
import type { ResourceEndpoint } from "../handlers/resource-handler.ts";

/** A function of an object, such as a Pod's binding, with the body that it is called with. */
export interface FunctionCall {
  readonly called: ConnectSubresource<ApiObject>;
  readonly body: ApiObject;
}

/**
 * What is called where a component creates a subresource; undefined where there is no such function, or the body is none for it: the way
 * that requests from outside take says what is wrong.
 */
export function functionCall(endpoint: ResourceEndpoint | undefined, name: string, object: ApiObject): FunctionCall | undefined {
  if (name === "" || endpoint === undefined) return undefined;
  const called = ownValue(subresourcesOf(endpoint.store.definition, endpoint.form.other), name);
  if (called?.type !== "connect" || called.create === undefined) return undefined;
  const { group, version, kind } = called.kind;
  if (object.kind !== kind || object.apiVersion !== formatGroupVersion(group, version)) return undefined;
  try {
    return { called, body: decoded(kindOf(endpoint, called), object) };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/**
 * An object of a component as one of the server's own. Decoding makes all of it anew but the values of custom resources and those that
 * have no type, such as what managers' fields are written in; of the latter nobody changes any.
 */
export function decoded(kind: ExpectedKind, object: ApiObject): ApiObject {
  const own = kind.schema.unstructured === undefined ? object : deepCopy(object);
  return decodePatched(own, kind, true).object;
}
