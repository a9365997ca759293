/** Where a connection goes to. */
export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
}

/** Finds the way to a Service from where the API server runs (upstream's `webhook.ServiceResolver`). */
export interface ServiceResolver {
  /** Throws a StatusError or an Error with upstream's text when there is none. */
  resolve(namespace: string, name: string, port: number): ServiceAddress;
}
