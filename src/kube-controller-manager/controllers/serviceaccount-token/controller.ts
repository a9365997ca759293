import type { Secret, ServiceAccount } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf, objectKey, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { SECRETS, SERVICE_ACCOUNTS } from "../../framework/resources.ts";
import { legacyToken } from "./legacy-token.ts";
import { type Action, accountNameOf, base64, isFor, type Observed, reconcile, TOKEN_SECRET_TYPE } from "./reconcile.ts";

const BY_ACCOUNT = "account";

/** Puts tokens into the Secrets that ask for one. Off when no signing key is given. */
export const serviceAccountTokenController: ControllerDefinition = {
  name: "serviceaccount-token-controller",
  create({ client, informers, options }) {
    const { rootCa, serviceAccountSigningKey } = options;
    if (serviceAccountSigningKey === undefined) return undefined;
    const accounts = informers.informer<ServiceAccount>(SERVICE_ACCOUNTS);
    const secrets = informers.informer<Secret>(SECRETS, { fieldSelector: `type=${TOKEN_SECRET_TYPE}` });
    secrets.addIndex(BY_ACCOUNT, (secret) => {
      const account = accountNameOf(secret);
      return account === undefined ? [] : [objectKey(secret.metadata.namespace ?? "", account)];
    });

    /** The mirror may lag behind. */
    async function liveAccount(secret: Secret): Promise<ServiceAccount | undefined> {
      try {
        return await client.get<ServiceAccount>(SERVICE_ACCOUNTS, secret.metadata.namespace ?? "", accountNameOf(secret) ?? "");
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    }

    async function execute(actions: readonly Action[]): Promise<void> {
      for (const action of actions) {
        const { namespace = "", name = "", uid = "" } = action.secret.metadata;
        try {
          if (action.type === "fill") await fill(action);
          else if (!isFor(action.secret, await liveAccount(action.secret))) {
            await client.delete(SECRETS, namespace, name, { preconditions: { uid } });
          }
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
    }

    async function fill({ secret, account, needsToken }: Action & { type: "fill" }): Promise<void> {
      const { namespace = "", name = "" } = secret.metadata;
      const key = needsToken ? await serviceAccountSigningKey?.() : undefined;
      const token = key === undefined ? {} : { token: base64(legacyToken(account, secret, key)) };
      await client.update<Secret>(SECRETS, namespace, name, { ...secret, data: { ...secret.data, ...token } });
    }

    return controller<Observed, Action>({
      sources: [
        source(secrets, ({ type, object }) => (type === "delete" ? [] : [keyOf(object)])),
        source(accounts, ({ type, object }) =>
          type === "update" ? [] : secrets.byIndex(BY_ACCOUNT, keyOf(object)).map((secret) => keyOf(secret)),
        ),
      ],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const secret = secrets.lister.get(namespace, name);
        const account = secret === undefined ? undefined : accountNameOf(secret);
        if (secret === undefined || account === undefined) return undefined;
        return { secret, account: accounts.lister.get(namespace, account), rootCa };
      },
      reconcile,
      execute,
    });
  },
};
