import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// What Netty, RocksDB and the memory limits of BookKeeper reach into; without them parts of it are slow or fail.
const OPENED = [
  'java.base/sun.net',
  'java.base/java.lang',
  'java.base/java.nio',
  'java.base/jdk.internal.misc',
  'java.base/jdk.internal.platform',
  'java.base/java.util.zip',
  'java.management/sun.management',
  'jdk.management/com.sun.management.internal',
];
const LOGGING = fileURLToPath(new URL('log4j2.xml', import.meta.url));

/** An archive of loaded classes saves two thirds of the work of a start. It is made when a broker stops in order. */
export interface ClassArchive {
  readonly file: string;
  readonly make: boolean;
}

/**
 * What to start Java with, in the data folder.
 * @param options.fullSpeed compiles what is hot twice, as servers do. Without it a start takes half the work.
 */
export function javaArguments(options: {
  jars: string;
  settingsFile: string;
  bookiePort: number;
  archive: ClassArchive;
  fullSpeed: boolean;
}): string[] {
  const { jars, settingsFile, bookiePort, archive, fullSpeed } = options;
  return [
    '-Xms64m',
    '-Xmx512m',
    '-XX:MaxDirectMemorySize=512m',
    ...(fullSpeed ? ['-XX:+UseG1GC'] : ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']),
    `-XX:${archive.make ? 'ArchiveClassesAtExit' : 'SharedArchiveFile'}=${archive.file}`,
    '-Xlog:cds=off',
    '-Xlog:cds+dynamic=off',
    '-XX:+ExitOnOutOfMemoryError',
    `-Dlog4j2.configurationFile=${LOGGING}`,
    '-Djava.net.preferIPv4Stack=true',
    '-Dio.netty.tryReflectionSetAccessible=true',
    '-Dpulsar.allocator.exit_on_oom=true',
    '-Dbookkeeper.metadata.bookie.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataBookieDriver',
    '-Dbookkeeper.metadata.client.drivers=org.apache.pulsar.metadata.bookkeeper.PulsarMetadataClientDriver',
    ...OPENED.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]),
    '-cp',
    join(jars, '*'),
    'org.apache.pulsar.PulsarStandaloneStarter',
    '-c',
    settingsFile,
    // Neither functions nor the table service: they double the time to start.
    '-nfw',
    '-nss',
    '--metadata-dir',
    'metadata',
    '--bookkeeper-dir',
    'bookkeeper',
    '--bookkeeper-port',
    String(bookiePort),
    '-a',
    '127.0.0.1',
  ];
}
