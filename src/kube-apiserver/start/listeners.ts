import type { Exchange } from "#apiserver/server/exchange.ts";
import { listenPlainly, type PlainListener } from "#apiserver/server/plain-listener.ts";
import { listenSecurely, type SecureListener } from "#apiserver/server/secure-listener.ts";
import { DEFAULT_SERVING } from "#apiserver/server/serving-options.ts";
import { connectionCertificates } from "../connection-certificates.ts";
import { UNSECURED_USER } from "../loopback.ts";
import type { KubeApiServerOptions } from "../server-options.ts";
import type { Security } from "./security.ts";

/** Where the server listens. */
export interface Listeners {
  readonly secure: SecureListener;
  /** Without TLS; undefined when nobody asked for it. */
  readonly plain: PlainListener | undefined;
  stopAccepting(): void;
  /** Ends every connection. */
  destroy(): Promise<void>;
}

/** Listens. Rejects where a port cannot be had, and holds none then. */
export async function listen(
  options: KubeApiServerOptions,
  { authentication }: Security,
  onExchange: (exchange: Exchange) => void,
): Promise<Listeners> {
  const { clock, assets, bindAddress, port, insecure, serving = DEFAULT_SERVING } = options;
  const secure = await listenSecurely({
    clock,
    serving,
    bindAddress,
    port,
    ...connectionCertificates(assets.apiserver, authentication.authorities, assets.named),
    onExchange,
  });
  const listenToo = async (where: NonNullable<typeof insecure>): Promise<PlainListener> => {
    try {
      return await listenPlainly({ ...where, peer: { user: UNSECURED_USER }, onExchange });
    } catch (error) {
      await secure.destroy();
      throw error;
    }
  };
  const plain = insecure && (await listenToo(insecure));
  return {
    secure,
    plain,
    stopAccepting: () => {
      secure.stopAccepting();
      plain?.stopAccepting();
    },
    destroy: async () => void (await Promise.all([secure.destroy(), plain?.destroy()])),
  };
}
