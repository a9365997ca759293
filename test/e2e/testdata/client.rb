# What a program with Debian's ruby-kubeclient does: prints one line of JSON with what it saw.
require "json"
require "kubeclient"

config = Kubeclient::Config.read(ARGV[0]).context
open = lambda do |path, version|
  Kubeclient::Client.new(config.api_endpoint + path, version, ssl_options: config.ssl_options, auth_options: config.auth_options)
end
core = open.call("", "v1")
apps = open.call("/apis/apps", "v1")
seen = {}

core.create_config_map(Kubeclient::Resource.new(metadata: { name: "rb", namespace: "default" }, data: { a: "1" }))
core.patch_config_map("rb", { data: { b: "2" } }, "default")
seen["data"] = core.get_config_map("rb", "default").data.to_h
begin
  core.get_config_map("none", "default")
rescue Kubeclient::ResourceNotFoundError => e
  seen["absent"] = e.error_code
end

since = core.get_config_maps(namespace: "default").resourceVersion
watcher = core.watch_config_maps(namespace: "default", resource_version: since)
events = []
following = Thread.new do
  watcher.each do |notice|
    events << [notice.type, notice.object.metadata.name]
    watcher.finish if notice.type == "DELETED"
  end
end
core.create_config_map(Kubeclient::Resource.new(metadata: { name: "watched", namespace: "default" }))
core.delete_config_map("watched", "default")
following.join(20)
seen["events"] = events

apps.create_deployment(Kubeclient::Resource.new(
  metadata: { name: "rb", namespace: "default" },
  spec: { replicas: 1, selector: { matchLabels: { app: "rb" } },
          template: { metadata: { labels: { app: "rb" } }, spec: { containers: [{ name: "c", image: "i" }] } } }
))
40.times do
  seen["available"] = apps.get_deployment("rb", "default").status&.availableReplicas
  break if seen["available"] == 1
  sleep 0.25
end
seen["deleted"] = core.delete_config_map("rb", "default").status
puts JSON.generate(seen)
