export type { Broker, BrokerMessage, Consumer, Publisher } from './broker.ts';
