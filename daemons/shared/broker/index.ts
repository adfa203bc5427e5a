export type { Broker, BrokerMessage, Consumer, Publisher } from './broker.ts';
export { type BrokerConfig, brokerSection, readBrokerConfig } from './broker-config.ts';
export { whyNoPulsarClient } from './load-pulsar-client.ts';
export { openBroker } from './open-broker.ts';
