import type { Auditor } from "#apiserver/audit/auditor.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import type { RbacSource } from "#apiserver/authorization/rbac-source.ts";
import { silentLogger } from "#component-base/logging.ts";
import { startAudit } from "../audit/audit.ts";
import { type Authentication, startAuthentication } from "../authentication/authentication.ts";
import { labelUsedSecrets } from "../authentication/label-used-secrets.ts";
import { type Authorization, startAuthorization } from "../authorization/authorization.ts";
import { podFeed } from "../authorization/pod-feed.ts";

import { rbacStores } from "../authorization/rbac-stores.ts";
import { readOnlyAuthorizer } from "../authorization/read-only.ts";
import { loopbackContext } from "../loopback.ts";
import type { KubeApiServerOptions } from "../server-options.ts";
import type { LazyStores } from "./lazy-stores.ts";

/** Who may come in, what they may do, and what is written down of it. */
export interface Security {
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  /** Decides for requests; refuses writes where nothing may be written. */
  readonly authorizer: Authorizer;
  /** Undefined when nothing is written down. */
  readonly auditor: Auditor | undefined;
  /** Ends what authenticates and authorizes. The auditor ends apart, after the last request. */
  stop(): void;
}

/** Starts authentication, authorization and audit. Rejects where one of their files cannot be used. */
export async function startSecurity(
  options: KubeApiServerOptions,
  lazy: LazyStores,
  { readOnly }: { readonly readOnly: boolean },
): Promise<Security> {
  const { clock, random, assets, logger = silentLogger } = options;
  const { stores } = lazy;
  const authentication = await startAuthentication(options.authentication ?? {}, {
    stores,
    clock,
    random,
    logger,
    serviceAccountKey: assets.serviceAccount,
    ca: assets.ca.cert,
    frontProxyCa: assets.frontProxyCa.cert,
    markUsed: labelUsedSecrets(stores, loopbackContext(), logger),
  });
  const authorization = await startAuthorization(options.authorization ?? {}, {
    stores,
    pods: () => podFeed(lazy.registry()),
    rbacSource: lazyRbac(lazy),
    clock,
    random,
    logger,
  });
  return {
    authentication,
    authorization,
    authorizer: readOnly ? readOnlyAuthorizer(authorization.authorizer) : authorization.authorizer,
    auditor: await startAudit(options.audit ?? {}, { clock, random, logger }),
    stop: () => {
      authentication.stop();
      authorization.stop();
    },
  };
}

function lazyRbac(lazy: LazyStores): RbacSource {
  let source: RbacSource | undefined;
  const rbac = (): RbacSource => {
    source ??= rbacStores(lazy.registry());
    return source;
  };
  return {
    followBindings: () => rbac().followBindings(),
    rulesVersion: () => rbac().rulesVersion(),
    rules: (namespace, name) => rbac().rules(namespace, name),
  };
}
