export { PulsarError, type PulsarErrorReason } from './pulsar-error.ts';
export { type PulsarBroker, type PulsarOptions, startPulsar } from './start-pulsar.ts';
