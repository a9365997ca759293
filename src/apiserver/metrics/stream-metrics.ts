/** Upstream's metrics of streams that the API server itself takes part in, in Prometheus' text form. */
export class StreamMetrics {
  readonly #translated = new Map<number, number>();
  readonly #tunnelled = new Map<number, number>();
  #insecureLogs = { enforced: 0, skipped: 0 };
  #unverifiedLogs = 0;

  /** A WebSocket was translated to SPDY, with this status. */
  translated(code: number): void {
    this.#translated.set(code, (this.#translated.get(code) ?? 0) + 1);
  }

  /** SPDY was tunnelled within a WebSocket, with this status. */
  tunnelled(code: number): void {
    this.#tunnelled.set(code, (this.#tunnelled.get(code) ?? 0) + 1);
  }

  /** A log was asked for, with or without a look at the kubelet's certificate. */
  askedForLog(insecurely: boolean): void {
    this.#insecureLogs[insecurely ? "skipped" : "enforced"]++;
  }

  /** A kubelet's certificate was not good. */
  logUnverified(): void {
    this.#unverifiedLogs++;
  }

  /** All metrics as text. */
  text(): string {
    const { enforced, skipped } = this.#insecureLogs;
    return [
      "# HELP apiserver_stream_translator_requests_total [ALPHA] Requests that were translated from WebSocket to SPDY, by HTTP status.",
      "# TYPE apiserver_stream_translator_requests_total counter",
      ...byCode("apiserver_stream_translator_requests_total", this.#translated),
      "# HELP apiserver_stream_tunnel_requests_total [ALPHA] Requests that tunnelled SPDY within a WebSocket, by HTTP status.",
      "# TYPE apiserver_stream_tunnel_requests_total counter",
      ...byCode("apiserver_stream_tunnel_requests_total", this.#tunnelled),
      "# HELP kube_apiserver_pod_logs_insecure_backend_total [ALPHA] Requests for logs, by whether the kubelet's certificate counted.",
      "# TYPE kube_apiserver_pod_logs_insecure_backend_total counter",
      `kube_apiserver_pod_logs_insecure_backend_total{usage="enforce_tls"} ${enforced}`,
      `kube_apiserver_pod_logs_insecure_backend_total{usage="skip_tls_allowed"} ${skipped}`,
      "# HELP kube_apiserver_pod_logs_backend_tls_failure_total [ALPHA] Requests for logs that failed for the kubelet's certificate.",
      "# TYPE kube_apiserver_pod_logs_backend_tls_failure_total counter",
      `kube_apiserver_pod_logs_backend_tls_failure_total ${this.#unverifiedLogs}`,
      "",
    ].join("\n");
  }
}

function byCode(name: string, counts: ReadonlyMap<number, number>): string[] {
  return [...counts].map(([code, count]) => `${name}{code="${code}"} ${count}`);
}
