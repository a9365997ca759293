#!/bin/sh
# Makes the network of a node with two pods, a neighbour outside the cluster, and another node with a pod, as namespaces PREFIX-*.
set -e
p="$1"
for name in node pod1 pod2 out far lan; do
  ip netns add "$p-$name"
  ip -n "$p-$name" link set lo up
done
quiet() { ip netns exec "$1" sh -c 'for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 >"$f"; done; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'; }
for name in node pod1 pod2 out far lan; do quiet "$p-$name"; done

ip -n "$p-lan" link add switch type bridge
ip -n "$p-lan" link set switch up
number=1
for name in node out far; do
  ip link add eth0 netns "$p-$name" type veth peer name "$name" netns "$p-lan"
  ip -n "$p-lan" link set "$name" master switch up
  ip -n "$p-$name" address add "192.168.99.$number/24" dev eth0
  ip -n "$p-$name" address add "fd99::$number/64" dev eth0 nodad
  ip -n "$p-$name" link set eth0 up
  number=$((number + 1))
done

ip -n "$p-node" link add cbr0 type bridge
ip -n "$p-node" address add 10.244.1.1/24 dev cbr0
ip -n "$p-node" address add fd44:1::1/64 dev cbr0 nodad
ip -n "$p-node" link set cbr0 up
number=2
for name in pod1 pod2; do
  ip link add eth0 netns "$p-$name" type veth peer name "veth-$name" netns "$p-node"
  ip -n "$p-node" link set "veth-$name" master cbr0 up
  ip -n "$p-node" link set "veth-$name" type bridge_slave hairpin on
  ip -n "$p-$name" address add "10.244.1.$number/24" dev eth0
  ip -n "$p-$name" address add "fd44:1::$number/64" dev eth0 nodad
  ip -n "$p-$name" link set eth0 up
  ip -n "$p-$name" route add default via 10.244.1.1
  ip -n "$p-$name" -6 route add default via fd44:1::1
  number=$((number + 1))
done
ip netns exec "$p-node" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
  for f in iptables ip6tables; do [ ! -e /proc/sys/net/bridge/bridge-nf-call-$f ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-$f; done'

# Tests ask again and again: refusals must not be rationed.
ip netns exec "$p-node" sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_ratelimit; echo 0 >/proc/sys/net/ipv6/icmp/ratelimit'

# The other node's pod, and the ways between the nodes. The neighbour sends what is for Services to the node, and knows of no pods.
ip -n "$p-far" address add 10.244.2.2/32 dev lo
ip -n "$p-far" address add fd44:2::2/128 dev lo nodad
ip -n "$p-node" route add 10.244.2.0/24 via 192.168.99.3
ip -n "$p-node" -6 route add fd44:2::/64 via fd99::3
ip -n "$p-far" route add 10.244.1.0/24 via 192.168.99.1
ip -n "$p-far" -6 route add fd44:1::/64 via fd99::1
for name in out far; do
  ip -n "$p-$name" route add default via 192.168.99.1
  ip -n "$p-$name" -6 route add default via fd99::1
done
# What leads nowhere is still sent, so that rules can judge it.
ip -n "$p-node" route add default via 192.168.99.254
ip -n "$p-node" -6 route add default via fd99::254
