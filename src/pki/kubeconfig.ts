/** What a kubeconfig tells: where the server is and who asks. PEM texts. */
export interface KubeconfigRequest {
  readonly server: string;
  readonly user: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A kubeconfig with one context and all credentials inline, as YAML. */
export function renderKubeconfig(request: KubeconfigRequest): string {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const context = `${request.user}@kubernetes`;
  return `apiVersion: v1
kind: Config
clusters:
- name: kubernetes
  cluster:
    certificate-authority-data: ${base64(request.ca)}
    server: ${request.server}
contexts:
- name: ${context}
  context:
    cluster: kubernetes
    user: ${request.user}
current-context: ${context}
preferences: {}
users:
- name: ${request.user}
  user:
    client-certificate-data: ${base64(request.cert)}
    client-key-data: ${base64(request.key)}
`;
}
