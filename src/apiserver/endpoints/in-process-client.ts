import type { Client } from "#client/client.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { StoreRegistry } from "../registry/store/store-registry.ts";
import type { UserInfo } from "../request/request-info.ts";
/** placeholder until the real one is here */
export function createInProcessClient(_s: StoreRegistry, _u: UserInfo, _a?: Authorizer): Client {
  throw new Error("not yet");
}
