import type { Secret } from "#api/generated/core/v1.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { Logger } from "#component-base/logging.ts";
import type { LegacyTokenModules } from "./legacy-service-account-tokens.ts";

/** Writes into a Secret's labels when its token was used last. A failure is logged: the token is good all the same. */
export function labelUsedSecrets(stores: Stores, context: RequestContext, logger: Logger): LegacyTokenModules["markUsed"] {
  return (namespace, name, label, date) => {
    stores
      .of<Secret>("", "secrets")
      .update(
        namespace,
        name,
        (secret) => {
          secret.metadata ??= {};
          secret.metadata.labels = { ...secret.metadata.labels, [label]: date };
        },
        context,
      )
      .catch((error: unknown) => logger.warn({ err: error, namespace, name }, "the use of a token could not be written down"));
  };
}
