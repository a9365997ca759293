"""What a program with Debian's python3-kubernetes does: prints one line of JSON with what it saw."""
import json
import sys
import threading

from kubernetes import client, config, dynamic, watch
from kubernetes.client.api_client import ApiClient
from kubernetes.client.exceptions import ApiException
from kubernetes.utils import create_from_dict

config.load_kube_config(config_file=sys.argv[1])
core, apps, ns = client.CoreV1Api(), client.AppsV1Api(), "default"
seen = {}

core.create_namespaced_config_map(ns, {"metadata": {"name": "py"}, "data": {"a": "1"}})
core.patch_namespaced_config_map("py", ns, {"data": {"b": "2"}})
seen["data"] = core.read_namespaced_config_map("py", ns).data
try:
    core.read_namespaced_config_map("none", ns)
except ApiException as e:
    seen["absent"] = [e.status, json.loads(e.body)["reason"]]

pages, token = [], None
for name in ("s1", "s2", "s3"):
    core.create_namespaced_secret(ns, client.V1Secret(metadata=client.V1ObjectMeta(name=name, labels={"py": "y"}), string_data={"k": "v"}))
while token != "":
    page = core.list_namespaced_secret(ns, label_selector="py=y", limit=2, _continue=token)
    pages.append([s.metadata.name for s in page.items])
    token = page.metadata._continue or ""
seen["pages"] = pages

start = core.list_namespaced_config_map(ns).metadata.resource_version
events, ready = [], threading.Event()
def follow():
    w = watch.Watch()
    for event in w.stream(core.list_namespaced_config_map, ns, resource_version=start, timeout_seconds=20):
        events.append([event["type"], event["object"].metadata.name])
        if event["type"] == "DELETED":
            w.stop()
    ready.set()
threading.Thread(target=follow, daemon=True).start()
core.create_namespaced_config_map(ns, {"metadata": {"name": "watched"}})
core.patch_namespaced_config_map("watched", ns, {"data": {"x": "y"}})
core.delete_namespaced_config_map("watched", ns)
ready.wait(25)
seen["events"] = events

create_from_dict(ApiClient(), {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "py"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "py"}},
             "template": {"metadata": {"labels": {"app": "py"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
for event in watch.Watch().stream(apps.list_namespaced_deployment, ns, field_selector="metadata.name=py", timeout_seconds=30):
    if event["object"].status.available_replicas == 2:
        seen["available"] = 2
        break
apps.patch_namespaced_deployment_scale("py", ns, {"spec": {"replicas": 1}})
seen["scaled"] = apps.read_namespaced_deployment_scale("py", ns).spec.replicas

kinds = dynamic.DynamicClient(ApiClient())
kinds.resources.get(api_version="v1", kind="ConfigMap").delete(name="py", namespace=ns)
seen["dynamic"] = [m.metadata.name for m in kinds.resources.get(api_version="v1", kind="ConfigMap").get(namespace=ns).items]
print(json.dumps(seen))
