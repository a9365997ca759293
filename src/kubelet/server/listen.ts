import type { AddressInfo, Server } from "node:net";

/** Lets a server listen; gives its port, which is a free one for 0. Rejects with the system's error. */
export function listen(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.removeListener("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
