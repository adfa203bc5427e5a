#!/usr/bin/env bash
# bin/pulsar standalone <options…>, as in the official image: options of Java by PULSAR_MEM and PULSAR_EXTRA_OPTS, data in data/, logs on stdout.
set -euo pipefail

[ "${1:-}" = standalone ] || { echo 'bin/pulsar: only standalone' >&2; exit 1; }
shift
cat >conf/standalone.conf <<'CONF'
clusterName=standalone
bindAddress=0.0.0.0
metadataStoreUrl=
configurationMetadataStoreUrl=
webSocketServiceEnabled=true
managedLedgerDefaultEnsembleSize=1
managedLedgerDefaultWriteQuorum=1
managedLedgerDefaultAckQuorum=1
allowLoopback=true
allowEphemeralPorts=true
loadBalancerEnabled=false
allowAutoTopicCreationType=non-partitioned
defaultNumberOfNamespaceBundles=1
brokerServicePort=6650
webServicePort=8080
diskUsageThreshold=0.99
diskUsageWarnThreshold=0.98
httpServerEnabled=false
CONF
cat >conf/log4j2.xml <<'XML'
<Configuration status="WARN">
  <Appenders><Console name="out"><PatternLayout pattern="%d{ISO8601} %-5level %c{1} - %m%n"/></Console></Appenders>
  <Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
XML
opens=()
for name in java.base/sun.net java.base/java.lang java.base/java.nio java.base/jdk.internal.misc java.base/jdk.internal.platform \
  java.base/java.util.zip java.management/sun.management jdk.management/com.sun.management.internal; do
  opens+=(--add-opens "$name=ALL-UNNAMED")
done
# shellcheck disable=SC2086
exec java ${PULSAR_MEM:-} ${PULSAR_EXTRA_OPTS:-} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError \
  -Dlog4j2.configurationFile=/pulsar/conf/log4j2.xml -Djava.net.preferIPv4Stack=true -Dio.netty.tryReflectionSetAccessible=true \
  -Dbookkeeper.metadata.bookie.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataBookieDriver \
  -Dbookkeeper.metadata.client.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataClientDriver \
  "${opens[@]}" -cp '/pulsar/lib/*' org.apache.pulsar.PulsarStandaloneStarter -c conf/standalone.conf \
  --metadata-dir data/metadata --bookkeeper-dir data/bookkeeper "$@"
